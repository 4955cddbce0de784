//go:build acceptance

package acceptance

import (
	"encoding/json"
	"strings"
	"testing"
)

// verdict is what a scenario needs of verify's JSON.
type verdict struct {
	Result  string `json:"result"`
	Targets []struct {
		URL       string     `json:"url"`
		Result    string     `json:"result"`
		Echo      bool       `json:"with_echo"`
		Diagnosis *diagnosed `json:"diagnosis"`
		Checks    []struct{ Name, Result, Error string }
	} `json:"targets"`
	Warnings []diagnosed `json:"warnings"`
}

type diagnosed struct {
	Code, Cause, Mend string
	Evidence          []string
}

// codes are the diagnoses of all targets, each once.
func (v verdict) codes() string {
	var all []string
	for _, t := range v.Targets {
		if t.Diagnosis != nil && !strings.Contains(strings.Join(all, " ")+" ", t.Diagnosis.Code+" ") {
			all = append(all, t.Diagnosis.Code)
		}
	}
	return strings.Join(all, " ")
}

const verifyCommand = "wsprovision verify --output json "

// theSite is the site of applyCommand, for verify.
const theSite = "--server-name ws.example.com --backend 127.0.0.1:3000 --path /ws/ "

func (m *machine) verify(t testing.TB, flags string) verdict {
	t.Helper()
	r := m.try(verifyCommand+flags, nil)
	var v verdict
	if err := json.Unmarshal([]byte(r.stdout), &v); err != nil {
		t.Fatalf("verify %s: exit status %d, %v:\n%s", flags, r.status, err, r.output)
	}
	if want := map[string]int{"ok": 0, "failed": 1}[v.Result]; r.status != want {
		t.Errorf("verify %s: %s, exit status %d, want %d", flags, v.Result, r.status, want)
	}
	return v
}

const (
	siteFile = "/etc/nginx/conf.d/websocket.conf"
	// restart fails where the configuration is no good; that is what the scenario is about.
	restart = "systemctl stop nginx; systemctl reset-failed nginx; systemctl start nginx; "
	reload  = "systemctl reload nginx && sleep 1; "
	// noSELinux takes back what the agent did for SELinux.
	noSELinux = "setsebool -P httpd_can_network_connect off && semanage port -d -t http_port_t -p tcp 3000; "
	// ourEcho puts our backend in place of the npm package's.
	ourEcho = "systemctl stop ws-backend; systemd-run --unit echo wsprovision echo --listen 127.0.0.1:3000 && " + waitFor3000
	strict  = "systemctl stop ws-backend; systemd-run --unit strict --working-directory=/opt/ws-backend node strict.js && " + waitFor3000
	// waitFor3000 waits for the port without a WebSocket.
	waitFor3000 = "for i in $(seq 50); do ss -Hltn 'sport = :3000' | grep -q . && break; sleep 0.2; done; "
	crowd       = "systemd-run --unit crowd python3 /root/crowd.py && sleep 2; "
)

// strictServer is a backend with the npm package that has one path, and one origin.
const strictServer = `const http = require('http');
const { WebSocketServer } = require('ws');
const wss = new WebSocketServer({ noServer: true });
const server = http.createServer((q, r) => { r.writeHead(426); r.end(); });
server.on('upgrade', (q, socket, head) => {
  const refuse = (s) => { socket.end('HTTP/1.1 ' + s + '\r\nConnection: close\r\nContent-Length: 0\r\n\r\n'); };
  if (q.url !== '/ws/') return refuse('404 Not Found');
  if (q.headers.origin && q.headers.origin !== 'http://ws.example.com') return refuse('403 Forbidden');
  wss.handleUpgrade(q, socket, head, (ws) => ws.on('message', (m) => ws.send('Echo: ' + m)));
});
server.listen(3000, '127.0.0.1');
`

