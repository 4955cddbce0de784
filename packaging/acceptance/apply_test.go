//go:build acceptance

package acceptance

import (
	"strings"
	"testing"
)

// The main job: a bare host, one command, and a WebSocket goes through. Before it nginx answers 502, and SELinux says why.
func TestBareHost(t *testing.T) {
	m := start(t, installed)
	m.sampleEnforcing(t)
	if out, status := m.run("rpm -q nginx policycoreutils-python epel-release; command -v nginx semanage"); status == 0 {
		t.Fatalf("the machine is not bare:\n%s", out)
	}
	r, res := m.apply(t, 0, "--detailed-exitcode || test $? = 2")
	t.Logf("first apply: %v\n%s", res.duration, res.stderr)
	for _, s := range r.Steps {
		t.Logf("%-12s %s %v %v", s.Name, s.Status, s.Notes, s.Warnings)
	}
	m.upgraded(t)
	m.judgeProvisioned(t)
}

// judgeProvisioned asks the machine's own tools for everything that the agent promises.
func (m *machine) judgeProvisioned(t testing.TB) {
	t.Helper()
	for command, want := range map[string]string{
		"getenforce": "Enforcing",
		"getsebool httpd_can_network_connect":                                                                "httpd_can_network_connect --> on",
		"grep -h httpd_can_network_connect /var/lib/selinux/default/active/booleans.local":                   "httpd_can_network_connect=1",
		"semanage port -l | awk '$1 == \"http_port_t\" && $2 == \"tcp\"' | grep -cw 3000":                    "1",
		"systemctl is-enabled nginx":                                                                         "enabled",
		"systemctl is-active nginx":                                                                          "active",
		"ps -eo label,comm | awk '$2 == \"nginx\" {print $1}' | cut -d: -f3 | sort -u":                       "httpd_t",
		"stat -c '%a %U %C' /etc/nginx/conf.d/websocket.conf | cut -d: -f1-3":                                "644 root system_u:object_r:httpd_config_t",
		"rpm -V nginx nginx-filesystem policycoreutils-python epel-release wsprovision":                      "",
		"restorecon -nRv /etc/nginx /var/log/nginx /run/nginx.pid /etc/systemd/system /var/lib/nginx":         "",
		"find /etc/nginx /var/lib/wsprovision -name '.*new*'; ls /run/wsprovision 2>/dev/null":                "",
		"stat -c '%a %U' /var/lib/wsprovision /var/lib/wsprovision/ledger.json":                              "700 root\n600 root",
		"nginx -t 2>&1 | grep -c warn || :":                                                                  "0",
	} {
		if got := m.must(t, command); got != want {
			t.Errorf("%s: %q, want %q", command, got, want)
		}
	}
}

// A second run changes nothing, touches nothing, and starts one program.
func TestUnchanged(t *testing.T) {
	m := start(t, provisioned)
	check := m.untouched(t, fingerprint)
	r, res := m.apply(t, 0, "--verbose --detailed-exitcode")
	check()
	for _, s := range r.Steps {
		if s.Status != "unchanged" {
			t.Errorf("step %s: %s, want unchanged: %v", s.Name, s.Status, s.Changes)
		}
	}
	if n := strings.Count(res.stderr, "wsprovision: run "); n > 1 {
		t.Errorf("%d programs were run, want at most 1:\n%s", n, res.stderr)
	}
	trace := m.must(t, "strace -f -e trace=execve -o /run/trace "+applyCommand+" >/dev/null && grep -c 'execve(.*= 0' /run/trace")
	if trace != "2" {
		t.Errorf("%s programs were executed with the agent itself, want 2:\n%s", trace, m.must(t, "cat /run/trace"))
	}
	t.Logf("unchanged apply: %v", res.duration)
}
