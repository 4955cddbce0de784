//go:build acceptance

package acceptance

import (
	"fmt"
	"strings"
	"testing"
)

// sampleEnforcing has the mode watched until the test ends, on a machine whose state does not do so by itself.
func (m *machine) sampleEnforcing(t testing.TB) {
	t.Helper()
	m.beginSampling(t)
	t.Cleanup(func() { m.stayedEnforcing(t) })
}

// stayedEnforcing fails the test if SELinux's mode was ever anything but enforcing since the machine was restored. The
// sampler runs in every saved state but the bare host's; a power cut ends it without a verdict.
func (m *machine) stayedEnforcing(t testing.TB) {
	t.Helper()
	if !m.On() || m.mayBePermissive {
		return
	}
	if _, status := m.run("test -e /run/enforcing.samples"); status != 0 {
		return
	}
	if err := m.wasEnforcing(); err != nil {
		t.Error(err)
	}
}

// permissive is for the test that lowers the mode itself. It holds until the machine is given to the next one.
func (m *machine) permissive(t testing.TB) {
	t.Helper()
	m.must(t, "setenforce 0")
	m.mayBePermissive = true
}

// beginSampling starts a loop that looks at the mode ten times a second and starts no process of its own: that would
// cost an emulated machine more than what is watched.
func (m *machine) beginSampling(t testing.TB) {
	t.Helper()
	m.must(t, `date '+%m/%d/%Y %H:%M:%S' >/run/enforcing.since
cat >/run/sample-enforcing <<'END'
exec 9<> <(:)
while :; do
	read mode </sys/fs/selinux/enforce
	echo "$mode"
	read -t 0.1 -u 9
done
END
setsid -f bash /run/sample-enforcing >/run/enforcing.samples 2>&1`)
}

// lowered counts how often the mode was lowered since the boot, by the audit log; a boot itself raises it, from
// old_enforcing=0.
const lowered = "ausearch -m MAC_STATUS -ts boot 2>&1 | grep -cw 'enforcing=0' || :"

// wasEnforcing judges the samples, and the audit log too: the kernel records every change of the mode, which sampling
// could miss.
func (m *machine) wasEnforcing() error {
	modes, status := m.run("sort /run/enforcing.samples | uniq -c")
	if fields := strings.Fields(modes); status != 0 || len(fields) != 2 || fields[1] != "1" {
		return fmt.Errorf("samples of SELinux's mode: %q, want only 1", modes)
	}
	changes, _ := m.run("ausearch -m MAC_STATUS -ts $(cat /run/enforcing.since)")
	if strings.Contains(changes, "enforcing=0") {
		return fmt.Errorf("SELinux's mode was lowered:\n%s", changes)
	}
	return nil
}