// crowdScript opens WebSockets through nginx and keeps them; holdScript keeps connections to the backend itself.
const (
	crowdScript = `import socket, time
held = []
for i in range(40):
    s = socket.create_connection(('127.0.0.1', 80))
    s.sendall(b'GET /ws/ HTTP/1.1\r\nHost: ws.example.com\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n')
    held.append(s)
    time.sleep(0.02)
time.sleep(600)
`
	holdScript = `import socket, time
held = []
try:
    while True:
        held.append(socket.create_connection(('127.0.0.1', 3000)))
except OSError:
    pass
time.sleep(600)
`
	// firewallScript answers as firewalld 0.6 does on a host that lets only ssh in.
	firewallScript = `#!/bin/sh
[ "$*" = --list-all ] || exit 2
printf 'public (active)\n  target: default\n  services: ssh dhcpv6-client\n  ports: \n  rich rules: \n\t\n'
`
	tlsConfig = `sites:
  - name: websocket
    server_name: ws.example.com
    listen: 443
    tls: {certificate: /etc/nginx/tls/cert.pem, key: /etc/nginx/tls/key.pem}
    locations: [{path: /, backend: "127.0.0.1:3000"}]
`
)

// newKey makes a self-signed certificate; the agent's proof does not ask who signed it.
const newKey = "mkdir -p /etc/nginx/tls && openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=ws.example.com -addext subjectAltName=DNS:ws.example.com " +
	"-keyout /etc/nginx/tls/key.pem -out /etc/nginx/tls/cert.pem -days 30 2>/dev/null && restorecon -R /etc/nginx/tls; "

const withTLS = newKey + "wsprovision apply --config /root/tls.yaml && "
const verifyTLS = "--config /root/tls.yaml --ca /etc/nginx/tls/cert.pem "

