//go:build acceptance

package acceptance

import (
	"strings"
	"testing"
)

// traces is what a revert has to bring back, by the machine's own tools.
const traces = "semanage export; getsebool -a; systemctl list-unit-files --no-legend; find /etc/nginx " +
	"/etc/yum.repos.d /etc/pki/rpm-gpg -type f | sort | xargs sha256sum"

// apply and then revert leave the host as it was.
func TestRevert(t *testing.T) {
	t.Parallel()
	m := start(t, packaged)
	check := m.untouched(t, traces)
	m.apply(t, 0, "")
	m.upgraded(t)
	before := m.must(t, fingerprint+record)
	if out, status := m.run("wsprovision revert --plan --detailed-exitcode"); status != 2 ||
		!strings.Contains(out, "http_port_t → absent") {
		t.Errorf("revert --plan: exit status %d:\n%s", status, out)
	}
	if after := m.must(t, fingerprint+record); after != before {
		t.Errorf("revert --plan changed the host")
	}
	m.must(t, "wsprovision revert")
	check()
	if out := m.must(t, "ls -A /var/lib/wsprovision/ledger.json 2>/dev/null || :"); out != "" {
		t.Errorf("the ledger is still there: %s", out)
	}
	if out, status := m.run("wsprovision revert --detailed-exitcode"); status != 0 {
		t.Errorf("second revert: exit status %d:\n%s", status, out)
	}
}

// What an administrator changed since is left alone and named.
func TestRevertLeavesOthersChanges(t *testing.T) {
	t.Parallel()
	m := start(t, provisioned)
	m.must(t, "semanage port -m -t ntop_port_t -p tcp 3000; echo '# mine' >>/etc/nginx/conf.d/websocket.conf")
	out := m.must(t, "wsprovision revert")
	for _, want := range []string{"tcp/3000", "websocket.conf", "left"} {
		if !strings.Contains(out, want) {
			t.Errorf("revert does not name %q:\n%s", want, out)
		}
	}
	if got := m.must(t, "tail -1 /etc/nginx/conf.d/websocket.conf; semanage port -l -C | awk '{print $1, $3}' | "+
		"grep 3000"); got != "# mine\nntop_port_t 3000" {
		t.Errorf("the administrator's changes afterwards: %q", got)
	}
}

// With --packages the host is as bare as it was.
func TestRevertPackages(t *testing.T) {
	t.Parallel()
	m := start(t, provisioned)
	m.must(t, "wsprovision revert --packages")
	if out := m.must(t, "rpm -qa | grep -E 'nginx|policycoreutils-python|epel-release|gpg-pubkey' || :"); out != "" {
		t.Errorf("still there: %s", out)
	}
}
