//go:build acceptance

package acceptance

import (
	"io"
	"io/fs"
	"os/exec"
	"strings"
	"testing"
	"time"

	"wsprovision/packaging/acceptance/vm"
)

// machine is a virtual machine in the hands of a scenario: what cannot be done to it ends the test.
type machine struct {
	*vm.Machine
	mayBePermissive bool // the test lowers SELinux's mode itself
}

// result is what a command on the machine did; see vm.Result.
type result struct {
	stdout, stderr, output string
	status                 int
	duration               time.Duration
}

func resultOf(r vm.Result) result {
	return result{r.Stdout, r.Stderr, r.Output, r.Status, r.Duration}
}

// offline has an agent that is given a site by options take epel-release from the machine's own repository: the machine
// reaches nobody, and the scenarios of auto say so by their options. A variable is an option, so that runs by files
// alone have none.
func offline(command string) string {
	if !strings.Contains(command, "--server-name") {
		return command
	}
	return "export WSPROVISION_EPEL_SOURCE=repository\n" + command
}

// try runs a command and returns all of its result. Input may be nil.
func (m *machine) try(command string, input io.Reader) result {
	return resultOf(m.Try(offline(command), input))
}

// run runs a command and returns its output, both streams as they came, and its exit status.
func (m *machine) run(command string) (output string, status int) { return m.Run(offline(command)) }

// must runs a command that has to succeed and returns what it wrote to stdout, without the last newline.
func (m *machine) must(t testing.TB, command string) string {
	t.Helper()
	r := m.try(command, nil)
	if r.status != 0 {
		t.Fatalf("%s: exit status %d:\n%s", command, r.status, r.output)
	}
	return strings.TrimSuffix(r.stdout, "\n")
}

// begin starts a command that runs beside others. end waits for it; the test may also cut the power or hang up before.
func (m *machine) begin(t testing.TB, command string) (end func(limit time.Duration) result) {
	t.Helper()
	p, err := m.Begin(offline(command), nil)
	if err != nil {
		t.Fatal(err)
	}
	return func(limit time.Duration) result { return resultOf(p.Wait(limit)) }
}

// beginOnTerminal is begin on a terminal: the command gets SIGHUP when the test hangs up.
func (m *machine) beginOnTerminal(t testing.TB, command string) (end func(limit time.Duration) result) {
	t.Helper()
	p, err := m.BeginOnTerminal(offline(command))
	if err != nil {
		t.Fatal(err)
	}
	return func(limit time.Duration) result { return resultOf(p.Wait(limit)) }
}

func (m *machine) put(t testing.TB, path string, content []byte, mode fs.FileMode) {
	t.Helper()
	if err := m.Put(path, content, mode); err != nil {
		t.Fatal(err)
	}
}

func (m *machine) get(t testing.TB, path string) []byte {
	t.Helper()
	content, err := m.Get(path)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

func (m *machine) save(t testing.TB, name string) {
	t.Helper()
	if err := m.Save(name); err != nil {
		t.Fatal(err)
	}
}

func (m *machine) restore(t testing.TB, name string) {
	t.Helper()
	m.stayedEnforcing(t)
	if err := m.Restore(name); err != nil {
		t.Fatal(err)
	}
}

// boot switches the machine on from what its disk holds and waits until systemd has finished. It returns the units that
// failed.
func (m *machine) boot(t testing.TB) (failed []string) {
	t.Helper()
	if err := m.Boot(); err != nil {
		t.Fatal(err)
	}
	m.run("systemctl is-system-running --wait")
	return strings.Fields(m.must(t, "systemctl list-units --failed --no-legend --plain | cut -d' ' -f1"))
}

// powerCut kills the machine as it is and boots it again.
func (m *machine) powerCut(t testing.TB) (failed []string) {
	t.Helper()
	m.Kill()
	return m.boot(t)
}

// onHost runs a command on the host and returns its stdout.
func onHost(t testing.TB, command string) string {
	t.Helper()
	out, err := exec.Command("bash", "-c", command).Output()
	if err != nil {
		t.Fatalf("%s: %v", command, err)
	}
	return string(out)
}
