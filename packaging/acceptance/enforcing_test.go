//go:build acceptance

package acceptance

import (
	"fmt"
	"strings"
	"testing"
)

// sampleEnforcing watches SELinux's mode on the machine ten times a second until the test ends, and fails the test if it was ever
// anything but enforcing. Call it after start, so that it ends before the machine is given back. A power cut ends it without a verdict.
func (m *machine) sampleEnforcing(t testing.TB) {
	t.Helper()
	m.beginSampling(t)
	t.Cleanup(func() {
		if !m.On() {
			return
		}
		if err := m.wasEnforcing(); err != nil {
			t.Error(err)
		}
	})
}

// beginSampling starts a loop that starts no process of its own: that would cost an emulated machine more than what is watched.
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

// wasEnforcing judges the samples, and the audit log too: the kernel records every change of the mode, which sampling could miss.
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
