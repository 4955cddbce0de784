// Command bench measures the agent against the tutorial's own commands as a script (tutorial.sh), from the same
// snapshot of the same machine, in turn; against an Ansible playbook of the equal tasks; and with many sites. It prints
// each figure beside its bar. Absolute times are an emulated machine's and mean nothing elsewhere: compared are ratios.
//
//	bench [-runs 5] [-sites 1,10,100,1000]
package main

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"wsprovision/packaging/acceptance/vm"
)

const (
	siteFlags = "--server-name ws.example.com --backend 127.0.0.1:3000 --path /ws/"
	apply     = "wsprovision apply " + siteFlags
	script    = "/root/tutorial.sh"
	least     = script + " one-transaction"
	query     = "rpm -q nginx policycoreutils-python epel-release"
	bare      = "bench"
)

func main() {
	runs := flag.Int("runs", 5, "of which the median is taken")
	sites := flag.String("sites", "1,10,100,1000", "how many sites")
	flag.Parse()
	measure := func(m *vm.Machine) error { return measured(m, *runs, *sites) }
	if err := vm.OnBareHost("packaging/acceptance", measure); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// measured prints what it has as soon as it has it.
func measured(m *vm.Machine, runs int, sites string) error {
	if err := prepare(m); err != nil {
		return err
	}
	fmt.Printf("medians of %d, in one run:\n", runs)
	if err := printSizes(); err != nil {
		return err
	}
	var c comparison
	for range runs {
		if err := c.round(m); err != nil {
			return err
		}
	}
	c.print()
	if err := c.againstAnsible(m, runs); err != nil {
		return err
	}
	counts, err := numbers(sites)
	if err != nil {
		return err
	}
	return scale(m, counts)
}

func numbers(list string) (all []int, err error) {
	for text := range strings.SplitSeq(list, ",") {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 {
			return nil, fmt.Errorf("-sites %s: %q is no number of sites", list, text)
		}
		all = append(all, n)
	}
	return all, nil
}

// prepare makes the snapshot that all start from.
func prepare(m *vm.Machine) error {
	if err := m.Install("dist"); err != nil {
		return err
	}
	if err := m.Configured(); err != nil {
		return err
	}
	text, err := os.ReadFile("packaging/acceptance/tutorial.sh")
	if err != nil {
		return err
	}
	if err := m.Put(script, text, 0o755); err != nil {
		return err
	}
	return m.Save(bare)
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)/2]
}
