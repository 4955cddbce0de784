// Command crash runs the crash matrix on the machine: a test build of the agent kills itself at every point of its own seam to the host,
// one after the other, on a bare host and on one whose site changes. After each the machine is judged by its own tools, and the agent
// is run again, and once more. For a sample of the points the power is cut instead.
package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"wsprovision/packaging/acceptance/vm"
)

const (
	agent    = "/root/wsprovision-crash"
	flags    = " apply --server-name ws.example.com --backend 127.0.0.1:3000 --path "
	powerCut = 10 // points of each story at which the power is cut as well
)

// story is a run that is interrupted: where it starts from, what it is asked for, and whether nginx serves all the while.
type story struct {
	name, prepare, path string
	serving             bool
}

var stories = []story{
	{"bare host", "true", "/ws/", false},
	{"changed site", agent + flags + "/ws/", "/socket/", true},
}

func main() {
	if err := vm.OnBareHost("packaging/acceptance", run); err != nil {
		fmt.Fprintln(os.Stderr, "crash:", err)
		os.Exit(1)
	}
}

func run(m *vm.Machine) error {
	matrix := matrix{m: m}
	for _, s := range stories {
		if err := matrix.tell(s); err != nil {
			return err
		}
	}
	fmt.Printf("%d points, %d converged, %d broken\n", matrix.points, matrix.points-matrix.broken, matrix.broken)
	if matrix.broken > 0 {
		return fmt.Errorf("%d points leave a host worse", matrix.broken)
	}
	return nil
}

type matrix struct {
	m              *vm.Machine
	points, broken int
}

// tell makes the story's snapshot, learns its points from a run that is not interrupted, and goes through them.
func (x *matrix) tell(s story) error {
	if err := x.m.Restore(vm.Booted); err != nil {
		return err
	}
	if err := putAgent(x.m); err != nil {
		return err
	}
	command := agent + flags + s.path
	if _, err := must(x.m, "exec </dev/null; "+s.prepare+" && sync"); err != nil {
		return err
	}
	if err := x.m.Save("crash"); err != nil {
		return err
	}
	points, err := must(x.m, "CRASH_LOG=/run/points "+command+" >&2; cat /run/points")
	if err != nil {
		return err
	}
	all := strings.Split(strings.TrimSpace(points), "\n")
	for i, point := range all {
		x.judge(s, point, i+1, false)
		if i%max(1, len(all)/powerCut) == 0 {
			x.judge(s, point, i+1, true)
		}
	}
	return nil
}

// judge interrupts the run at one point, and says how it went.
func (x *matrix) judge(s story, point string, n int, power bool) {
	x.points++
	how := "killed"
	if power {
		how = "power cut"
	}
	err := x.interrupt(s, n, power)
	verdict := "converged"
	if err != nil {
		x.broken++
		verdict = "BROKEN: " + err.Error()
	}
	fmt.Printf("%s, %s at %s: %s\n", s.name, how, point, verdict)
}

func (x *matrix) interrupt(s story, n int, power bool) error {
	if err := x.m.Restore("crash"); err != nil {
		return err
	}
	command := agent + flags + s.path
	r := x.m.Try("CRASH_AT="+strconv.Itoa(n)+" "+command, nil)
	if r.Status != 137 {
		return fmt.Errorf("exit status %d, want to be killed: %s", r.Status, r.Output)
	}
	if power {
		x.m.Kill()
		if err := x.m.Boot(); err != nil {
			return err
		}
		if err := started(x.m, s.serving); err != nil {
			return err
		}
	}
	checks := []string{
		"test $(cat /sys/fs/selinux/enforce) = 1",
		"! command -v nginx || unshare -m sh -c 'mount -t tmpfs none /run && nginx -t'",
	}
	if s.serving {
		checks = append(checks, "systemctl is-active nginx", upgrade("/ws/")+" || "+upgrade("/socket/"))
	}
	checks = append(checks, command, upgrade(s.path), command+" --detailed-exitcode")
	for _, check := range checks {
		if out, err := must(x.m, check); err != nil {
			return fmt.Errorf("%w\n%s", err, out)
		}
	}
	return nil
}

// started waits for the services that a boot brings.
func started(m *vm.Machine, serving bool) error {
	units := "mirror ws-backend"
	if serving {
		units += " nginx"
	}
	_, err := must(m, "for i in $(seq 60); do systemctl -q is-active "+units+" && ss -Hltn | grep -q :3000 && exit 0; sleep 1; done; systemctl status --no-pager "+units+"; exit 1")
	return err
}

// upgrade is a command that succeeds where nginx answers 101.
func upgrade(path string) string {
	return "curl -s -o /dev/null -m 3 -w '%{http_code}' -H 'Host: ws.example.com' -H 'Connection: Upgrade' -H 'Upgrade: websocket' " +
		"-H 'Sec-WebSocket-Version: 13' -H 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==' http://127.0.0.1" + path + " | grep -qx 101"
}

func must(m *vm.Machine, command string) (string, error) {
	r := m.Try(command, nil)
	if r.Status != 0 {
		return r.Output, fmt.Errorf("%s: exit status %d after %s", command, r.Status, r.Duration.Round(time.Millisecond))
	}
	return r.Stdout, nil
}

// putAgent builds the test build and puts it on the machine.
func putAgent(m *vm.Machine) error {
	dir, err := os.MkdirTemp("", "wsprovision-crash-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "wsprovision")
	build := exec.Command("go", "build", "-tags", "crash", "-trimpath", "-o", file, "./cmd/wsprovision")
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("build the test build: %w: %s", err, out)
	}
	content, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	return m.Put(agent, content, 0o755)
}
