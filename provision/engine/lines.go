package engine

import (
	"fmt"
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

// AndMore is the end of a text that names one file of n+1.
func AndMore(n int) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf(" and of %d more files", n)
}
