//go:build acceptance

package acceptance

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"testing"
)

// receiving is an HTTPS server that refuses the first report and keeps the next ones, and the authority that the host
// trusts for it.
const receiving = `mkdir -p /etc/pki/tls/certs /var/lib/textfile /root/received &&
openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=localhost -addext subjectAltName=DNS:localhost \
	-keyout /root/receiver.key -out /root/receiver.crt 2>/dev/null &&
cat /root/receiver.crt >>/etc/pki/tls/certs/ca-bundle.crt &&
cat >/root/receiver.py <<'END'
import http.server, ssl
count = 0
class Receiver(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        global count
        count += 1
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if count > 1:
            open("/root/received/%d.json" % count, "wb").write(body)
            open("/root/received/%d.auth" % count, "w").write(self.headers.get("Authorization", ""))
        self.send_response(503 if count == 1 else 204)
        self.end_headers()
    def log_message(self, *args):
        pass
server = http.server.HTTPServer(("127.0.0.1", 8443), Receiver)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain("/root/receiver.crt", "/root/receiver.key")
server.socket = context.wrap_socket(server.socket, server_side=True)
server.serve_forever()
END
systemd-run -q --unit=receiver python3 /root/receiver.py`

// fleetFile asks for a site, and has it told to the receiver and to node_exporter.
const fleetFile = `report_url: https://fleet:s3cret@localhost:8443/in
metrics_file: /var/lib/textfile/wsprovision.prom
splay: 2s
epel:
  source: repository
sites:
  - name: websocket
    server_name: ws.example.com
    locations:
      - path: /ws/
        backend: 127.0.0.1:3000
`

// cost says what the mirror was asked for: requests, and bytes of what it sent.
const cost = `sync; journalctl -u mirror -o cat --no-pager | sed -n 's/.*"GET \([^ ]*\) HTTP[^"]*" 200 .*/\1/p' | sort |
while read -r path; do stat -c %s "/srv/mirror$path" 2>/dev/null || echo 0; done |
awk '{bytes += $1; n++} END {print n + 0, bytes + 0}'`

// What a fleet is run by, on one boot of a real journald, beside a real node_exporter and an HTTPS server: the
// journal's fields and catalog, the report that is sent, metrics, drift, a plan that is applied as it was shown, an
// archive.
func TestFleet(t *testing.T) {
	t.Parallel()
	m := start(t, installed)
	m.must(t, receiving)
	m.put(t, "/etc/wsprovision/wsprovision.yaml", []byte(fleetFile), 0o600)

	m.must(t, "wsprovision plan --out /root/plan.json")
	res := m.try("wsprovision apply --from-plan /root/plan.json --output json", nil)
	if res.status != 0 {
		t.Fatalf("a bare host's plan is not applied as it was shown: %d\n%s", res.status, res.output)
	}
	if strings.Contains(res.output, "s3cret") || !strings.Contains(res.stderr, "of at most 2s before the run begins") {
		t.Errorf("stderr: %s", res.stderr)
	}
	requests, bytes, _ := strings.Cut(m.must(t, cost), " ")
	t.Logf("a first apply costs the mirror %s requests and %s bytes", requests, bytes)
	m.wasTold(t)
	m.hasCatalog(t)
	m.received(t)
	m.scraped(t)

	// the plan is used up: the host is not as it was
	if res := m.try("wsprovision apply --splay 0s --from-plan /root/plan.json", nil); res.status != 64 {
		t.Errorf("an option beside --from-plan: %d\n%s", res.status, res.output)
	}
	if res := m.try("wsprovision apply --from-plan /root/plan.json", nil); res.status != 1 ||
		!strings.Contains(res.output, "the plan has, and it is so no more: package nginx") {
		t.Errorf("a plan of before: %d\n%s", res.status, res.output)
	}
	m.must(t, "wsprovision apply --splay 0s --quiet")
	if again := m.must(t, cost); again != requests+" "+bytes {
		t.Errorf("an unchanged apply asks the mirror: %s, before %s %s", again, requests, bytes)
	}
	m.supports(t)
	m.loggedOnce(t)
	m.tellsOfARevert(t)
}

// tellsOfARevert: what an apply tells, a revert tells too.
func (m *machine) tellsOfARevert(t testing.TB) {
	t.Helper()
	m.must(t, "wsprovision revert")
	if out := m.must(t, "cat $(ls -t /root/received/*.json | head -1)"); !strings.Contains(out, `"command": "revert"`) {
		t.Errorf("the last that was received:\n%s", out)
	}
	if out := m.must(t, "cat /var/lib/textfile/wsprovision.prom"); strings.Contains(out, "wsprovision_drift") ||
		!strings.Contains(out, `wsprovision_last_run_info{command="revert"} 1`) {
		t.Errorf("metrics after a revert:\n%s", out)
	}
}

// wasTold reads the journal as programs do.
func (m *machine) wasTold(t testing.TB) {
	t.Helper()
	id := m.must(t, "wsprovision report --list | awk 'END {print $1}'")
	told := map[string]map[string]string{}
	for line := range strings.Lines(m.must(t, "journalctl -o json --no-pager WSPROVISION_RUN="+id)) {
		var fields map[string]any
		if err := json.Unmarshal([]byte(line), &fields); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		entry := map[string]string{}
		for name, value := range fields {
			entry[name] = fmt.Sprint(value)
		}
		told[entry["WSPROVISION_STEP"]+entry["MESSAGE_ID"]] = entry
	}
	packages := told["packages"+"f43111dfe7244392ba0defd92ef27337"]
	if changes, _ := strconv.Atoi(packages["WSPROVISION_CHANGES"]); changes < 1 ||
		packages["WSPROVISION_STATUS"] != "changed" ||
		packages["WSPROVISION_COMMAND"] != "apply" || packages["SYSLOG_IDENTIFIER"] != "wsprovision" {
		t.Errorf("of the packages: %v", packages)
	}
	ended := told["b74b12774fb74fc2b78634cea0010720"]
	if millis, _ := strconv.Atoi(ended["WSPROVISION_DURATION_MS"]); millis < 1 ||
		ended["WSPROVISION_STATUS"] != "changed" {
		t.Errorf("of the end: %v", ended)
	}
	if len(told) < 9 || told["2be51a12587943c08b783817bcb8e369"] == nil {
		t.Errorf("%d entries", len(told))
	}
}

