package host

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"wsprovision/provision/plaintext"
)

// programs are all the programs that the agent runs, and for each the ways of
// calling it that only read. Whatever is not listed as reading changes the
// host and has to pass the Seam; whatever is not listed at all is refused.
//
// The deadlines bound one call that reads and one that changes. A transaction's
// is long: one that is killed half-way is worse than a slow one, so yum's
// network waits are bounded by its own options instead. Without one the program
// is never run for that.
var programs = []program{
	{name: "rpm", reads: []string{"-q", "-qa", "-qf", "-ql", "-qp", "-V", "-K", "-Kv", "--checksig"},
		reading: 2 * time.Minute, changing: time.Hour},
	{name: "yum", changing: time.Hour},
	{name: "semanage", changing: 15 * time.Minute},
	{name: "semodule", changing: 15 * time.Minute},
	{name: "load_policy", changing: 5 * time.Minute},
	{name: "setsebool", changing: 5 * time.Minute},
	{name: "nginx", reads: []string{"-t", "-V"}, reading: time.Minute},
	{name: "systemctl", changing: time.Minute},
	{name: "firewall-cmd", reads: []string{"--list-all-zones", "--list-all"}, reading: 20 * time.Second},
	{name: "firewall-offline-cmd", changing: 5 * time.Minute},
	{name: "journalctl", reads: []string{"--no-pager"}, reading: 10 * time.Second},
	{name: "getent", reads: []string{"ahosts"}, reading: 20 * time.Second},
}

type program struct {
	name              string
	reads             []string
	reading, changing time.Duration
}

// LookUp finds the program of argv[0], given by name or by absolute path.
func LookUp(argv []string) (program, error) {
	name := argv[0][strings.LastIndexByte(argv[0], '/')+1:]
	i := slices.IndexFunc(programs, func(p program) bool { return p.name == name })
	if i < 0 {
		return program{}, fmt.Errorf("run %s: not one of the programs this agent runs", plaintext.Command(argv))
	}
	return programs[i], nil
}

// OnlyReads reports whether this call of the program changes nothing.
func (p program) OnlyReads(args []string) bool {
	line := strings.Join(args, " ") + " "
	return slices.ContainsFunc(p.reads, func(r string) bool {
		return strings.HasPrefix(line, r+" ")
	})
}
