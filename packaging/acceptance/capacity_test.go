//go:build acceptance

package acceptance

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// bringCrowd has crowd on the machine, and in the place of the backend.
func (m *machine) bringCrowd(t testing.TB) {
	t.Helper()
	program := filepath.Join(t.TempDir(), "crowd")
	build := exec.Command("go", "build", "-ldflags=-s -w", "-o", program, "./crowd")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build crowd: %v\n%s", err, out)
	}
	m.put(t, "/usr/bin/crowd", readFile(t, program), 0o755)
	m.must(t, "restorecon /usr/bin/crowd; systemctl stop ws-backend && systemd-run -q --unit crowd-backend -p "+
		"LimitNOFILE=100000 crowd serve 127.0.0.1:3000 && for i in $(seq 50); do ss -Hltn 'sport = :3000' | grep -q . "+
		"&& exit 0; sleep 0.2; done; exit 1")
}

// hold opens so many WebSockets beside those that are open.
func (m *machine) hold(t testing.TB, name string, n int) {
	t.Helper()
	m.must(t, fmt.Sprintf("systemd-run -q --unit hold-%[1]s -p LimitNOFILE=100000 crowd hold /run/crowd-%[1]s %[2]d "+
		"127.0.0.1:80; for i in $(seq 600); do grep -q done=1 /run/crowd-%[1]s/state && exit 0; sleep 0.3; done; "+
		"cat /run/crowd-%[1]s/state; exit 1", name, n))
	m.stillOpen(t, "opened", name, n)
}

// stillOpen wants an answer from each of them.
func (m *machine) stillOpen(t testing.TB, when, name string, n int) {
	t.Helper()
	got := m.must(t, fmt.Sprintf("cd /run/crowd-%[1]s && before=$(cut -d' ' -f1 state); systemctl kill -s USR1 "+
		"hold-%[1]s; for i in $(seq 200); do ! grep -q \"^$before \" state && grep -q 'back=%[2]d ' state && break; "+
		"sleep 0.3; done; cut -d' ' -f2- state", name, n))
	if want := fmt.Sprintf("held=%d failed=0 cut=0 back=%[1]d done=1", n); strings.TrimSpace(got) != want {
		t.Errorf("%s, of %d WebSockets: %s", when, n, got)
	}
}

// connections raises what holds WebSockets back by a reload: those that are open stay open, as many as are asked for
// get through beside them, SELinux enforcing and httpd_setrlimit off, and a revert cuts none either.
func TestConnections(t *testing.T) {
	t.Parallel()
	m := start(t, provisioned)
	m.bringCrowd(t)
	m.hold(t, "before", 200)
	master := m.untouched(t, "cat /run/nginx.pid; systemctl show -p ExecMainStartTimestamp nginx")
	r, _ := m.apply(t, 0, "--connections 1500")
	if status, text := r.step("capacity"); status != "changed" || strings.Contains(text, "restart") {
		t.Errorf("the step capacity: %s %s", status, text)
	}
	if _, text := r.step("validate"); strings.Contains(text, "open file resource limit") {
		t.Errorf("validate warns of the agent's own limit: %s", text)
	}
	master()
	m.stillOpen(t, "applied", "before", 200)
	worker := "$(pgrep -n -P $(cat /run/nginx.pid))"
	m.prints(t, map[string]string{
		"getenforce":                "Enforcing",
		"getsebool httpd_setrlimit": "httpd_setrlimit --> off",
		"sysctl -n net.core.somaxconn; ss -4Hltn 'sport = :80' | awk '{print $3}'":            "4096\n1500",
		"grep -c 'worker_connections 3747; # wsprovision: connections' /etc/nginx/nginx.conf": "1",
		"awk '/Max open files/ {print $4}' /proc/$(cat /run/nginx.pid)/limits /proc/" + worker +
			"/limits": "4259\n4259",
		"systemctl show -p LimitNOFILE --value nginx": "4259",
	})
	m.hold(t, "after", 1500)
	m.apply(t, 0, "--connections 1500 --detailed-exitcode")
	m.must(t, "wsprovision revert")
	master()
	m.stillOpen(t, "reverted", "before", 200)
	m.stillOpen(t, "reverted", "after", 1500)
	if out := m.must(t, "ls /etc/systemd/system/nginx.service.d /etc/sysctl.d/99-wsprovision.conf 2>/dev/null; "+
		"grep wsprovision /etc/nginx/nginx.conf || :"); out != "" {
		t.Errorf("the revert leaves %s", out)
	}
}
