package main

import (
	"encoding/json"
	"fmt"
	"strings"

	"wsprovision/packaging/acceptance/vm"
)

const sitesFile = "/etc/wsprovision/wsprovision.yaml"

// scale measures what a number of sites costs, on a host that has the packages and the labels: each command's time,
// with the handshakes of the proof apart, and its peak memory.
func scale(m *vm.Machine, counts []int) error {
	var ignored []float64
	if err := first(m, apply, &ignored); err != nil {
		return err
	}
	if err := m.Save("scale"); err != nil {
		return err
	}
	fmt.Println("\nsites: seconds without the handshakes, those apart, MB")
	one := map[string]float64{}
	for _, n := range counts {
		if err := m.Restore("scale"); err != nil {
			return err
		}
		if err := m.Put(sitesFile, []byte(sites(n)), 0o644); err != nil {
			return err
		}
		for _, c := range []struct{ name, command string }{{"plan", "plan"}, {"apply", "apply"},
			{"unchanged apply", "apply"}, {"revert", "revert"}} {
			if err := scaled(m, n, c.name, c.command, one); err != nil {
				return err
			}
		}
	}
	return nil
}

// sites are in one file; the flags' site is not among them, so that an apply takes it away.
func sites(n int) string {
	var b strings.Builder
	b.WriteString("sites:\n")
	for i := range n {
		fmt.Fprintf(&b, "  - {name: s%d, server_name: s%[1]d.example.com, locations: [{path: /ws/, backend: "+
			"\"127.0.0.1:3000\"}]}\n", i)
	}
	return b.String()
}

func scaled(m *vm.Machine, n int, name, command string, one map[string]float64) error {
	seconds, mb, err := memory(m, "wsprovision --output json "+command)
	if err != nil {
		return fmt.Errorf("%d sites: %w", n, err)
	}
	proof, err := proofs(m)
	if err != nil {
		return err
	}
	seconds -= proof
	if n == 1 {
		one[name] = seconds
	}
	verdict := ""
	if first := one[name]; n == 1000 && first > 0 {
		verdict = fmt.Sprintf("   %.1f times one site, at most 3; at most 60 MB", seconds/first)
		if seconds > 3*first || mb > 60 {
			verdict += "  OVER"
		}
	}
	fmt.Printf("%6d  %-16s %8.2f %8.2f %6.1f%s\n", n, name, seconds, proof, mb, verdict)
	return nil
}

// proofs are the seconds that the last command's handshakes took, by its report.
func proofs(m *vm.Machine) (float64, error) {
	content, err := m.Get("/run/out")
	if err != nil {
		return 0, err
	}
	var report struct {
		Steps []struct {
			Name   string
			Millis float64 `json:"duration_ms"`
		}
	}
	if err := json.Unmarshal(content, &report); err != nil {
		return 0, fmt.Errorf("read the report: %w", err)
	}
	for _, s := range report.Steps {
		if s.Name == "proof" {
			return s.Millis / 1000, nil
		}
	}
	return 0, nil
}
