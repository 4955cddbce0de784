//go:build acceptance

package acceptance

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// The installers in the field: permissive with selinuxfs, without selinuxfs in the chroot, and with a kernel that has no SELinux (this
// one's selinux=0 is an lsm= without it). The target boots enforcing, and a client gets 101.
func TestKickstart(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, kernel, mounts string
		besides              func(*installer, *testing.T)
	}{
		{"permissive", "enforcing=0", sysimage + withSELinuxfs, nil},
		{"no selinuxfs", "enforcing=0", sysimage, func(i *installer, t *testing.T) {
			i.unresolved(t)
			i.relabels(t)
		}},
		{"selinux=0", "selinux=0 lsm=lockdown", sysimage, (*installer).allLabelled},
	} {
		t.Run(c.name, func(t *testing.T) {
			i := newInstaller(t, c.kernel, c.mounts)
			i.must(t, ownNginx)
			before := i.state(t)
			r := i.tracedPost(applyCommand + " --detailed-exitcode")
			if r.status != 3 {
				t.Fatalf("apply in %%post: exit status %d, want 3:\n%s", r.status, r.output)
			}
			t.Logf("apply in %%post: %v\n%s", r.duration, r.output)
			i.manners(t, r)
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
			if c.besides != nil {
				c.besides(i, t)
			}
			i.powerOff(t)
			m := i.bootTarget(t)
			m.finished(t, 10*time.Minute)
			m.startedAtFirst(t)
			m.bothPhases(t)
		})
	}
}

// ownNginx is a unit of the installer's own by the name of nginx's, at work.
const ownNginx = `printf '[Service]\nExecStart=/usr/bin/sleep infinity\nExecReload=/usr/bin/touch /run/reloaded\n' >/etc/systemd/system/nginx.service
systemctl daemon-reload && systemctl start nginx.service`

// state is what of the installer's own must not change: its units, its boolean, its mode, its run directory, what its PID 1 was asked.
func (i *installer) state(t testing.TB) string {
	t.Helper()
	return i.must(t, `systemctl list-unit-files --no-legend --no-pager | sort
systemctl show nginx.service -p MainPID -p ActiveState -p NRestarts -p ExecMainStartTimestampMonotonic
find /etc/systemd /run/systemd/system /run/systemd/transient -not -name 'session-*' | sort
getsebool httpd_can_network_connect 2>&1; getenforce
ls /run/nginx.pid /run/wsprovision /run/reloaded 2>&1
find /tmp /var/tmp /mnt/sysimage/tmp /mnt/sysimage/var/tmp -mindepth 1 | `+notKeyrings+`
journalctl -b _PID=1 -o cat | grep -e nginx -e wsprovision -e eloading`)
}

// notKeyrings leaves out what dnf sometimes leaves behind of the directory in which it looks at a key: gpg's agent is still at work there
// when it is removed. yum has no such directory.
const notKeyrings = `grep -v -E '/tmp/tmp[a-z0-9_]{8}(/S\.[a-z.-]+)?$' || :`

// manners are %post's: plain lines, and nothing that outlives it. What keeps the pipe open would have kept the command from its end.
func (i *installer) manners(t testing.TB, r result) {
	t.Helper()
	if limit := 4 * time.Minute; r.duration > limit {
		t.Errorf("apply took %v, want at most %v", r.duration, limit)
	}
	if strings.ContainsAny(r.output, "\r\x1b") {
		t.Errorf("the log is not plain:\n%q", r.output)
	}
	for _, want := range []string{"wsprovision: run yum ", "wsprovision: run semanage import", "1/10 platform", "10/10 proof", "apply: deferred"} {
		if !strings.Contains(r.output, want) {
			t.Errorf("the log does not say %q:\n%s", want, r.output)
		}
	}
	if left := i.must(t, "for p in /proc/[0-9]*; do [ \"$(readlink $p/root)\" = / ] || [ -z \"$(readlink $p/root)\" ] || tr '\\0' ' ' <$p/cmdline; done"); left != "" {
		t.Errorf("still at work in the chroot: %s", left)
	}
}

