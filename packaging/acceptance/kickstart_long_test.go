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
	t.Parallel()
	i := newInstaller(t, "enforcing=0", sysimage+withSELinuxfs)
	i.must(t, "chroot /mnt/sysimage systemctl --root=/ disable ws-backend.service")
	if r := i.post(applyCommand); r.status != 0 {
		t.Fatalf("apply in %%post: exit status %d:\n%s", r.status, r.output)
	}
	i.must(t, "systemctl --root=/mnt/sysimage disable mirror.service") // down at first boot, and not needed any more
	i.powerOff(t)
	m := i.bootTarget(t)
	if out, status := m.run("timeout 120 sh -c 'until systemctl -q is-active multi-user.target; do sleep 1; done' && " +
		"systemctl is-active wsprovision-firstboot.service"); out != "activating\n" {
		t.Errorf("multi-user.target waits for the first boot, or that for nothing: exit status %d, the unit is %s",
			status, out)
	}
	m.must(t, "sleep 20")
	if out, status := m.run("wsprovision status"); status != 3 || !strings.Contains(out, "running") {
		t.Errorf("status while it waits: exit status %d, want 3 and running:\n%s", status, out)
	}
	m.must(t, "sleep 100; systemctl start ws-backend.service")
	m.finished(t, 5*time.Minute)
}

// The mirror takes connections and does not answer, or is down in %post: a clear failure in bounded time, and the next
// boot makes it good.
func TestKickstartMirrorDown(t *testing.T) {
	t.Parallel()
	i := newInstaller(t, "enforcing=0", sysimage+withSELinuxfs)
	i.must(t, "systemctl stop mirror.service")
	i.must(t, `systemd-run -q --unit silent python3 -c '
import socket, time
s = socket.create_server(("127.0.0.1", 8600)); time.sleep(3600)'; sleep 2`)
	for _, mirror := range []string{"silent", "down"} {
		r := i.post(applyCommand)
		// dnf names no address
		if r.status != 1 || !strings.Contains(r.output, "repository   failed") ||
			!strings.Contains(r.output, "for repo 'extras'") {
			t.Errorf("apply in %%post with a mirror that is %s: exit status %d, want 1:\n%s", mirror, r.status,
				r.output)
		}
		if limit := 6 * time.Minute; r.duration > limit {
			t.Errorf("with a mirror that is %s apply took %v, want at most %v", mirror, r.duration, limit)
		}
		t.Logf("with a mirror that is %s: %v\n%s", mirror, r.duration, r.output)
		if out, status := i.run("chroot /mnt/sysimage wsprovision status"); status != 1 ||
			!strings.Contains(out, "failed, repository: ") {
			t.Errorf("status after it: exit status %d, want 1 and the reason:\n%s", status, out)
		}
		i.run("systemctl stop silent.service")
	}
	i.powerOff(t)
	i.bootTarget(t).finished(t, 10*time.Minute)
}

// The power is cut at ten points of %post. The next boot finishes the work by itself, but where %post had not come to
// its first change.
func TestKickstartPowerCut(t *testing.T) {
	t.Parallel()
	i := newInstaller(t, "enforcing=0", sysimage+withSELinuxfs)
	i.save(t, "ready")
	whole := i.post(applyCommand)
	if whole.status != 0 {
		t.Fatalf("apply in %%post: exit status %d:\n%s", whole.status, whole.output)
	}
	cutThrough(t, 0, whole.duration, func(t *testing.T, at time.Duration) (hit, told bool) {
		i.restore(t, "ready")
		i.begin(t, "ANA_INSTALL_PATH=/mnt/sysimage chroot /mnt/sysimage "+applyCommand)
		time.Sleep(at)
		hit = i.working("/mnt/sysimage")
		return hit, i.bootTarget(t).boots(t)
	})
}

// The power is cut at ten points of the first boot's work. The boot after it finishes it.
func TestKickstartPowerCutAtFirstBoot(t *testing.T) {
	t.Parallel()
	i := newInstaller(t, "enforcing=0", sysimage+withSELinuxfs)
	if r := i.post(applyCommand); r.status != 0 {
		t.Fatalf("apply in %%post: exit status %d:\n%s", r.status, r.output)
	}
	i.unmount(t)
	i.save(t, "posted")
	m := i.bootTarget(t)
	begins := m.waitWorking(t, true)
	ends := begins + m.waitWorking(t, false)
	m.Kill()
	cutThrough(t, begins, ends, func(t *testing.T, at time.Duration) (hit, told bool) {
		i.restore(t, "posted")
		m := i.bootTarget(t)
		time.Sleep(at)
		hit = m.working("")
		m.Kill()
		if err := m.Boot(); err != nil {
			t.Fatal(err)
		}
		return hit, m.boots(t)
	})
}

