package rpmdb

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"wsprovision/provision/lazy"
	"wsprovision/rpm/said"
)

// satisfiedArgv asks for dependencies alone; rpm 4.11 knows all of these options.
var satisfiedArgv = []string{"rpm", "-V", "--nofiles", "--noscripts", "--nodigest", "--nosignature"}

// neededBy is rpm's word on a requirement that no installed package meets (rpm 4.11 lib/rpmprob.c).
var neededBy = lazy.Regexp(`^\s+(\S+)(?: (?:=|<|>|<=|>=) \S+)? is needed by \(installed\) `)

// Unsatisfied are the packages that installed ones need and that are not there, by name and sorted: of a transaction in
// which a dependency's script failed, rpm keeps what needs it. A requirement that is no package's name is an error.
func (d DB) Unsatisfied(ctx context.Context, names ...string) ([]string, error) {
	if len(names) == 0 {
		return nil, nil
	}
	stdout, stderr, _, err := d.Read(ctx, "", append(slices.Clone(satisfiedArgv), names...)...)
	if err != nil {
		return nil, fmt.Errorf("ask what installed packages lack: rpm: %w", err)
	}
	var all []string
	for _, line := range said.Lines(stdout + "\n" + stderr) {
		m := neededBy().FindStringSubmatch(line)
		if m == nil {
			continue
		}
		if CheckName(m[1]) != nil {
			return nil, fmt.Errorf("%s lack %s, which an earlier transaction failed to bring: yum install '%s', then "+
				"run again",
				strings.Join(names, ", "), m[1], m[1])
		}
		all = append(all, m[1])
	}
	slices.Sort(all)
	return slices.Compact(all), nil
}
