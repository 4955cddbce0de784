//go:build acceptance

package acceptance

import (
	"os"
	"strings"
	"testing"
	"time"

	"wsprovision/packaging/acceptance/vm"
)

// These tests judge the machine, not the agent: what scenarios take for granted about a bare host has to hold.

func TestMachineIsABareHost(t *testing.T) {
	t.Parallel()
	m := start(t, booted)
	m.prints(t, map[string]string{
		"getenforce": "Enforcing",
		"id -Z":      "unconfined_u:unconfined_r:unconfined_t:s0-s0:c0.c1023",
		". /etc/os-release; echo $ID $VERSION_ID":                                       "centos 7",
		"cat /proc/1/comm":                                                              "systemd",
		"systemctl list-units --failed --no-legend":                                     "",
		"rpm -q nginx policycoreutils-python epel-release | grep -c 'is not installed'": "3",
		"command -v nginx semanage || echo absent":                                      "absent",
		"rpm -q gpg-pubkey || :": "package gpg-pubkey is not " +
			"installed",
		"grep -h ^.[a-z]*]$ /etc/yum.repos.d/*":                                       "[extras]\n[older]",
		"ls /var/cache/yum 2>/dev/null || :":                                          "",
		"getsebool httpd_can_network_connect httpd_graceful_shutdown | cut -d' ' -f3": "off\non",
		"ls /var/lib/selinux/default/active/*.local 2>/dev/null || echo none":         "none",
		"ss -Hltn 'sport = 3000' | awk '{ print $4 }'":                                "127.0.0.1:3000",
		"systemctl is-active auditd ws-backend mirror":                                "active\nactive\nactive",
	})
}

// TestMachineTutorial walks through the tutorial by hand: 502 with its denial first, 101 after the boolean, and the
// port besides. Then the tutorial's script, which the agent is compared with, runs on the finished host.
func TestMachineTutorial(t *testing.T) {
	t.Parallel()
	m := start(t, packaged)
	m.sampleEnforcing(t)
	if out := m.must(t, "rpm -V epel-release nginx nginx-filesystem policycoreutils-python; restorecon -nRv /etc "+
		"/usr/sbin /usr/lib /var/log /var/lib/nginx"); out != "" {
		t.Errorf("packages are not as rpm and the policy would have them:\n%s", out)
	}
	m.must(t, "sed -n '/^cat >/,/^END/p' <<'SCRIPT' | bash\n"+tutorial(t)+"\nSCRIPT")
	m.must(t, "nginx -t && systemctl start nginx")
	if domains := m.must(t, "ps -C nginx -o label= | cut -d: -f3 | sort -u"); domains != "httpd_t" {
		t.Errorf("nginx runs as %s, want httpd_t", domains)
	}
	m.answers(t, "502")
	if out, _ := m.run("ausearch -m AVC -c nginx"); !strings.Contains(out, "{ name_connect }") ||
		!strings.Contains(out, "ntop_port_t") {
		t.Errorf("no denial of name_connect to ntop_port_t in the audit log:\n%s", out)
	}
	m.must(t, "setsebool -P httpd_can_network_connect 1")
	m.answers(t, "101")
	m.must(t, "semanage port -a -t http_port_t -p tcp 3000")
	if out, status := m.run("semanage port -a -t http_port_t -p tcp 8080"); status != 1 ||
		!strings.Contains(out, "ValueError: Port tcp/8080 already defined") {
		t.Errorf("semanage port -a of a port that is defined: exit status %d: %s", status, out)
	}
	m.must(t, "bash -s <<'SCRIPT'\n"+tutorial(t)+"\nSCRIPT")
	m.answers(t, "101")
}

func tutorial(t testing.TB) string {
	t.Helper()
	script, err := os.ReadFile("tutorial.sh")
	if err != nil {
		t.Fatal(err)
	}
	return string(script)
}

// answers requires the status of a handshake on the machine itself, and of the same through the port forwarded to the
// host.
func (m *machine) answers(t testing.TB, want string) {
	t.Helper()
	if got := m.must(t, handshake("ws.example.com", "/ws/")); got != want {
		t.Errorf("handshake on the machine: %s, want %s", got, want)
	}
	if got := onHost(t, vm.Handshake(m.Web(), "ws.example.com", "/ws/")); got != want {
		t.Errorf("handshake from the host: %s, want %s", got, want)
	}
}

func TestMachinePowerCut(t *testing.T) {
	t.Parallel()
	m := start(t, booted)
	m.must(t, "echo kept >/root/kept && sync /root/kept")
	if failed := m.powerCut(t); len(failed) != 0 {
		t.Errorf("units that failed at the boot after a power cut: %v", failed)
	}
	if mode, kept := m.must(t, "getenforce"), string(m.get(t, "/root/kept")); mode != "Enforcing" || kept != "kept\n" {
		t.Errorf("after a power cut: %s, a file that was synced holds %q", mode, kept)
	}
	m.restore(t, vm.Booted)
	if out, status := m.run("cat /root/kept"); status == 0 {
		t.Errorf("the restored snapshot holds a file written after it: %s", out)
	}
}

// TestMachineHangsUp needs what scenarios of a dying session rest on: SIGHUP reaches a command on a terminal and no
// other.
func TestMachineHangsUp(t *testing.T) {
	t.Parallel()
	m := start(t, booted)
	m.beginOnTerminal(t, "test -t 1 && trap 'echo hup >/run/hup; exit' HUP; touch /run/waits; while :; do sleep "+
		"0.1; done")
	end := m.begin(t, "sleep 3; echo went on >/run/on")
	m.must(t, "until test -e /run/waits; do sleep 0.1; done")
	m.HangUp()
	if r := end(time.Minute); r.status != -1 {
		t.Errorf("a command whose session was hung up: exit status %d, want -1", r.status)
	}
	m.must(t, "for i in $(seq 100); do test -s /run/hup && test -s /run/on && exit 0; sleep 0.1; done; ls /run; exit 1")
}

func TestSamplerSeesPermissive(t *testing.T) {
	t.Parallel()
	m := start(t, booted)
	m.beginSampling(t)
	m.permissive(t)
	m.must(t, "sleep 1; setenforce 1")
	if err := m.wasEnforcing(); err == nil {
		t.Error("a second of permissive mode went unseen")
	}
	m.prints(t, map[string]string{lowered: "1"})
}