// cutThrough cuts the power at ten points of work that begins and ends then, by what it took when nothing cut it: the
// last point is well before the end, for it does not always take as long. A cut hits a run at work, and the report
// tells of it.
func cutThrough(t *testing.T, begins, ends time.Duration, cut func(t *testing.T, at time.Duration) (hit, told bool)) {
	const points = 10
	hits, tellings := 0, 0
	for n := range points {
		at := begins + (ends-begins)*time.Duration(2*n+1)*8/(20*points)
		t.Run(fmt.Sprintf("after %v", at.Round(100*time.Millisecond)), func(t *testing.T) {
			hit, told := cut(t, at)
			t.Logf("a run was at work: %v; the report tells of one: %v", hit, told)
			if hit {
				hits++
			}
			if told {
				tellings++
			}
		})
	}
	if hits < points-2 || tellings < hits-2 {
		t.Errorf("%d of %d cuts hit a run at work, and %d reports tell of one; want all, but for two", hits, points,
			tellings)
	}
}

// working tells whether the agent runs and its work is recorded, and not yet struck off: before and after it there is
// nothing to tell.
func (m *machine) working(root string) bool {
	_, status := m.run("pgrep -x wsprovision && test -e " + root + "/var/lib/wsprovision/deferred.yaml")
	return status == 0
}

// waitWorking waits until the agent is at work on a live host, or is not any more, and returns how long that took.
func (m *machine) waitWorking(t testing.TB, want bool) time.Duration {
	t.Helper()
	begun := time.Now()
	for m.working("") != want {
		if time.Since(begun) > 5*time.Minute {
			t.Fatalf("the agent runs: %v, for five minutes", !want)
		}
		time.Sleep(100 * time.Millisecond)
	}
	return time.Since(begun)
}

// boots waits for a boot after a power cut to finish the work. Where %post had changed nothing it had promised nothing,
// and an apply does. It was told where the report says that a run was interrupted.
func (m *machine) boots(t testing.TB) (told bool) {
	t.Helper()
	m.run("systemctl is-system-running --wait")
	if out, status := m.run("wsprovision status"); status == 3 && strings.HasPrefix(out, "provisioning  none") {
		m.must(t, applyCommand)
	}
	m.settles(t, 10*time.Minute)
	// of a boot where nothing was left to do nobody waits for it
	m.must(t, "timeout 120 sh -c 'until ss -Hltn | grep -q :3000; do sleep 1; done'")
	told = strings.Contains(m.must(t, "wsprovision status"), "was interrupted")
	m.finished(t, time.Minute)
	return told
}

// A tree without any label, under a kernel without SELinux: the target's own first boot gives them, and reboots. The
// unit that does it stands for RHEL 7's rhel-autorelabel.service, with its place in the boot; the script is Debian's
// copy of it.
func TestKickstartUnlabelledTree(t *testing.T) {
	t.Parallel()
	i := newInstaller(t, "selinux=0 lsm=lockdown", sysimage)
	i.must(t, `cd /mnt/sysimage && find . -xdev -print0 | python3 -c '
import os, sys
for name in sys.stdin.buffer.read().split(b"\0")[:-1]:
    try:
        os.removexattr(name, "security.selinux", follow_symlinks=False)
    except OSError:
        pass
'
ln -s /dev/null etc/systemd/system-generators/selinux-autorelabel-generator.sh
mkdir -p etc/systemd/system/sysinit.target.wants
cat >etc/systemd/system/rhel-autorelabel.service <<'END'
[Unit]
DefaultDependencies=no
Requires=local-fs.target
Conflicts=shutdown.target
After=local-fs.target
Before=sysinit.target shutdown.target
ConditionSecurity=selinux
ConditionPathExists=/.autorelabel
[Service]
Type=oneshot
ExecStart=/lib/systemd/selinux-autorelabel
TimeoutSec=0
RemainAfterExit=yes
END
ln -s ../rhel-autorelabel.service etc/systemd/system/sysinit.target.wants/`)
	if out, status := i.run("chroot /mnt/sysimage wsprovision plan " + siteFlags); status != 0 ||
		!strings.Contains(out, "a relabel at the first boot") {
		t.Errorf("plan: exit status %d, and nothing of a relabel:\n%s", status, out)
	}
	r := i.post(applyCommand + " --detailed-exitcode")
	if r.status != 3 || !strings.Contains(r.output, "labels every file anew") {
		t.Fatalf("apply in %%post: exit status %d, want 3 and word of the relabel:\n%s", r.status, r.output)
	}
	if out, status := i.run("chroot /mnt/sysimage wsprovision status"); status != 3 ||
		!strings.Contains(out, "the next boot labels every file anew") {
		t.Errorf("status: exit status %d, and nothing of the relabel:\n%s", status, out)
	}
	i.powerOff(t)
	m := i.bootTarget(t)
	m.finished(t, 10*time.Minute)
	m.startedAtFirst(t)
	if out := m.must(t, "ls -A / | grep -x .autorelabel || :; find / -xdev -context '*:unlabeled_t:*'"); out != "" {
		t.Errorf("after the relabel:\n%s", out)
	}
}