// Every cause of a failing WebSocket is brought about, and named, and no other.
func TestDiagnosis(t *testing.T) {
	t.Parallel()
	m := start(t, provisioned)
	for _, tt := range []struct {
		name    string
		make    string // commands as root
		verify  string // theSite, if empty
		want    string // code; "" where it has to be ok
		cause   string // in the cause
		proof   string // in the evidence
		warning string
	}{
		{name: "all is well"},
		{name: "a backend that is there is not replaced", verify: theSite + "--with-echo"},
		{name: "backend stopped", make: "systemctl stop ws-backend", want: "backend-not-running", cause: "127.0.0.1:3000 is not running", proof: "(111: Connection refused)"},
		{name: "backend stopped, an echo backend stands in", make: "systemctl stop ws-backend", verify: theSite + "--with-echo"},
		{name: "backend on IPv6", make: "systemctl stop ws-backend; systemd-run wsprovision echo --listen '[::1]:3000' && " + waitFor3000, want: "backend-ipv6-only", cause: "[::1]:3000"},
		{name: "SELinux, both missing", make: noSELinux, want: "selinux-name-connect-denied", cause: "both the boolean httpd_can_network_connect and the label http_port_t are missing", proof: "{ name_connect }"},
		{name: "SELinux, both missing, no auditd", make: noSELinux + "systemctl stop auditd; rm -f /var/log/audit/audit.log; ", want: "selinux-name-connect-denied", cause: "both", proof: "(13: Permission denied)"},
		{name: "SELinux permissive", make: noSELinux + "setenforce 0", warning: "selinux-would-deny"},
		{name: "label taken", make: "setsebool -P httpd_can_network_connect off && semanage port -m -t ssh_port_t -p tcp 3000", want: "backend-label-taken", cause: "ssh_port_t", proof: "{ name_connect }"},
		{name: "ports exhausted", make: "sysctl -w net.ipv4.ip_local_port_range='50000 50003' && systemd-run python3 /root/hold.py && sleep 3", want: "ports-exhausted", proof: "(99: "},
		{name: "name of the backend", make: "sed -i 's/server 127.0.0.1:3000/server nowhere.invalid:3000/' " + siteFile + "; " + restart, want: "upstream-name-unresolved", cause: "nowhere.invalid"},
		{name: "no Upgrade", make: "sed -i '/proxy_set_header Upgrade/d' " + siteFile + "; " + reload, want: "upgrade-header-missing", cause: "does not pass on Upgrade"},
		{name: "no Connection", make: "sed -i '/proxy_set_header Connection/d' " + siteFile + "; " + reload, want: "upgrade-header-missing", cause: "does not pass on Connection"},
		{name: "HTTP/1.0", make: ourEcho + "sed -i 's/proxy_http_version 1.1/proxy_http_version 1.0/' " + siteFile + "; " + reload, want: "upstream-http-1.0"},
		{name: "Origin", make: strict, verify: theSite + "--origin http://evil.example.org", want: "origin-refused", cause: "http://evil.example.org"},
		{name: "wrong path", make: strict + "wsprovision apply " + theSite + "--path /elsewhere/", verify: theSite + "--path /elsewhere/", want: "path-not-found", cause: "itself has nothing at /elsewhere/"},
		{name: "no such location", make: "sed -i 's,location /ws/,location /elsewhere/,' " + siteFile + "; " + reload, want: "path-not-found", cause: "passes nothing to a backend under /ws/"},
		{name: "trailing slash", make: strict + "sed -i 's,proxy_pass http://[a-z0-9_]*,&/,' " + siteFile + "; " + reload, want: "proxy-pass-slash", cause: "asks the backend for / in place of /ws/"},
		{name: "server_name taken", make: "printf 'server { listen 80; server_name ws.example.com; return 404; }\\n' >/etc/nginx/conf.d/aaa.conf; " + reload, want: "shadowed-server-name", cause: "comes first", proof: "/etc/nginx/conf.d/aaa.conf:1"},
		{name: "default_server", make: "printf 'server { listen 80 default_server; return 404; }\\n' >/etc/nginx/conf.d/zzz.conf; sed -i 's/server_name ws.example.com/server_name example.com/' " + siteFile + "; " + reload, want: "shadowed-default-server", cause: "default_server", proof: "/etc/nginx/conf.d/zzz.conf:1"},
		{name: "not included", make: "sed -i '/conf.d/d' /etc/nginx/nginx.conf; " + reload, want: "not-included", cause: "is not included by /etc/nginx/nginx.conf"},
		{name: "map inside server", make: "sed -i 's/^server {/server {\\n    map $http_upgrade $x { default upgrade; }/' " + siteFile + "; " + restart, want: "nginx-config-invalid", cause: "a map stands inside another block", proof: siteFile},
		{name: "brace", make: "sed -i '$d' " + siteFile + "; " + restart, want: "nginx-config-invalid", cause: "a brace is opened and not closed in " + siteFile},
		{name: "unknown directive", make: "sed -i 's/proxy_http_version/proxy_htp_version/' " + siteFile + "; " + restart, want: "nginx-config-invalid", cause: `unknown directive "proxy_htp_version"`},
		{name: "nginx stopped", make: "systemctl stop nginx", want: "nginx-not-running", proof: "inactive"},
		{name: "port 80 taken", make: "systemctl stop nginx; systemd-run --unit squatter python3 -m http.server 80 && sleep 3; systemctl start nginx", want: "nginx-bind-in-use", cause: "http.server 80"},
		{name: "port of another type", make: "sed -i 's/listen 80/listen 4881/' " + siteFile + "; " + restart, verify: theSite + "--listen 4881", want: "nginx-bind-denied", cause: "port 4881", proof: "{ name_bind }"},
		{name: "port of another type, on a reload", make: "sed -i 's/listen 80/listen 4881/' " + siteFile + "; " + reload, verify: theSite + "--listen 4881", want: "nginx-bind-denied", cause: "port 4881", proof: "{ name_bind }"},
		{name: "not reloaded", make: "cp " + siteFile + " /root/good; sed -i 's,location /ws/,location /elsewhere/,' " + siteFile + "; " + reload + "sleep 4; cat /root/good >" + siteFile, want: "nginx-older-configuration", proof: siteFile},
		{name: "IPv6 only", make: "sed -i 's/listen 80/listen [::]:80/' " + siteFile + "; " + reload, want: "listener-ipv6-only"},
		{name: "IPv4 only", verify: theSite + "--listen '80,[::]:80'", want: "listener-ipv4-only"},
		{name: "connections", make: "sed -i 's/worker_connections .*/worker_connections 10;/; s/worker_processes .*/worker_processes 1;/' /etc/nginx/nginx.conf; " + reload + crowd, want: "connections-exhausted", cause: "worker_connections is 10", proof: "worker_connections are not enough"},
		{name: "open files", make: "sed -i 's/worker_processes .*/worker_processes 1;/' /etc/nginx/nginx.conf; " + reload + "for p in $(pgrep -f '[n]ginx: worker'); do prlimit --pid $p --nofile=20:20; done; " + crowd, want: "open-files-exhausted", proof: "(24: Too many open files)"},
		{name: "TLS", make: withTLS + "true", verify: verifyTLS},
		{name: "certificate expired", make: withTLS + "date -s '+60 days' >/dev/null", verify: verifyTLS, want: "certificate-expired", cause: "expired on"},
		{name: "certificate of nobody known", make: withTLS + "true", verify: "--config /root/tls.yaml", want: "certificate-untrusted"},
		{name: "key of another certificate", make: withTLS + "openssl genrsa -out /etc/nginx/tls/key.pem 2048 2>/dev/null; " + restart, verify: verifyTLS, want: "certificate-key-mismatch", cause: "/etc/nginx/tls/key.pem"},
		{name: "key not there", make: withTLS + "rm /etc/nginx/tls/key.pem; " + restart, verify: verifyTLS, want: "certificate-key-unreadable", cause: "no such file"},
		{name: "key that SELinux hides", make: withTLS + "chcon -t shadow_t /etc/nginx/tls/key.pem; " + restart, verify: verifyTLS, want: "certificate-key-unreadable", cause: "permission denied"},
		{name: "firewalld", make: "systemd-run --unit firewalld sleep 600", warning: "firewalld-closed"},
		{name: "disk full", make: "systemctl stop nginx; mount -o remount,nr_inodes=$(($(df --output=iused /run | tail -1) + 100)) /run; i=0; while touch /run/full.$i; do i=$((i + 1)); done 2>/dev/null; systemctl start nginx", want: "disk-full"},
		{name: "name of the URL", verify: "--url ws://nowhere.invalid/", want: "name-unresolved"},
		{name: "silence of 60 s", make: "sed -i '/proxy_read_timeout/d' " + siteFile + "; " + reload, verify: theSite + "--idle 70s", want: "proxy-read-timeout", cause: "after 60 s", proof: "idle connection was cut after 60."},
		{name: "silence as configured", verify: theSite + "--idle 70s"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m.enter(t, provisioned)
			for name, text := range map[string]string{"/opt/ws-backend/strict.js": strictServer, "/root/crowd.py": crowdScript, "/root/hold.py": holdScript, "/root/tls.yaml": tlsConfig} {
				m.put(t, name, []byte(text), 0o644)
			}
			if tt.name == "firewalld" {
				m.put(t, "/usr/bin/firewall-cmd", []byte(firewallScript), 0o755)
			}
			out, _ := m.run(tt.make)
			if tt.verify == "" {
				tt.verify = theSite
			}
			before := m.untouchedByVerify(t)
			v := m.verify(t, tt.verify)
			before()
			if got := v.codes(); got != tt.want || (v.Result == "ok") != (tt.want == "") {
				t.Errorf("%s, diagnosis %q, want %q", v.Result, got, tt.want)
			}
			if tt.warning != "" && (len(v.Warnings) != 1 || v.Warnings[0].Code != tt.warning) || tt.warning == "" && len(v.Warnings) > 0 {
				t.Errorf("warnings %+v, want %q", v.Warnings, tt.warning)
			}
			for _, target := range v.Targets {
				if d := target.Diagnosis; d != nil && (!strings.Contains(d.Cause, tt.cause) || !strings.Contains(strings.Join(d.Evidence, "\n"), tt.proof) || d.Mend == "") {
					t.Errorf("%s: %s\nmend: %s\nwant …%s…, evidence …%s…:\n  %s", d.Code, d.Cause, d.Mend, tt.cause, tt.proof, strings.Join(d.Evidence, "\n  "))
				}
			}
			if t.Failed() {
				t.Logf("%s\n%s\n%+v", tt.make, out, v)
			}
		})
	}
}

// untouchedByVerify fails the test where a verify has changed a file or a setting.
func (m *machine) untouchedByVerify(t testing.TB) func() {
	t.Helper()
	const state = "find /etc/nginx /etc/selinux /var/lib/selinux /var/lib/wsprovision /etc/systemd -type f -printf '%p %T@ %s\\n' | sort | sha256sum; cat /sys/fs/selinux/enforce; getsebool -a | sha256sum; pgrep -x nginx"
	before, _ := m.run(state)
	return func() {
		t.Helper()
		if after, _ := m.run(state); after != before {
			t.Errorf("verify changed the host:\n%s\nwas\n%s", after, before)
		}
	}
}
