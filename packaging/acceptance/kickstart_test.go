//go:build acceptance

package acceptance

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// The installers in the field: permissive with selinuxfs, without selinuxfs in the chroot, and with a kernel that has no SELinux. The
// target boots enforcing, and a client gets 101.
func TestKickstart(t *testing.T) {
	for _, c := range []struct{ name, kernel, mounts string }{
		{"permissive", "enforcing=0", withSELinuxfs},
		{"no selinuxfs", "enforcing=0", ""},
		{"selinux=0", "lsm=lockdown selinux=0", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			i := newInstaller(t, c.kernel, c.mounts)
			before := i.state(t)
			r := i.post("strace -f --seccomp-bpf -e trace=connect,execve -o /root/trace " + applyCommand + " --detailed-exitcode")
			if r.status != 3 {
				t.Fatalf("apply in %%post: exit status %d, want 3:\n%s", r.status, r.output)
			}
			t.Logf("apply in %%post: %v\n%s", r.duration, r.output)
			i.noCallToSystemd(t)
			if after := i.state(t); after != before {
				t.Errorf("the installer was touched:\n%s\nwant\n%s", after, before)
			}
			if again := i.post(applyCommand + " --detailed-exitcode"); again.status != 3 || strings.Contains(again.output, " changed ") {
				t.Errorf("apply once more: exit status %d:\n%s", again.status, again.output)
			}
			if out, status := i.run("chroot /mnt/sysimage wsprovision status"); status != 3 || !strings.Contains(out, "deferred") {
				t.Errorf("status in the chroot: exit status %d:\n%s", status, out)
			}
			i.must(t, "rm -f /mnt/sysimage/root/trace")
			if c.mounts == "" || strings.Contains(c.kernel, "selinux=0") {
				i.relabels(t)
			}
			i.powerOff(t)
			m := i.bootTarget(t)
			m.finished(t, 10*time.Minute)
			m.startedAtFirst(t)
			m.bothPhases(t)
		})
	}
}

// state is what of the installer's own must not change: its units, its boolean, its mode, its run directory.
func (i *installer) state(t testing.TB) string {
	t.Helper()
	return i.must(t, `systemctl list-unit-files --no-legend --no-pager | sort
find /etc/systemd /run/systemd/system /run/systemd/transient -not -name 'session-*' | sort
getsebool httpd_can_network_connect 2>&1; getenforce
ls /run/nginx.pid /run/wsprovision 2>&1
ls -A /tmp
systemctl show -p NInstalledJobs -p NFailedJobs --value >/dev/null`)
}

// noCallToSystemd reads what the agent and its children connected to.
func (i *installer) noCallToSystemd(t testing.TB) {
	t.Helper()
	connects := i.must(t, "grep connect /mnt/sysimage/root/trace | grep -e dbus -e systemd/private || :")
	if connects != "" {
		t.Errorf("the installer's systemd or bus was called:\n%s", connects)
	}
	if n := i.must(t, "grep -c execve /mnt/sysimage/root/trace"); n == "0" {
		t.Error("the trace is empty")
	}
}

// relabels takes the labels of nginx's files and of the policy store away, as an rpm that does not label leaves them, and has the agent
// give them back.
func (i *installer) relabels(t testing.TB) {
	t.Helper()
	i.must(t, `cd /mnt/sysimage && { chroot . rpm -ql nginx nginx-filesystem; find var/lib/selinux -type f; } | python3 -c '
import os, sys
for name in sys.stdin:
    name = name.rstrip().lstrip("/")
    if os.path.lexists(name) and not name.startswith("usr/share"):
        try:
            os.setxattr(name, "security.selinux", b"system_u:object_r:unlabeled_t:s0\0", follow_symlinks=False)
        except FileNotFoundError:
            pass
'`)
	r := i.post(applyCommand + " --detailed-exitcode")
	if r.status != 3 || !strings.Contains(r.output, "labels       changed") {
		t.Errorf("apply on files without labels: exit status %d:\n%s", r.status, r.output)
	}
}

// bothPhases requires one report of what the installer did and what the first boot finished.
func (m *machine) bothPhases(t testing.TB) {
	t.Helper()
	out := m.must(t, "wsprovision status")
	for _, want := range []string{"provisioning  complete", "phase install+first-boot", "package nginx: absent → installed", "deferred work"} {
		if !strings.Contains(out, want) {
			t.Errorf("status does not say %q:\n%s", want, out)
		}
	}
}

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
