//go:build acceptance

package acceptance

import (
	"strings"
	"testing"
	"time"
)

// What somebody else left under /etc/nginx is named, and neither touched nor joined.
func TestNeighbours(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, file, content, says string }{
		{long + "brace that is not closed", "/etc/nginx/conf.d/brace.conf", "server {\n",
			"/etc/nginx/conf.d/brace.conf"},
		{"same server_name", "/etc/nginx/conf.d/aaa.conf",
			"server {\n    listen 80;\n    server_name ws.example.com;\n}\n", "/etc/nginx/conf.d/aaa.conf"},
		{long + "same server_name later", "/etc/nginx/conf.d/zzz.conf",
			"server {\n    listen 80;\n    server_name ws.example.com;\n}\n", "/etc/nginx/conf.d/zzz.conf"},
		{long + "same upstream", "/etc/nginx/conf.d/up.conf",
			"upstream wsprovision_websocket_0 { server 127.0.0.1:9; }\n",
			"up.conf"},
		{long + "their own file in our place", "/etc/nginx/conf.d/websocket.conf",
			"server {\n    listen 80;\n    server_name theirs.example.com;\n}\n", "--adopt"},
		{"socket of its own", "/etc/nginx/conf.d/own.conf",
			"server {\n    listen 127.0.0.1:80 backlog=511;\n    server_name own;\n}\n",
			"/etc/nginx/conf.d/own.conf:2"},
		{long + "directory in our place", "/etc/nginx/conf.d/websocket.conf/x", "", "directory"},
	} {
		runRow(t, c.name, func(t *testing.T) {
			m := start(t, labelled)
			m.put(t, c.file, []byte(c.content), 0o644)
			check := m.untouched(t, fingerprint)
			_, res := m.apply(t, 1, "")
			check()
			if !strings.Contains(res.stdout, c.says) {
				t.Errorf("the report does not say %q:\n%s", c.says, res.output)
			}
			m.must(t, "rm -r "+c.file+" && { rmdir /etc/nginx/conf.d/websocket.conf 2>/dev/null || :; }")
			m.apply(t, 0, "")
			m.upgraded(t)
		})
	}
}

// What is taken over comes back, with its mode and its label; so does the label of a port.
func TestAdopt(t *testing.T) {
	t.Parallel()
	m := start(t, provisioned)
	m.must(t, "wsprovision revert")
	m.must(t, "cd /etc/nginx/conf.d && echo '# theirs' >websocket.conf && chmod 640 websocket.conf && chcon -t "+
		"httpd_sys_content_t websocket.conf && semanage port -a -t postgresql_port_t -p tcp 3000")
	const state = "cd /etc/nginx/conf.d && cat websocket.conf && stat -c '%a %U %C' websocket.conf; semanage port -l " +
		"-C; "
	before, check := m.must(t, state), m.untouched(t, fingerprint)
	out, status := m.run(applyCommand)
	check()
	for _, want := range []string{"-# theirs", "--adopt", "postgresql_port_t", "PostgreSQL"} {
		if status != 1 || !strings.Contains(out, want) {
			t.Errorf("exit status %d, and the report does not say %q:\n%s", status, want, out)
		}
	}
	m.apply(t, 0, "--adopt")
	m.upgraded(t)
	m.must(t, "wsprovision revert")
	if after := m.must(t, state); after != before {
		t.Errorf("after the revert:\n%s\nbefore:\n%s", after, before)
	}
}

// A symbolic link where our file belongs is not followed.
func TestLink(t *testing.T) {
	t.Parallel()
	m := start(t, labelled)
	m.must(t, "echo precious >/root/precious && ln -s /root/precious /etc/nginx/conf.d/websocket.conf")
	_, res := m.apply(t, 1, "")
	if !strings.Contains(res.stdout, "symbolic link") {
		t.Errorf("the report does not say that it is a link:\n%s", res.output)
	}
	if got := m.must(t, "cat /root/precious; readlink /etc/nginx/conf.d/websocket.conf"); got != "precious\n/root/"+
		"precious" {
		t.Errorf("the link or its target was touched: %q", got)
	}
}

// Another's lock is waited for, with a bound, and its holder is named.
func TestLocks(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name       string
		from       *state
		hold, says string
	}{
		{"yum's for 10 s", unpackaged, `cat >/root/yum-hold.py <<'END'
import os, time
open("/var/run/yum.pid", "w").write(str(os.getpid()))
time.sleep(10)
os.remove("/var/run/yum.pid")
END
setsid -f python3 /root/yum-hold.py >/dev/null 2>&1; sleep 1`, "yum lock held by pid"},
		{"semanage's until it has given up once, and 3 s more", packaged,
			`touch /var/lib/selinux/default/semanage.trans.LOCK
setsid -f flock /var/lib/selinux/default/semanage.trans.LOCK sh -c 'until pgrep -x semanage; do sleep 0.2; done; ` +
				`while pgrep -x semanage; do sleep 0.2; done; sleep 3' >/dev/null 2>&1`,
			"semanage.trans.LOCK"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := start(t, c.from)
			m.must(t, c.hold)
			_, res := m.apply(t, 0, "")
			if !strings.Contains(res.stderr, c.says) {
				t.Errorf("the log does not say %q:\n%s", c.says, res.stderr)
			}
			m.upgraded(t)
		})
	}
}

// Two agents at once: one works, the other says who holds the lock, or waits for it.
func TestTwoAgents(t *testing.T) {
	t.Parallel()
	m := start(t, unpackaged)
	end := m.begin(t, applyCommand)
	for range 100 {
		if _, status := m.run(`i=$(stat -c %i /run/wsprovision.lock) && grep "FLOCK .*:$i 0 EOF" ` +
			`/proc/locks`); status == 0 {
			break
		}
	}
	out, status := m.run(applyCommand)
	if status != 75 || !strings.Contains(out, "process ") {
		t.Errorf("second agent: exit status %d, want 75 and the holder's name:\n%s", status, out)
	}
	if out, status := m.run("wsprovision revert"); status != 75 {
		t.Errorf("a revert beside it: exit status %d, want 75:\n%s", status, out)
	}
	if out, status := m.run("wsprovision apply --wait 3m --detailed-exitcode " + siteFlags); status != 0 {
		t.Errorf("second agent with --wait: exit status %d, want 0 (the first has done it all):\n%s", status, out)
	}
	if res := end(3 * time.Minute); res.status != 0 {
		t.Errorf("first agent: exit status %d:\n%s", res.status, res.output)
	}
	m.upgraded(t)
}