func (m *machine) hasCatalog(t testing.TB) {
	t.Helper()
	out := m.must(t, "journalctl -x --no-pager SYSLOG_IDENTIFIER=wsprovision")
	for _, want := range []string{"Subject: Step packages is changed", "Subject: wsprovision apply has ended: changed",
		"Documentation: man:wsprovision(8)"} {
		if !strings.Contains(out, want) {
			t.Errorf("journalctl -x does not say %q:\n%s", want, out)
		}
	}
}

// received looks at what was sent, once the first try had been refused.
func (m *machine) received(t testing.TB) {
	t.Helper()
	var r struct {
		Command, ID, Host, Result string
		Steps                     []struct{ Name string }
	}
	if err := json.Unmarshal(m.get(t, "/root/received/2.json"), &r); err != nil {
		t.Fatal(err)
	}
	if r.Command != "apply" || r.Result != "changed" || r.ID == "" || r.Host != m.must(t, "hostname") ||
		len(r.Steps) < 8 {
		t.Errorf("received %+v", r)
	}
	if auth := string(m.get(t, "/root/received/2.auth")); !strings.HasPrefix(auth, "Basic ") {
		t.Errorf("authorization %q", auth)
	}
}

// scraped has node_exporter read the file, before and after somebody turns the boolean off.
func (m *machine) scraped(t testing.TB) {
	t.Helper()
	m.must(t,
		`systemd-run -q --unit=exporter prometheus-node-exporter --collector.disable-defaults --collector.textfile \
--collector.textfile.directory=/var/lib/textfile --web.listen-address=127.0.0.1:9199
for n in $(seq 50); do curl -sf 127.0.0.1:9199/metrics >/dev/null && break; sleep 0.2; done`)
	metric := func(name string) string {
		return m.must(t, "curl -sf 127.0.0.1:9199/metrics | grep '^"+name+" ' | cut -d' ' -f2")
	}
	for name, want := range map[string]string{"node_textfile_scrape_error": "0", "wsprovision_drift": "0",
		`wsprovision_last_run_result{result="changed"}`:     "1",
		`wsprovision_last_run_changes{step="server-block"}`: "1"} {
		if got := metric(name); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
	m.must(t, "setsebool httpd_can_network_connect off")
	if res := m.try("wsprovision plan --quiet --detailed-exitcode", nil); res.status != 2 {
		t.Errorf("drift: %d\n%s", res.status, res.output)
	}
	if got := metric("wsprovision_drift"); got != "1" {
		t.Errorf("drift of a boolean that is off: %s", got)
	}
	if got := metric(`wsprovision_last_run_result{result="changed"}`); got != "1" {
		t.Errorf("a plan has changed what is told of the last run: %s", got)
	}
	m.must(t, "setsebool httpd_can_network_connect on")
}

func (m *machine) supports(t testing.TB) {
	t.Helper()
	m.must(t,
		"printf 'server { listen 8081; location / { proxy_set_header X-Key \"s3cret\"; "+
			"proxy_pass http://u:s3cret@127.0.0.1:1; } }' "+
			">/etc/nginx/conf.d/other.conf")
	path := m.must(t,
		"wsprovision support --output json | python3 -c 'import json, sys; print(json.load(sys.stdin)[\"path\"])'")
	if mode := m.must(t, "stat -c '%a %U' "+path); mode != "600 root" || !strings.HasPrefix(path,
		"/var/tmp/wsprovision-support-") {
		t.Errorf("%s: %s", path, mode)
	}
	m.must(t, "mkdir /root/support && tar -xzf "+path+" -C /root/support")
	if out, status := m.run("grep -rl s3cret /root/support"); status == 0 {
		t.Errorf("a secret is in %s", out)
	}
	out := m.must(t, "cat /root/support/*/CONTENTS")
	if strings.Contains(out, "lacking") && !strings.Contains(out, "state/deferred.yaml") || strings.Count(out,
		"lacking") > 1 {
		t.Errorf("of a host in order:\n%s", out)
	}
	for file, want := range map[string]string{"nginx/nginx-T": "listen 8081", "units/nginx.service.json": "running",
		"selinux/labels": "httpd_config_t", "packages": "nginx-", "status.json": "\"state\": ",
		"units/journal": "apply began"} {
		if text := m.must(t, "cat /root/support/*/"+file); !strings.Contains(text, want) {
			t.Errorf("%s does not hold %q:\n%s", file, want, text)
		}
	}
	m.must(t, "rm -f /etc/nginx/conf.d/other.conf "+path)
}

// loggedOnce: a unit's output goes to the journal, and its steps stand there once.
func (m *machine) loggedOnce(t testing.TB) {
	t.Helper()
	m.must(t, "systemd-run -q --wait --unit=once wsprovision apply --splay 0s")
	out := m.must(t, "journalctl -u once -o cat --no-pager")
	if n := strings.Count(out, " packages "); n != 1 || strings.Count(out, "apply: unchanged") != 1 {
		t.Errorf("a step stands in the journal %d times:\n%s", n, out)
	}
}
