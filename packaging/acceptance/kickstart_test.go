//go:build acceptance

package acceptance

import (
	"strings"
	"testing"
	"time"
)

// The installers in the field: permissive with selinuxfs, and without selinuxfs in the chroot. The target boots
// enforcing, and a client gets 101.
func TestKickstart(t *testing.T) {
	t.Parallel()
	for _, c := range []installation{
		{long + "permissive", "enforcing=0", sysimage + withSELinuxfs, nil},
		{"no selinuxfs", "enforcing=0", sysimage, func(i *installer, t *testing.T) {
			i.unresolved(t)
			i.relabels(t)
		}},
	} {
		runRow(t, c.name, c.run)
	}
}

// installation is one way of installing a host.
type installation struct {
	name, kernel, mounts string
	besides              func(*installer, *testing.T)
}

func (c installation) run(t *testing.T) {
	i := newInstaller(t, c.kernel, c.mounts)
	i.must(t, ownNginx)
	untouched := i.untouched(t, installersOwn)
	r := i.tracedPost(applyCommand + " --detailed-exitcode")
	if r.status != 3 {
		t.Fatalf("apply in %%post: exit status %d, want 3:\n%s", r.status, r.output)
	}
	t.Logf("apply in %%post: %v\n%s", r.duration, r.output)
	i.manners(t, r)
	i.noCallToSystemd(t)
	i.onlyRepositories(t)
	untouched()
	if again := i.post(applyCommand + " --detailed-exitcode"); again.status != 3 ||
		strings.Contains(again.output, " changed ") {
		t.Errorf("apply once more: exit status %d:\n%s", again.status, again.output)
	}
	if out, status := i.run("chroot /mnt/sysimage wsprovision status"); status != 3 ||
		!strings.Contains(out, "deferred") {
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
}

// ownNginx is a unit of the installer's own by the name of nginx's, at work.
const ownNginx = `printf '[Service]\nExecStart=/usr/bin/sleep infinity\nExecReload=/usr/bin/touch ` +
	`/run/reloaded\n' >/etc/systemd/system/nginx.service
systemctl daemon-reload && systemctl start nginx.service`

// installersOwn prints what of the installer's own must not change: its units, its boolean, its mode, its run
// directory, what its PID 1 was asked.
const installersOwn = `systemctl list-unit-files --no-legend --no-pager | sort
systemctl show nginx.service -p MainPID -p ActiveState -p NRestarts -p ExecMainStartTimestampMonotonic
find /etc/systemd /run/systemd/system /run/systemd/transient -not -name 'session-*' | sort
getsebool httpd_can_network_connect 2>&1; getenforce
ausearch -m MAC_POLICY_LOAD,MAC_CONFIG_CHANGE 2>/dev/null | grep -c '^type=MAC' || :
ls /run/nginx.pid /run/wsprovision /run/reloaded 2>&1
find /tmp /var/tmp /mnt/sysimage/tmp /mnt/sysimage/var/tmp -mindepth 1 | ` + notKeyrings + `
journalctl -b _PID=1 -o cat | grep -e nginx -e wsprovision -e eloading || :`

// notKeyrings leaves out the directory in which dnf looks at a key, of which it sometimes leaves something behind:
// gpg's agent is still at work there when it is removed. yum has no such directory.
const notKeyrings = `grep -v -E '(^|/)tmp/tmp[a-z0-9_]{8}(/|$)' || :`

// manners are %post's: plain lines, and nothing that outlives it but the gpg-agent of dnf's, which ends by itself. What
// keeps the pipe open would have kept the command from its end.
func (i *installer) manners(t testing.TB, r result) {
	t.Helper()
	if limit := 6 * time.Minute; r.duration > limit {
		t.Errorf("apply took %v, want at most %v", r.duration, limit)
	}
	if strings.ContainsAny(r.output, "\r\x1b") {
		t.Errorf("the log is not plain:\n%q", r.output)
	}
	for _, want := range []string{"wsprovision: run yum ", "wsprovision: run semanage import", "1/11 platform",
		"11/11 proof", "apply: deferred"} {
		if !strings.Contains(r.output, want) {
			t.Errorf("the log does not say %q:\n%s", want, r.output)
		}
	}
	if left := i.must(t, `for p in /proc/[0-9]*; do case $(readlink $p/root) in ''|/) ;; *) tr '\0' ' ' `+
		`<$p/cmdline; echo ;; esac; done 2>/dev/null | grep -v '^gpg-agent ' || :`); left != "" {
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
	if n := i.must(t, "grep -c -e 'execve.*semanage' -e 'execve.*systemctl' /root/trace || :"); n == "0" {
		t.Error("the trace is empty")
	}
}

// onlyRepositories reads what they connected to over the network: the mirror, and nothing else.
func (i *installer) onlyRepositories(t testing.TB) {
	t.Helper()
	if others := i.must(t, "grep 'connect(.*AF_INET' /root/trace | grep -v -e 'htons(8600)' -e 'htons(0)' || "+
		":"); others != "" {
		t.Errorf("connections besides those to the repositories:\n%s", others)
	}
}

// relabels takes the labels of nginx's files and of the policy store away, as an rpm that does not label leaves them,
// and has the agent give them back.
func (i *installer) relabels(t *testing.T) {
	t.Helper()
	i.must(t, `cd /mnt/sysimage && { chroot . rpm -ql nginx nginx-filesystem; find var/lib/selinux -type f; } | `+
		`python3 -c '
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
		t.Errorf("apply with a name that does not resolve: exit status %d, want 3 and a warning:\n%s", r.status,
			r.output)
	}
	if r := i.post(applyCommand + " --detailed-exitcode"); r.status != 3 ||
		!strings.Contains(r.output, "server-block changed") {
		t.Errorf("apply with the address again: exit status %d:\n%s", r.status, r.output)
	}
}

// bothPhases requires one report of what the installer did and what the first boot finished.
func (m *machine) bothPhases(t testing.TB) {
	t.Helper()
	out := m.must(t, "wsprovision status")
	for _, want := range []string{"provisioning  complete", "phase install+first-boot",
		"package nginx: absent → installed", "deferred work"} {
		if !strings.Contains(out, want) {
			t.Errorf("status does not say %q:\n%s", want, out)
		}
	}
	t.Logf("status after the first boot:\n%s", out)
}

// What time does not heal ends the first boot at once: systemctl --failed, the journal and status say so, and an apply
// by hand finishes the work and clears what was deferred.
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
		"systemctl --failed --no-legend --plain":                        "wsprovision-firstboot.service",
		"journalctl --no-pager -o cat -u wsprovision-firstboot.service": conflict,
		"wsprovision status; test $? -eq 1": "provisioning  failed, " +
			"wsprovision-firstboot.service gave up",
		"wsprovision status | grep phase":                                     "phase install+first-boot",
		"wsprovision --output json status | grep -e '\"state\"' -e '\"why\"'": conflict,
	} {
		if out, _ := m.run(command); !strings.Contains(out, want) {
			t.Errorf("%s does not say %q:\n%s", command, want, out)
		}
	}
	m.must(t, "rm "+conflict)
	m.apply(t, 0, "--on-drift replace")
	m.upgraded(t)
	m.prints(t, map[string]string{
		"wsprovision status | head -n 1":                                            "provisioning  complete",
		"ls /var/lib/wsprovision/deferred.yaml 2>/dev/null | wc -l":                 "0",
		"systemctl is-enabled wsprovision-firstboot.service || :":                   "disabled",
		"systemctl list-units --failed --no-legend --plain | grep wsprovision || :": "",
	})
}

// The power is cut while the first boot waits for its backend, between two attempts: the next one finishes the work and
// tells of it.
func TestFirstBootCutWhileItWaits(t *testing.T) {
	t.Parallel()
	m := start(t, packaged)
	m.must(t, "systemctl stop ws-backend.service")
	if out, status := m.run(applyCommand + " --offline --detailed-exitcode"); status != 3 {
		t.Fatalf("apply --offline: exit status %d, want 3:\n%s", status, out)
	}
	m.must(t, "systemctl start --no-block wsprovision-firstboot.service; timeout 180 sh -c 'until journalctl -b -u "+
		"wsprovision-firstboot.service -o cat | grep \"trying again in\"; do sleep 0.5; done'")
	m.powerCut(t)
	m.settles(t, 5*time.Minute)
	if out := m.must(t, "wsprovision status"); !strings.Contains(out, "was interrupted: the machine went down") {
		t.Errorf("status does not say that the first boot was interrupted:\n%s", out)
	}
	m.upgraded(t)
}
