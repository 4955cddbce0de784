//go:build acceptance && long

package acceptance

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// A backend that comes two minutes after the boot: the first boot waits for it, and nothing waits for the first boot.
func TestKickstartLateBackend(t *testing.T) {
	i := newInstaller(t, "enforcing=0", withSELinuxfs)
	i.must(t, "chroot /mnt/sysimage systemctl --root=/ disable ws-backend.service")
	if r := i.post(applyCommand); r.status != 0 {
		t.Fatalf("apply in %%post: exit status %d:\n%s", r.status, r.output)
	}
	i.must(t, "systemctl --root=/mnt/sysimage disable mirror.service") // down at first boot, and not needed any more
	i.powerOff(t)
	m := i.bootTarget(t)
	if out, _ := m.run("timeout 120 systemctl is-active --wait multi-user.target || systemctl is-active multi-user.target"); !strings.Contains(out, "active") {
		t.Errorf("multi-user.target waits for the first boot: %s", out)
	}
	m.must(t, "sleep 20")
	if out, status := m.run("wsprovision status"); status != 3 || !strings.Contains(out, "running") {
		t.Errorf("status while it waits: exit status %d, want 3 and running:\n%s", status, out)
	}
	m.must(t, "sleep 100; systemctl start ws-backend.service")
	m.finished(t, 5*time.Minute)
}

// The mirror is down in %post: a clear failure, and the next boot makes it good.
func TestKickstartMirrorDown(t *testing.T) {
	i := newInstaller(t, "enforcing=0", withSELinuxfs)
	i.must(t, "systemctl stop mirror.service")
	r := i.post(applyCommand)
	if r.status != 1 || !strings.Contains(r.output, "repository   failed") {
		t.Errorf("apply in %%post without a mirror: exit status %d, want 1:\n%s", r.status, r.output)
	}
	i.powerOff(t)
	i.bootTarget(t).finished(t, 10*time.Minute)
}

// The power is cut at ten points of %post, and at ten of the first boot. The next boot finishes the work by itself, but where %post had
// not come to its first change.
func TestKickstartPowerCut(t *testing.T) {
	i := newInstaller(t, "enforcing=0", withSELinuxfs)
	i.save(t, "ready")
	whole := i.post(applyCommand)
	if whole.status != 0 {
		t.Fatalf("apply in %%post: exit status %d:\n%s", whole.status, whole.output)
	}
	for n := range 10 {
		at := whole.duration * time.Duration(2*n+1) / 20
		t.Run(fmt.Sprintf("%%post after %v", at.Round(100*time.Millisecond)), func(t *testing.T) {
			i.restore(t, "ready")
			i.begin(t, "ANA_INSTALL_PATH=/mnt/sysimage chroot /mnt/sysimage "+applyCommand)
			time.Sleep(at)
			m := i.bootTarget(t)
			m.boots(t)
		})
	}
	for n := range 10 {
		at := time.Duration(n) * time.Second
		t.Run(fmt.Sprintf("first boot after %v", at), func(t *testing.T) {
			i.restore(t, "ready")
			if r := i.post(applyCommand); r.status != 0 {
				t.Fatalf("apply in %%post: exit status %d:\n%s", r.status, r.output)
			}
			i.powerOff(t)
			m := i.bootTarget(t)
			time.Sleep(at)
			m.Kill()
			if err := m.Boot(); err != nil {
				t.Fatal(err)
			}
			m.boots(t)
		})
	}
}

// boots waits for a boot after a power cut to finish the work. Where nothing had been changed nothing was promised, and an apply does.
func (m *machine) boots(t testing.TB) {
	t.Helper()
	if out, status := m.run("wsprovision status"); status == 3 && strings.HasPrefix(out, "provisioning  none") {
		m.must(t, applyCommand)
	}
	m.finished(t, 10*time.Minute)
}