// noCallToSystemd reads what the agent and its children connected and sent signals to.
func (i *installer) noCallToSystemd(t testing.TB) {
	t.Helper()
	calls := i.must(t, "grep -e connect -e kill /root/trace | grep -e dbus -e systemd -e 'kill(1,' || :")
	if calls != "" {
		t.Errorf("the installer's systemd or bus was called:\n%s", calls)
	}
	if others := i.must(t, "grep 'connect(.*AF_INET' /root/trace | grep -v -e 'htons(8600)' -e 'htons(0)' || :"); others != "" {
		t.Errorf("connections besides those to the repositories:\n%s", others)
	}
	if n := i.must(t, "grep -c -e 'execve.*semanage' -e 'execve.*systemctl' /root/trace || :"); n == "0" {
		t.Error("the trace is empty")
	}
}

// relabels takes the labels of nginx's files and of the policy store away, as an rpm that does not label leaves them, and has the agent
// give them back.
func (i *installer) relabels(t *testing.T) {
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

// unresolved has a backend whose name nobody knows in the installer, and then the right one again.
func (i *installer) unresolved(t *testing.T) {
	t.Helper()
	r := i.post(strings.Replace(applyCommand, "127.0.0.1", "backend.example.com", 1) + " --detailed-exitcode")
	if r.status != 3 || !strings.Contains(r.output, "host not found in upstream") {
		t.Errorf("apply with a name that does not resolve: exit status %d, want 3 and a warning:\n%s", r.status, r.output)
	}
	if r := i.post(applyCommand + " --detailed-exitcode"); r.status != 3 || !strings.Contains(r.output, "server-block changed") {
		t.Errorf("apply with the address again: exit status %d:\n%s", r.status, r.output)
	}
}

// withoutLabel lists the files of the target that have none.
const withoutLabel = `cd /mnt/sysimage && find . -xdev -print0 | python3 -c '
import os, sys
for name in sys.stdin.buffer.read().split(b"\0")[:-1]:
    try:
        os.getxattr(name, "security.selinux", follow_symlinks=False)
    except OSError:
        print(name[1:].decode())
'`

// allLabelled requires that the target has no more files without a label than it came with, and needs no relabel.
func (i *installer) allLabelled(t *testing.T) {
	t.Helper()
	if names := i.must(t, withoutLabel+" | grep -v -E '^/(tmp/|lost.found|(proc|sys|dev|run)$)' || :"); names != "" {
		t.Errorf("without a label:\n%s", names)
	}
	if out, status := i.run("ls /mnt/sysimage/.autorelabel"); status == 0 {
		t.Errorf("a relabel of everything is scheduled for nothing: %s", out)
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
	t.Logf("status after the first boot:\n%s", out)
}

// An image is built where nothing but its tree is mounted, on an enforcing host: no /proc, no /run, no selinuxfs. The same is done and
// deferred, the host that builds it does not notice, and the image boots to a 101.
func TestImageBuilding(t *testing.T) {
	t.Parallel()
	i := newInstaller(t, "", bareTree)
	before := i.state(t)
	r := i.try("chroot /mnt/sysimage "+applyCommand+" --detailed-exitcode", nil)
	if r.status != 3 {
		t.Fatalf("apply in a bare chroot: exit status %d, want 3:\n%s", r.status, r.output)
	}
	i.manners(t, r)
	if after := i.state(t); after != before {
		t.Errorf("the host was touched:\n%s\nwant\n%s", after, before)
	}
	for _, name := range []string{"/etc/nginx/conf.d/websocket.conf", "/var/lib/wsprovision/deferred.yaml", wants + "nginx.service", wants + "wsprovision-firstboot.service"} {
		if out, status := i.run("ls -d /mnt/sysimage" + name); status != 0 {
			t.Error(out)
		}
	}
	if left := i.must(t, "cd /mnt/sysimage && find proc sys tmp run -mindepth 1 | grep -v -e wsprovision.lock -e yum -e dnf -e '^run/lock' -e '^run/user' || :"); left != "" {
		t.Errorf("left in the tree:\n%s", left)
	}
	if again := i.try("chroot /mnt/sysimage "+applyCommand+" --detailed-exitcode", nil); again.status != 3 || strings.Contains(again.output, " changed ") {
		t.Errorf("apply once more: exit status %d:\n%s", again.status, again.output)
	}
	i.powerOff(t)
	m := i.bootTarget(t)
	m.finished(t, 10*time.Minute)
	m.startedAtFirst(t)
	m.bothPhases(t)
}

const wants = "/etc/systemd/system/multi-user.target.wants/"

// Live host, installer's chroot, chroot, container and what cannot be told apart, as status names them.
func TestPlaces(t *testing.T) {
	t.Parallel()
	m := start(t, installed)
	const tree = "mkdir -p /run/tree && mount --bind / /run/tree && "
	const container = "unshare -mpf --mount-proc sh -c 'mount -t tmpfs none /run && %s; wsprovision status'"
	for _, c := range []struct{ name, command, want string }{
		{"live host", "wsprovision status", "live, /proc/1/root is our root, and PID 1 is systemd"},
		{"chroot", tree + "mount --bind /proc /run/tree/proc && chroot /run/tree wsprovision status", "chroot (offline), /proc/1/root is not our root"},
		{"installer's chroot", "ANA_INSTALL_PATH=/mnt/sysimage chroot /run/tree wsprovision status", "installer (offline), ANA_INSTALL_PATH=/mnt/sysimage is set"},
		{"bare chroot", "umount /run/tree/proc && chroot /run/tree wsprovision status", "unknown (offline), PID 1's root cannot be seen"},
		{"overruled", "chroot /run/tree wsprovision status --offline", "unknown (offline), --offline is given"},
		{"podman's container", fmt.Sprintf(container, "touch /run/.containerenv"), "container (offline), "},
		{"another PID 1", fmt.Sprintf(container, ":"), "unknown (offline), /proc/1/root is our root, but PID 1 is"},
		{"the installer itself", "ANA_INSTALL_PATH=/mnt/sysimage wsprovision status", "installer (offline), PID 1 has our root, and it is Anaconda's own"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if out, _ := m.run(c.command); !strings.Contains(out, "\nplace         "+c.want) {
				t.Errorf("status does not say %q:\n%s", c.want, out)
			}
		})
	}
	if out, status := m.run("ANA_INSTALL_PATH=/mnt/sysimage " + applyCommand); status == 0 || !strings.Contains(out, "--nochroot") {
		t.Errorf("apply in the installer itself: exit status %d:\n%s", status, out)
	}
}

// What time does not heal ends the first boot at once: systemctl --failed, the journal and status say so, and an apply by hand finishes the
// work and clears what was deferred.
func TestFirstBootGivesUp(t *testing.T) {
	t.Parallel()
	m := start(t, packaged)
	m.sampleEnforcing(t)
	if out, status := m.run(applyCommand + " --offline --detailed-exitcode"); status != 3 {
		t.Fatalf("apply --offline: exit status %d, want 3:\n%s", status, out)
	}
	const conflict = "/etc/nginx/conf.d/aaa.conf"
	m.put(t, conflict, []byte("server {\n    listen 80;\n    server_name ws.example.com;\n}\n"), 0o644)
	m.must(t, ": >/etc/nginx/conf.d/websocket.conf")
	if out, status := m.run("systemctl start wsprovision-firstboot.service"); status == 0 {
		t.Errorf("the first boot succeeded in spite of a conflict:\n%s", out)
	}
	for command, want := range map[string]string{
		"systemctl --failed --no-legend --plain":                              "wsprovision-firstboot.service",
		"journalctl --no-pager -o cat -u wsprovision-firstboot.service":       conflict,
		"wsprovision status; test $? -eq 1":                                   "provisioning  failed, wsprovision-firstboot.service gave up",
		"wsprovision status | grep phase":                                     "phase install+first-boot",
		"wsprovision --output json status | grep -e '\"state\"' -e '\"why\"'": conflict,
	} {
		if out, _ := m.run(command); !strings.Contains(out, want) {
			t.Errorf("%s does not say %q:\n%s", command, want, out)
		}
	}
	m.must(t, "rm "+conflict)
	m.apply(t, 0, "")
	m.upgraded(t)
	for command, want := range map[string]string{
		"wsprovision status | head -n 1":                                            "provisioning  complete",
		"ls /var/lib/wsprovision/deferred.yaml 2>/dev/null | wc -l":                 "0",
		"systemctl is-enabled wsprovision-firstboot.service || :":                   "disabled",
		"systemctl list-units --failed --no-legend --plain | grep wsprovision || :": "",
	} {
		if got := m.must(t, command); got != want {
			t.Errorf("%s: %q, want %q", command, got, want)
		}
	}
}
