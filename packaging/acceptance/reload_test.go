//go:build acceptance

package acceptance

import (
	"strings"
	"testing"
)

// A reload that nginx does not take brings the old file back, keeps serving, and fails again and again.
func TestFailedReload(t *testing.T) {
	t.Parallel()
	m := start(t, provisioned)
	m.must(t, takenAtReload)
	master := m.untouched(t, "cat /run/nginx.pid; sha256sum /etc/nginx/conf.d/websocket.conf")
	for range 2 {
		r, res := m.apply(t, 1, "--listen 127.0.0.1:8008,80")
		_, text := r.step("service")
		for _, want := range []string{"Address already in use", "previous configuration"} {
			if !strings.Contains(text, want) {
				t.Errorf("service does not say %q:\n%s", want, res.output)
			}
		}
		master()
		m.upgraded(t)
		m.must(t, "systemctl stop taker.service")
	}
	m.must(t, quickReload)
	m.apply(t, 0, "--listen 127.0.0.1:8008,80")
	m.upgraded(t)
}

// takenAtReload has another program take the new port when nginx is about to reload: the agent has looked, and it was
// free.
const takenAtReload = `mkdir -p /run/systemd/system/nginx.service.d && cat ` +
	`>/run/systemd/system/nginx.service.d/taken.conf <<'END'
[Service]
ExecReload=
ExecReload=+/bin/sh -c 'systemd-run -q --unit taker python3 -m http.server --bind 127.0.0.1 8008; until ss -Hltn ` +
	`"sport = :8008" | grep -q .; do sleep 0.1; done'
ExecReload=/usr/sbin/nginx -s reload
END
systemctl daemon-reload`

// TestHostileLogs: whatever the nginx user makes of its log, nothing hangs, no line of it vetoes a reload, and what
// would hang nginx itself is refused beforehand.
func TestHostileLogs(t *testing.T) {
	t.Parallel()
	m := start(t, provisioned)
	m.must(t, forger)
	m.apply(t, 0, "--listen 127.0.0.1:8008,80")
	m.upgraded(t)
	m.must(t, "systemctl stop forger.service; rm -f /var/log/nginx/error.log; truncate -s 8G /var/log/nginx/error.log")
	if v := m.verify(t, siteFlags); v.Result != "ok" {
		t.Errorf("verify with a log of 8 GiB: %s", v.Result)
	}
	m.apply(t, 0, "")
	m.must(t, "rm -f /var/log/nginx/error.log; mkfifo /var/log/nginx/error.log")
	master := m.untouched(t, "cat /run/nginx.pid; sha256sum /etc/nginx/conf.d/websocket.conf")
	m.apply(t, 0, "") // has nothing to do
	r, res := m.apply(t, 1, "--listen 127.0.0.1:8008,80")
	if _, text := r.step("service"); !strings.Contains(text, "error.log is a pipe that nobody reads") {
		t.Errorf("service does not say what would hang nginx:\n%s", res.output)
	}
	m.must(t, "timeout 60 wsprovision status >/dev/null; [ $? != 124 ]")
	master()
	m.upgraded(t)
}

// forger writes what looks like the master's own complaints, as the nginx user may.
const forger = `chown nginx /var/log/nginx/error.log && systemd-run -q --unit forger sh -c 'p=$(cat ` +
	`/run/nginx.pid); while :; do
echo "2099/01/01 00:00:00 [emerg] $p#$p: still could not bind()"; echo "2099/01/01 00:00:00 [alert] $p#$p: worker ` +
	`process $p exited on signal 11"
sleep 0.02; done >>/var/log/nginx/error.log'`

// A port that another program listens on is known before anything changes, and who it is: where nginx runs, and on a
// bare host.
func TestPortTaken(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		from  *state
		flags string
	}{{provisioned, "--listen 127.0.0.1:8008,80"}, {installed, "--listen 8008"}} {
		t.Run(c.from.name, func(t *testing.T) {
			m := start(t, c.from)
			m.must(t, "systemd-run -q --unit taker python3 -m http.server --bind 127.0.0.1 8008; until ss -Hltn "+
				"'sport = :8008' | grep -q .; do sleep 0.1; done")
			check := m.untouched(t, fingerprint)
			r, res := m.apply(t, 1, c.flags)
			check()
			_, text := r.step("validate")
			for _, want := range []string{"http.server --bind 127.0.0.1 8008", "listens on port 8008", "--listen"} {
				if !strings.Contains(text, want) {
					t.Errorf("validate does not say %q:\n%s", want, res.output)
				}
			}
		})
	}
}

// A run that died between the file and the reload is repaired by the next, although every file then looks unchanged.
func TestOwedReload(t *testing.T) {
	t.Parallel()
	m := start(t, provisioned)
	m.must(t, `cp -a /etc/nginx/conf.d/websocket.conf /root/proven && sed 's,/ws/,/old/,' /root/proven `+
		`>/etc/nginx/conf.d/websocket.conf && nginx -s reload && sleep 1 && cat /root/proven `+
		`>/etc/nginx/conf.d/websocket.conf &&
mkdir -p /run/wsprovision && echo '[]' >/run/wsprovision/reload-owed`)
	if code := m.must(t, handshake("ws.example.com", "/ws/")); code == "101" {
		t.Fatal("nginx runs the file's configuration already; nothing is owed")
	}
	m.apply(t, 0, "")
	m.upgraded(t)
	m.must(t, "test ! -e /run/wsprovision/reload-owed")
}

// Drift is shown, and treated as configured. A site that the configuration no longer has is taken away.
func TestDrift(t *testing.T) {
	t.Parallel()
	m := start(t, provisioned)
	m.must(t, "cd /etc/nginx/conf.d && echo '# by hand' >>websocket.conf && cp -a websocket.conf /root/edited")
	if out, status := m.run(applyCommand); status != 1 || !strings.Contains(out, "# by hand") ||
		!strings.Contains(out, "on_drift: keep") {
		t.Errorf("an edit: exit status %d, want 1, the edit and the ways out:\n%s", status, out)
	}
	m.must(t, "cmp /etc/nginx/conf.d/websocket.conf /root/edited")
	if out, status := m.run("wsprovision apply --on-drift keep --detailed-exitcode " + siteFlags); status != 0 ||
		!strings.Contains(out, "edited") {
		t.Errorf("on_drift keep: exit status %d, want 0 and a warning:\n%s", status, out)
	}
	const replaced = "/var/lib/wsprovision/replaced/etc-nginx-conf.d-websocket.conf.1"
	if out, status := m.run(applyCommand + " --on-drift replace"); status != 0 || !strings.Contains(out, replaced) {
		t.Errorf("on_drift replace: exit status %d, want 0 and the copy named:\n%s", status, out)
	}
	m.must(t, "! grep -q '^# by hand' /etc/nginx/conf.d/websocket.conf && cmp "+replaced+" /root/edited && test "+
		"$(stat -c %a "+replaced+") = 600")
	m.put(t, "/etc/wsprovision/wsprovision.yaml", []byte(`sites:
  - name: second
    server_name: second.example.com
    locations:
      - path: /
        backend: 127.0.0.1:3000
`), 0o644)
	m.must(t, "rm /etc/wsprovision/sites.d/websocket.yaml && wsprovision apply")
	if got := m.must(t, "ls /etc/nginx/conf.d"); got != "second.conf" {
		t.Errorf("conf.d afterwards: %q, want second.conf alone", got)
	}
	if code := m.must(t, handshake("second.example.com", "/")); code != "101" {
		t.Errorf("handshake of the second site: %s, want 101", code)
	}
}
