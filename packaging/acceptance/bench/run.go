package main

import (
	"fmt"
	"strconv"
	"strings"

	"wsprovision/packaging/acceptance/vm"
)

// timed runs a command; the time, in seconds, is the guest's own. What it printed is in /run/out, stderr in /run/err.
func timed(m *vm.Machine, command string, to *[]float64) error {
	r := m.Try("s=$(date +%s%N); "+command+" >/run/out 2>/run/err </dev/null; x=$?; echo $(( $(date +%s%N) - s )); "+
		"exit $x", nil)
	if r.Status != 0 {
		return failed(m, command, r)
	}
	ns, err := strconv.ParseInt(strings.TrimSpace(r.Stdout), 10, 64)
	*to = append(*to, float64(ns)/1e9)
	return err
}

func failed(m *vm.Machine, command string, r vm.Result) error {
	out, _ := m.Run("tail -20 /run/out /run/err")
	return fmt.Errorf("%s: exit status %d: %s\n%s", command, r.Status, r.Output, out)
}

// first is timed, from the bare host.
func first(m *vm.Machine, command string, to *[]float64) error {
	if err := m.Restore(bare); err != nil {
		return err
	}
	return timed(m, command, to)
}

// watcher runs a program, looks at its peak resident size twenty times a second (VmHWM of proc(5); what wait4(2) tells
// would be the largest of its children, which is yum), and prints its seconds and kilobytes.
const watcher = `import os, re, sys, time
to = lambda fd, path: (os.POSIX_SPAWN_OPEN, fd, path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
began = time.monotonic()
pid = os.posix_spawnp(sys.argv[1], sys.argv[1:], os.environ, file_actions=[to(1, "/run/out"), to(2, "/run/err")])
peak = 0
while True:
    found = re.search("VmHWM:[^0-9]*([0-9]+)", open("/proc/%d/status" % pid).read())
    peak = max(peak, int(found.group(1)) if found else 0)
    ended, status = os.waitpid(pid, os.WNOHANG)
    if ended: break
    time.sleep(0.05)
print(time.monotonic() - began, peak)
sys.exit(os.waitstatus_to_exitcode(status))
`

// memory runs a command and gives its seconds and the peak size of the agent itself, in MB.
func memory(m *vm.Machine, command string) (seconds, mb float64, err error) {
	p, err := m.Begin("python3 -c "+vm.Quote(watcher)+" "+command, nil)
	if err != nil {
		return 0, 0, err
	}
	r := p.Wait(4 * vm.CommandTimeout)
	if r.Status != 0 {
		return 0, 0, failed(m, command, r)
	}
	var kb float64
	_, err = fmt.Sscan(r.Stdout, &seconds, &kb)
	return seconds, kb / 1024, err
}