// An installer whose kernel has no SELinux; this one's selinux=0 is an lsm= without it. Nothing that is written there
// gets a label by itself.
func TestKickstartWithoutSELinux(t *testing.T) {
	t.Parallel()
	installation{"selinux=0", "selinux=0 lsm=lockdown", sysimage, (*installer).allLabelled}.run(t)
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

// bareTree mounts the target alone, as whoever builds an image may.
const bareTree = "mkdir -p /mnt/sysimage && mount /dev/vdb /mnt/sysimage\n"

// An image is built where nothing but its tree is mounted, on an enforcing host: no /proc, no /run, no selinuxfs. The
// same is done and deferred, the host that builds it does not notice, and the image boots to a 101.
func TestImageBuilding(t *testing.T) {
	t.Parallel()
	i := newInstaller(t, "", bareTree)
	untouched := i.untouched(t, installersOwn)
	r := i.try("chroot /mnt/sysimage "+applyCommand+" --detailed-exitcode", nil)
	if r.status != 3 {
		t.Fatalf("apply in a bare chroot: exit status %d, want 3:\n%s", r.status, r.output)
	}
	i.manners(t, r)
	untouched()
	for _, name := range []string{"/etc/nginx/conf.d/websocket.conf", "/var/lib/wsprovision/deferred.yaml", wants +
		"nginx.service", wants + "wsprovision-firstboot.service"} {
		if out, status := i.run("ls -d /mnt/sysimage" + name); status != 0 {
			t.Error(out)
		}
	}
	if left := i.must(t, "cd /mnt/sysimage && find proc sys tmp run -mindepth 1 | grep -v -e wsprovision.lock -e yum "+
		"-e dnf -e '^run/lock' -e '^run/user' | "+notKeyrings); left != "" {
		t.Errorf("left in the tree:\n%s", left)
	}
	if again := i.try("chroot /mnt/sysimage "+applyCommand+" --detailed-exitcode", nil); again.status != 3 ||
		strings.Contains(again.output, " changed ") {
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
	const tree = `mkdir -p /run/tree/usr /run/tree/etc /run/tree/var /run/tree/proc /run/tree/run
for d in usr etc var; do mount --bind /$d /run/tree/$d; done
for l in bin sbin lib lib64; do ln -s usr/$l /run/tree/$l; done
`
	const container = "unshare -mpf --mount-proc sh -c 'mount -t tmpfs none /run && %s; wsprovision status'"
	for _, c := range []struct{ name, command, want string }{
		{"live host", "wsprovision status", "live, /proc/1/root is our root, and PID 1 is systemd"},
		{"chroot", tree + "mount --bind /proc /run/tree/proc && chroot /run/tree wsprovision status",
			"chroot (offline), /proc/1/root is not our root"},
		{"installer's chroot", "ANA_INSTALL_PATH=/mnt/sysimage chroot /run/tree wsprovision status",
			"installer (offline), ANA_INSTALL_PATH=/mnt/sysimage is set"},
		{"bare chroot", "umount /run/tree/proc && chroot /run/tree wsprovision status",
			"unknown (offline), PID 1's root cannot be seen"},
		{"overruled", "chroot /run/tree wsprovision status --offline", "unknown (offline), --offline is given"},
		{"podman's container", fmt.Sprintf(container, "touch /run/.containerenv"), "container (offline), "},
		{"another PID 1", fmt.Sprintf(container, ":"), "unknown (offline), /proc/1/root is our root, but PID 1 is"},
		{"the installer itself", "ANA_INSTALL_PATH=/mnt/sysimage wsprovision status",
			"installer (offline), PID 1 has our root, and it is Anaconda's own"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if out, _ := m.run(c.command); !strings.Contains(out, "\nplace         "+c.want) {
				t.Errorf("status does not say %q:\n%s", c.want, out)
			}
		})
	}
	if out, status := m.run("ANA_INSTALL_PATH=/mnt/sysimage " + applyCommand); status == 0 ||
		!strings.Contains(out, "--nochroot") {
		t.Errorf("apply in the installer itself: exit status %d:\n%s", status, out)
	}
}
