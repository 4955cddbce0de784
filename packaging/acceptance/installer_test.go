//go:build acceptance

package acceptance

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"wsprovision/packaging/acceptance/vm"
)

// installer is a system that installs another one: it has the target's disk as its second, mounted as RHEL 7's blivet
// does.
type installer struct {
	*machine
	target string // the target's disk
}

// sysimage mounts the target with what the words name; /run is bound in any case, as in every RHEL 7.
const sysimage = `set -e
mkdir -p /mnt/sysimage
mount /dev/vdb /mnt/sysimage
cd /mnt/sysimage
mount --bind /dev dev
mount --bind /run run
mount -t devpts devpts dev/pts
mount -t proc proc proc
mount -t sysfs sysfs sys
`

const withSELinuxfs = "mount -t selinuxfs selinuxfs sys/fs/selinux\n"

// newInstaller boots an installer beside a bare target, with our package in the target. kernel is what its kernel is
// told of SELinux.
func newInstaller(t testing.TB, kernel, mounts string) *installer {
	t.Helper()
	target := coldDisk(t)
	m := startCold(t, vm.Hardware{More: []string{target}, Kernel: kernel})
	if mode := m.must(t, "getenforce"); kernel == "enforcing=0" && mode != "Permissive" {
		t.Fatalf("with %s on the kernel's line SELinux is %s", kernel, mode)
	}
	path, err := vm.Package(dist)
	if err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	m.must(t, mounts)
	on := "/root/" + filepath.Base(path)
	m.put(t, "/mnt/sysimage"+on, content, 0o644)
	m.must(t, "chroot /mnt/sysimage rpm -Uvh "+on+" && rm /mnt/sysimage"+on+" && sync")
	return &installer{m, target}
}

// anaconda is how %post runs a command: in the chroot, with Anaconda's mark in the environment, no terminal, and the
// output in one pipe that is read to its end.
const anaconda = "ANA_INSTALL_PATH=/mnt/sysimage LC_ALL=C setsid -w %s chroot /mnt/sysimage sh -c %s 2>&1 | cat; " +
	"exit ${PIPESTATUS[0]}"

func (i *installer) post(command string) result {
	return i.try(fmt.Sprintf(anaconda, "", vm.Quote(command)), nil)
}

// tracedPost keeps in /root/trace what the command and its children ran and connected to.
func (i *installer) tracedPost(command string) result {
	return i.try(fmt.Sprintf(anaconda, "strace -f --seccomp-bpf -e trace=connect,execve,kill -o /root/trace",
		vm.Quote(command)), nil)
}

// powerOff ends the installation in an orderly way.
func (i *installer) powerOff(t testing.TB) {
	t.Helper()
	i.unmount(t)
	i.run("systemctl poweroff")
	if err := i.WaitOff(2 * time.Minute); err != nil {
		t.Fatal(err)
	}
}

func (i *installer) unmount(t testing.TB) {
	t.Helper()
	i.must(t, "umount -R /mnt/sysimage && sync")
}

// bootTarget boots what was installed, for the first time, enforcing.
func (i *installer) bootTarget(t testing.TB) *machine {
	t.Helper()
	i.Kill()
	made, err := vm.New(machines.image, vm.Hardware{Disk: i.target})
	if err != nil {
		t.Fatal(err)
	}
	m := &machine{Machine: made}
	t.Cleanup(func() {
		if err := m.Remove(); err != nil {
			t.Error(err)
		}
	})
	m.tellOnFailure(t)
	if err := m.Boot(); err != nil {
		t.Fatal(err)
	}
	return m
}

// settles waits for the first boot's work.
func (m *machine) settles(t testing.TB, wait time.Duration) {
	t.Helper()
	r := m.begin(t, fmt.Sprintf("wsprovision status --wait %s", wait))(wait + time.Minute)
	if r.status != 0 {
		journal, _ := m.run("journalctl --no-pager -b -u wsprovision-firstboot.service -u nginx.service; systemctl " +
			"--failed --no-pager")
		t.Fatalf("status: exit status %d\n%s\n%s", r.status, r.output, journal)
	}
}

// finished waits for the first boot's work and judges the host by its own tools.
func (m *machine) finished(t testing.TB, wait time.Duration) {
	t.Helper()
	m.settles(t, wait)
	m.upgraded(t)
	m.prints(t, map[string]string{
		"getenforce": "Enforcing",
		"ls /var/lib/wsprovision/deferred.yaml " +
			"/etc/systemd/system/multi-user.target.wants/wsprovision-firstboot.service 2>/dev/null | wc -l": "0",
		"systemctl is-enabled wsprovision-firstboot.service || :":                                  "disabled",
		"systemctl list-units --failed --no-legend --plain | grep -c -e wsprovision -e nginx || :": "0",
		"ps -eo label,comm | awk '$2 == \"nginx\" {print $1}' | cut -d: -f3 | sort -u":             "httpd_t",
		"rpm -V nginx nginx-filesystem policycoreutils-python epel-release wsprovision":            "",
		"restorecon -nRv /etc/nginx /usr/sbin/nginx /var/log/nginx /var/lib/nginx /etc/systemd/system " +
			"/var/lib/wsprovision /etc/wsprovision /usr/sbin/wsprovision": "",
		"restorecon -inv /etc/passwd /etc/passwd- /etc/group /etc/group- /etc/shadow /etc/shadow- /etc/gshadow " +
			"/etc/gshadow-": "",
		"restorecon -nRv /etc/selinux /var/lib/selinux /etc/yum.repos.d /etc/pki/rpm-gpg": "",
		"ausearch -m AVC -c nginx -ts boot 2>&1 | grep -c 'avc:  denied' || :":            "0",
		"find /tmp -mindepth 1 -not -path '*systemd*' -not -path '/tmp/.*-unix' | " +
			notKeyrings: "",
		labelOfPid:                   "httpd_runtime_t",
		"systemctl is-active auditd": "active",
		lowered:                      "0",
	})
	if out, status := m.run(applyCommand + " --detailed-exitcode"); status != 0 {
		t.Errorf("a further apply: exit status %d\n%s", status, out)
	}
}

// startedAtFirst requires that nginx, enforcing, came up with the boot and not by a second attempt.
func (m *machine) startedAtFirst(t testing.TB) {
	t.Helper()
	if got := m.must(t, "journalctl -b -o cat -u nginx.service | grep -c -e 'Failed' -e 'failed' || :"); got != "0" {
		out, _ := m.run("journalctl -b -u nginx.service --no-pager")
		t.Errorf("nginx did not start at the first attempt:\n%s", out)
	}
	journal := m.must(t, "journalctl -b -o cat -u wsprovision-firstboot.service")
	if strings.Contains(journal, "nginx.service: inactive → running") ||
		strings.Contains(journal, "nginx.service: failed → running") {
		t.Errorf("the first boot had to start nginx:\n%s", journal)
	}
}
