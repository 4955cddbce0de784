package engine

import (
	"strings"

	multierror "github.com/hashicorp/go-multierror"
)

// together makes one error of all, a line each; nil where there is none.
func Lines(all *multierror.Error) error {
	if all == nil {
		return nil
	}
	all.ErrorFormat = func(each []error) string {
		lines := make([]string, len(each))
		for i, err := range each {
			lines[i] = err.Error()
		}
		return strings.Join(lines, "\n")
	}
	return all.ErrorOrNil()
}
