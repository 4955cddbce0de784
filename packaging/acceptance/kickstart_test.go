//go:build acceptance

package acceptance

import (
	"strings"
	"testing"
	"time"
)

// The installers in the field: permissive with selinuxfs, and without selinuxfs in the chroot. The target boots enforcing, and a client
// gets 101.
func TestKickstart(t *testing.T) {
	for _, c := range []struct{ name, kernel, mounts string }{
		{"permissive", "enforcing=0", withSELinuxfs},
		{"no selinuxfs", "enforcing=0", ""},
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
			if c.mounts == "" {
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
