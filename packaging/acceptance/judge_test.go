//go:build acceptance

package acceptance

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	udiff "github.com/aymanbagabas/go-udiff"

	"wsprovision/packaging/acceptance/vm"
)

// handshake asks nginx for an upgrade, with the site's name, by curl. It prints the status alone.
func handshake(host, path string) string { return vm.Handshake("127.0.0.1", host, path) }

// upgraded requires that a WebSocket goes through nginx, by curl and by python3-websockets.
func (m *machine) upgraded(t testing.TB) {
	t.Helper()
	if code := m.must(t, handshake("ws.example.com", "/ws/")); code != "101" {
		t.Fatalf("curl's handshake through nginx: %s, want 101", code)
	}
	echo := m.must(t, `python3 - <<'END'
import asyncio, websockets
async def main():
    async with websockets.connect("ws://ws.example.com/ws/", host="127.0.0.1", port=80) as ws:
        await ws.send("hello")
        print(await ws.recv())
asyncio.run(main())
END`)
	if echo != "Echo: hello" {
		t.Fatalf("a message through nginx came back as %q, want %q", echo, "Echo: hello")
	}
}

// report is what a scenario reads of the agent's JSON; it is compared with the machine, never believed.
type report struct {
	Result string
	Steps  []struct {
		Name, Status, Error, Why string
		Changes                  []struct{ Object, From, To, Diff, Deferred string }
		Notes, Warnings          []string
	}
}

func (r report) step(name string) (status, text string) {
	for _, s := range r.Steps {
		if s.Name == name {
			return s.Status, strings.Join(append(append([]string{s.Error, s.Why}, s.Notes...), s.Warnings...), "\n")
		}
	}
	return "", ""
}

// agent runs the agent with JSON output and returns its report and exit status.
func (m *machine) agent(t testing.TB, command string) (report, result) {
	t.Helper()
	res := m.try("wsprovision --output json "+command, nil)
	var r report
	if err := json.Unmarshal([]byte(res.stdout), &r); err != nil {
		t.Fatalf("wsprovision %s: exit status %d, not a report: %v\n%s", command, res.status, err, res.output)
	}
	return r, res
}

// apply runs the agent and requires an exit status.
func (m *machine) apply(t testing.TB, want int, extra string) (report, result) {
	t.Helper()
	site := siteFlags
	if strings.Contains(extra, "--listen") {
		site = bareSite
	}
	r, res := m.agent(t, "apply "+site+" "+extra)
	if res.status != want {
		t.Fatalf("wsprovision apply %s: exit status %d, want %d:\n%s", extra, res.status, want, res.output)
	}
	return r, res
}

// siteFlags describe the tutorial's site, on IPv4 alone: what goes wrong with a listener is brought about one family at
// a time.
const siteFlags = bareSite + " --listen 80"

// bareSite is the tutorial's site without its sockets.
const bareSite = "--server-name ws.example.com --backend 127.0.0.1:3000 --path /ws/"

func readFile(t testing.TB, path string) []byte {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// prints requires of each command what it prints, and that it succeeds.
func (m *machine) prints(t testing.TB, wants map[string]string) {
	t.Helper()
	for command, want := range wants {
		if got := m.must(t, command); got != want {
			t.Errorf("%s:\n%s\nwant %q", command, got, want)
		}
	}
}

// untouched fails the test unless what the command prints is the same at its end as now.
func (m *machine) untouched(t testing.TB, command string) func() {
	t.Helper()
	before := m.must(t, command)
	return func() {
		t.Helper()
		if change := udiff.Unified("before", "after", before, m.must(t, command)); change != "" {
			t.Errorf("%s: changed\n%s", command, change)
		}
	}
}

// fingerprint is a command that prints everything which the agent could have touched: packages, files with their times
// and labels, booleans, ports, units, processes of nginx. A run that failed is told of in report.json, for status,
// whatever it touched besides.
const fingerprint = `{ rpm -qa; find /etc/nginx /etc/yum.repos.d /etc/pki/rpm-gpg /etc/systemd/system ` +
	`/var/lib/wsprovision/ledger.json ` +
	`/var/lib/wsprovision/deferred.yaml /etc/wsprovision -printf '%p %T@ %s %m %u %Z\n' 2>/dev/null; } | sort; ` +
	`getsebool -a; cat /var/lib/selinux/default/active/*.local 2>/dev/null; ` +
	`systemctl list-unit-files --no-legend nginx.service; pgrep -a nginx; ls -Z /run/nginx.pid 2>/dev/null; :`

// record is for a run that has nothing to tell of: not even the agent's own state has moved.
const record = "; ls -lA --full-time /var/lib/wsprovision"
