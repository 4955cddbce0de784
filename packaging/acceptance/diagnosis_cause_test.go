//go:build acceptance

package acceptance

import (
	"strings"
	"testing"
)

// cause is one thing that keeps a WebSocket from going through, or that may look as if it did.
type cause struct {
	name    string
	from    *state // workshop, if nil
	make    string // commands as root
	verify  string // theSite, if empty
	want    string // code; "" where it has to be ok
	warning string // code of a warning, where it has to be ok all the same
	check   string // the first check that fails; "" where it is the handshake
	cause   string // in the cause
	proof   string // in the evidence; several are separated by " & "
	mend    string // in the command
	mends   bool   // the command is run as it stands, and then all is well
	outside bool   // the host, which is outside, comes through only after that
	also    func(testing.TB, *machine, verdict)
}

const errorLog = "/var/log/nginx/error.log"

// hostileClient writes into nginx's error log for as long as verify looks at it: by Referer in a line about the site's
// own path, which nginx logs because of the length, and by line ends in a path that is not there.
const hostileClient = `
cat >/root/hostile <<'END'
for i in $(seq 300); do
	curl -s -m 2 -o /dev/null -X GET -H "Host: ws.example.com" -H "Content-Length: 99999999" \
		-e 'connect() to $(touch${IFS}/tmp/x) failed (113: No route to host)' http://127.0.0.1/ws/
	line=2026/01/01%2000:00:00%20%5Balert%5D%201%231:%201024%20worker_connections%20are%20not%20enough
	curl -s -m 2 -o /dev/null "http://127.0.0.1/x%0a$line%0a"
	sleep 0.1
done
END
systemd-run --unit hostile bash /root/hostile
for i in $(seq 100); do grep -q worker_connections /var/log/nginx/error.log && break; sleep 0.1; done`

// hiddenSocket has nginx pass to a socket that everybody may write to, in a directory with a label that httpd_t may
// not.
const hiddenSocket = "mkdir -p /srv/app && chcon -t var_t /srv/app && systemd-run --unit sock python3 -c 'import " +
	"socket, time; s = socket.socket(socket.AF_UNIX); s.bind(\"/srv/app/app.sock\"); s.listen(); time.sleep(600)' && " +
	"for i in $(seq 50); do test -S /srv/app/app.sock && break; sleep 0.2; done; chmod 666 /srv/app/app.sock; sed -i " +
	"'s,server 127.0.0.1:3000,server unix:/srv/app/app.sock,' " + siteFile + "; " + reload

// theSite is the site of applyCommand, for verify.
const theSite = siteFlags + " "

const (
	siteFile = "/etc/nginx/conf.d/websocket.conf"
	// restart fails where the configuration is no good; that is what the scenario is about.
	restart = "systemctl stop nginx; systemctl reset-failed nginx; systemctl start nginx; "
	reload  = "systemctl reload nginx && sleep 1; "
	// ourEcho puts our backend in place of the npm package's.
	ourEcho = "systemctl stop ws-backend; systemd-run --unit echo wsprovision echo --listen 127.0.0.1:3000 && " +
		waitFor3000
	strict = "systemctl stop ws-backend; systemd-run --unit strict --working-directory=/opt/ws-backend node " +
		"strict.js && " + waitFor3000
	// waitFor3000 waits for the port without a WebSocket.
	waitFor3000 = "for i in $(seq 50); do ss -Hltn 'sport = :3000' | grep -q . && break; sleep 0.2; done; "
	crowd       = "systemd-run --unit crowd python3 /root/crowd.py && sleep 2; "
	firewall    = "systemctl unmask firewalld 2>/dev/null; systemctl start firewalld; "
	verifyTLS   = "--config /root/tls.yaml --ca /etc/nginx/tls/cert.pem "
)

// backendAt has nginx pass to another address.
func backendAt(address string) string {
	return "sed -i 's/server 127.0.0.1:3000/server " + address + "/' " + siteFile + "; " + reload
}

// blockBefore is another's server block, which nginx reads before ours.
func blockBefore(block string) string {
	return "echo '" + block + "' >/etc/nginx/conf.d/aaa.conf; "
}

const passingOn = "proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection upgrade;"

// The causes that nothing is done for come first in each state: the machine need not be restored between them.
var causes = []cause{
	{name: "all is well", also: checksAre("tcp upgrade headers accept text-echo binary-64k-echo ping close " +
		"no-upgrade-without-header")},
	{name: "a backend that is there is not replaced", verify: theSite + "--with-echo",
		also: func(t testing.TB, _ *machine, v verdict) {
			if v.Targets[0].Echo {
				t.Error("an echo backend stood in for one that is there")
			}
		}},
	{name: "percentiles", verify: theSite + "--count 40 --concurrency 8", also: timed},
	{name: "IPv4 only", verify: bareSite + " --listen '80,[::]:80'", want: "listener-ipv4-only",
		cause: "[::1]:80 is IPv6"},
	{name: "no listener", verify: bareSite + " --listen 8008", want: "listener-missing", check: "tcp",
		cause: "127.0.0.1:8008"},
	{name: "name of the URL", verify: "--url ws://nowhere.invalid/", want: "name-unresolved", check: "tcp"},
	{name: "port of the URL", verify: "--url ws://127.0.0.1:81/", want: "address-refuses", check: "tcp",
		cause: "nothing listens on 127.0.0.1:81"},

	// The backend.
	{name: "backend stopped", make: "systemctl stop ws-backend", want: "backend-not-running",
		cause: "127.0.0.1:3000 is not running", proof: "(111: Connection refused)"},
	{name: "backend stopped, an echo backend stands in", make: "systemctl stop ws-backend", verify: theSite +
		"--with-echo", also: func(t testing.TB, _ *machine, v verdict) {
		if !v.Targets[0].Echo {
			t.Error("no echo backend stood in")
		}
	}},
	{name: "our echo backend", make: ourEcho, also: func(t testing.TB, m *machine, _ verdict) {
		if log := m.must(t, "journalctl -u echo -o cat"); !strings.Contains(log, "Client connected") {
			t.Errorf("it does not log who connects:\n%s", log)
		}
	}},
	{name: "backend on IPv6",
		make: "systemctl stop ws-backend; systemd-run wsprovision echo --listen '[::1]:3000' && " + waitFor3000,
		want: "backend-ipv6-only", cause: "[::1]:3000"},
	{name: "backend on IPv4", make: backendAt("[::1]:3000"),
		verify: strings.Replace(theSite, "127.0.0.1:3000", "'[::1]:3000'", 1), want: "backend-ipv4-only",
		cause: "127.0.0.1:3000", proof: "(111: Connection refused)"},
	{name: "no route to the backend", make: "ip route add unreachable 192.0.2.7; " + backendAt("192.0.2.7:3000"),
		want: "backend-unreachable", cause: "192.0.2.7", proof: "(113: "},
	{name: "13, and not of SELinux", make: "ip route add prohibit 192.0.2.7; " + backendAt("192.0.2.7:3000"),
		want: "backend-unreachable", cause: "192.0.2.7"},
	{name: "backend silent", make: liar("silent"), verify: theSite + "--timeout 3s", want: "backend-not-answering",
		cause: "takes the connection and does not answer"},
	{name: "backend without a pong", make: liar("mute"), verify: theSite + "--timeout 3s",
		want: "backend-not-answering", check: "ping", cause: "does not answer a ping"},
	{name: "backend refuses, and a hostile client writes into the log", make: liar("busy") + hostileClient,
		want:  "backend-refused",
		cause: "(503)", mend: "the backend's own log says why", also: func(t testing.TB, m *machine, _ verdict) {
			m.must(t, "systemctl stop hostile; grep -q 'touch.*IFS.* failed (113: ' "+errorLog+
				" && grep -q '^2026/01/01 00:00:00 .alert. .* 1024 worker_connections are not enough' "+errorLog)
		}},
	{name: "backend closes a silent WebSocket", make: liar("hasty"), verify: theSite + "--idle 6s",
		want: "backend-closes-idle", check: "idle", cause: "nginx would wait longer"},
	{name: "backend garbles", make: liar("garble"), want: "backend-does-not-echo", check: "text-echo",
		cause: "damaged"},
	{name: "backend cuts a long message", make: liar("short"), want: "backend-cuts-connection",
		check: "binary-64k-echo"},
	{name: "backend leaves without a close frame", make: liar("rude"), want: "backend-cuts-connection", check: "close"},
	{name: "wrong digest", make: liar("digest"), want: "not-a-websocket", check: "accept"},
	{name: "no Upgrade in the answer", make: liar("header"), want: "not-a-websocket", check: "headers"},
	{name: "not HTTP", make: backendAt("127.0.0.1:22"), want: "not-a-websocket", cause: "127.0.0.1:22"},
	{name: "upgraded unasked", make: liar("eager"), want: "upgraded-without-header",
		check: "no-upgrade-without-header"},
	{name: "Origin", make: strict, verify: theSite + "--origin http://evil.example.org", want: "origin-refused",
		cause: "http://evil.example.org"},
	{name: "wrong path", make: strict + "wsprovision apply " + theSite + "--path /elsewhere/", verify: theSite +
		"--path /elsewhere/", want: "path-not-found", cause: "itself has nothing at /elsewhere/"},

	// SELinux. Boolean and label are each enough, the label only while httpd_graceful_shutdown is on.
	{name: "SELinux, the label alone is enough", make: "setsebool httpd_can_network_connect off"},
	{name: "SELinux, the boolean alone is enough", from: unlabelled, make: "setsebool httpd_can_network_connect on"},
	{name: "SELinux, both missing", from: unlabelled, want: "selinux-name-connect-denied", mends: true,
		cause: "both the boolean httpd_can_network_connect and the label http_port_t are missing, and either would do",
		proof: "{ name_connect } & (13: Permission denied) & tcp/3000 is labelled ntop_port_t"},
	{name: "SELinux, both missing, the label alone would not do", from: unlabelled,
		make: "setsebool httpd_graceful_shutdown off", want: "selinux-name-connect-denied",
		cause: "the label alone would not do"},
	{name: "SELinux, the boolean missing",
		make: "setsebool httpd_can_network_connect off; setsebool httpd_graceful_shutdown off",
		want: "selinux-name-connect-denied", mends: true,
		cause: ": the boolean httpd_can_network_connect is off, and the label http_port_t alone does not do",
		proof: "{ name_connect } & tcp/3000 is labelled http_port_t",
		mend:  "setsebool -P httpd_can_network_connect on"},
	{name: "SELinux, the label in the store only", from: unlabelled,
		make: "semanage port -a -N -t http_port_t -p tcp 3000", want: "selinux-name-connect-denied", mends: true,
		cause: "either would do", proof: "tcp/3000 is labelled ntop_port_t", mend: "load_policy"},
	{name: "SELinux, both missing, no auditd", from: unlabelled,
		make: "systemctl stop auditd; rm -f /var/log/audit/audit.log; ", want: "selinux-name-connect-denied",
		cause: "both", proof: "(13: Permission denied) & { name_connect }"},
	{name: "SELinux permissive", from: unlabelled, make: "setenforce 0", warning: "selinux-would-deny", cause: "both",
		proof: "permissive=1"},
	{name: "nginx's domain is permissive by itself", from: unlabelled, make: "semanage permissive -a httpd_t",
		warning: "selinux-would-deny", cause: "permissive by itself", proof: "permissive=1", also: plansWarning},
	{name: "label taken", from: unlabelled, make: "semanage port -a -t ssh_port_t -p tcp 3000",
		want: "backend-label-taken", mends: true, cause: "ssh_port_t", proof: "{ name_connect }"},

	// What nginx's configuration says.
	{name: "name of the backend", make: strings.Replace(backendAt("nowhere.invalid:3000"), reload, restart, 1),
		want: "upstream-name-unresolved", check: "tcp", cause: "nowhere.invalid"},
	{name: "no Upgrade", make: "sed -i '/proxy_set_header Upgrade/d' " + siteFile + "; " + reload,
		want: "upgrade-header-missing", mends: true, cause: "does not pass on Upgrade", proof: "HTTP/1.1 4"},
	{name: "no Connection", make: "sed -i '/proxy_set_header Connection/d' " + siteFile + "; " + reload,
		want: "upgrade-header-missing", cause: "does not pass on Connection", proof: "HTTP/1.1 4"},
	{name: "HTTP/1.0", make: ourEcho + "sed -i 's/proxy_http_version 1.1/proxy_http_version 1.0/' " + siteFile + "; " +
		reload, want: "upstream-http-1.0"},
	{name: "a socket that SELinux hides", make: hiddenSocket, want: "selinux-denied", cause: "app.sock",
		proof: "(13: Permission denied) & avc:  denied", mend: "httpd_var_run_t"},
	{name: "no such location", make: "sed -i 's,location /ws/,location /elsewhere/,' " + siteFile + "; " + reload,
		want: "path-not-found", cause: "passes nothing to a backend under /ws/"},
	{name: "trailing slash", make: strict + "sed -i 's,proxy_pass http://[a-z0-9_]*,&/,' " + siteFile + "; " + reload,
		want: "proxy-pass-slash", cause: "asks the backend for / in place of /ws/"},
	{name: "deny", make: "sed -i 's,location /ws/ {,& deny all;,' " + siteFile + "; " + reload,
		want: "forbidden-by-nginx", proof: "access forbidden by rule"},
	{name: "a refusal of nginx's own", make: "sed -i 's,location /ws/ {,& if ($http_upgrade) { return 503; },' " +
		siteFile + "; " + reload, want: "answered-by-nginx", cause: "503", proof: siteFile},
	{name: "server_name taken", make: blockBefore("server { listen 80; server_name ws.example.com; return 404; }") +
		reload, want: "shadowed-server-name", cause: "comes first", proof: "/etc/nginx/conf.d/aaa.conf:1"},
	{name: "default_server", make: blockBefore("server { listen 80 default_server; return 404; }") +
		"sed -i 's/server_name ws.example.com/server_name example.com/' " + siteFile + "; " + reload,
		want: "shadowed-default-server", cause: "default_server", proof: "/etc/nginx/conf.d/aaa.conf:1"},
	{name: "listen address", make: blockBefore("server { listen 127.0.0.1:80; return 404; }") + reload,
		want: "shadowed-listen-address", cause: "/etc/nginx/conf.d/aaa.conf:1"},
	{name: "another default server", make: blockBefore("server { listen 80 default_server; return 404; }") + reload,
		also: checksAre("tcp upgrade headers accept text-echo binary-64k-echo ping close no-upgrade-without-header " +
			"other-host")},
	{name: "a default server that passes to our backend",
		make: blockBefore("server { listen 80 default_server; location / { proxy_pass http://127.0.0.1:3000; "+
			passingOn+" } }") + reload, want: "other-host-reaches-site", check: "other-host",
		proof: "/etc/nginx/conf.d/aaa.conf:1"},
	{name: "a default server with a WebSocket of its own",
		make: "systemd-run wsprovision echo --listen 127.0.0.1:3001; " +
			blockBefore("server { listen 80 default_server; location / { proxy_pass http://127.0.0.1:3001; "+passingOn+
				" } }") + reload},
	{name: "a default server that nginx has not read",
		make: blockBefore("server { listen 80 default_server; return 404; }") +
			"sleep 3; touch /etc/nginx/conf.d/aaa.conf", want: "nginx-older-configuration", check: "other-host",
		mends: true},
	{name: "not included", make: "sed -i '/conf.d/d' /etc/nginx/nginx.conf; " + reload, want: "not-included",
		cause: "is not included by /etc/nginx/nginx.conf"},
	{name: "map inside server",
		make: "sed -i 's/^server {/server {\\n    map $http_upgrade $x { default upgrade; }/' " + siteFile + "; " +
			restart, want: "nginx-config-invalid", check: "tcp", cause: "a map stands inside another block",
		also: placedAt("map .http_upgrade .x")},
	{name: "brace", make: "sed -i '$d' " + siteFile + "; " + restart, want: "nginx-config-invalid", check: "tcp",
		mends: true, cause: "a brace is opened and not closed in " + siteFile + ":"},
	{name: "unknown directive", make: "sed -i 's/proxy_http_version/proxy_htp_version/' " + siteFile + "; " + restart,
		want: "nginx-config-invalid", check: "tcp", cause: `unknown directive "proxy_htp_version"`,
		also: placedAt("proxy_htp_version")},
	{name: "IPv4 and IPv6", make: "wsprovision apply " + bareSite + " --listen '80,[::]:80'", verify: bareSite +
		" --listen '80,[::]:80'", also: func(t testing.TB, _ *machine, v verdict) {
		if len(v.Targets) != 2 || v.Targets[0].Address != "127.0.0.1:80" || v.Targets[1].Address != "[::1]:80" {
			t.Errorf("targets %+v, want one of each family", v.Targets)
		}
	}},
	{name: "IPv6 only", make: "sed -i 's/listen 80/listen [::]:80/' " + siteFile + "; " + reload,
		want: "listener-ipv6-only"},

	// What nginx does.
	{name: "nginx.service with another configuration",
		make: "echo 'events {} http { server { listen 8008; } }' >/etc/nginx/other.conf; mkdir -p " +
			"/run/systemd/system/nginx.service.d; printf '[Service]\\nExecStart=\\nExecStart=/usr/sbin/nginx -c " +
			"/etc/nginx/other.conf\\n' >/run/systemd/system/nginx.service.d/other.conf; systemctl daemon-reload; " +
			restart,
		want: "nginx-other-configuration", check: "tcp", cause: "/etc/nginx/other.conf",
		mend: "systemctl cat nginx.service"},
	{name: "nginx stopped", make: "systemctl stop nginx", want: "nginx-not-running", check: "tcp", mends: true,
		proof: "inactive"},
	{name: "nginx hangs", make: "kill -STOP $(pgrep -f '[n]ginx: worker')", verify: theSite + "--timeout 3s",
		want: "nginx-not-answering", proof: "T (stopped)"},
	{name: "port 80 taken", make: "systemctl stop nginx; systemd-run --unit squatter python3 -m http.server 80 && " +
		"sleep 3; systemctl start nginx", want: "nginx-bind-in-use", cause: "http.server 80"},
	{name: "port of another type", make: "sed -i 's/listen 80/listen 4881/' " + siteFile + "; " + restart,
		verify: bareSite + " --listen 4881", want: "nginx-bind-denied", check: "tcp", cause: "port 4881",
		proof: "{ name_bind }"},
	{name: "port of another type, on a reload", make: "sed -i 's/listen 80/listen 4881/' " + siteFile + "; " + reload,
		verify: bareSite + " --listen 4881", want: "nginx-bind-denied", check: "tcp", mends: true, cause: "port 4881",
		proof: "{ name_bind }"},
	{name: "not reloaded", make: "cp " + siteFile + " /root/good; sed -i 's,location /ws/,location /elsewhere/,' " +
		siteFile + "; " + reload + "sleep 4; cat /root/good >" + siteFile, want: "nginx-older-configuration",
		mends: true, proof: siteFile},
	{name: "connections", make: "sed -i 's/worker_connections .*/worker_connections 10;/; s/worker_processes " +
		".*/worker_processes 1;/' /etc/nginx/nginx.conf; " + reload + crowd, want: "connections-exhausted",
		cause: "worker_connections is 10", proof: "worker_connections are not enough"},
	{name: "open files", make: "sed -i 's/worker_processes .*/worker_processes 1;/' /etc/nginx/nginx.conf; " + reload +
		"for p in $(pgrep -f '[n]ginx: worker'); do prlimit --pid $p --nofile=20:20; done; " + crowd, verify: theSite +
		"--timeout 5s", want: "open-files-exhausted", proof: "(24: Too many open files)"},

	// TLS.
	{name: "TLS", from: secured, verify: verifyTLS,
		also: checksAre("tcp certificate upgrade headers accept text-echo binary-64k-echo ping close " +
			"no-upgrade-without-header")},
	{name: "certificate of nobody known", from: secured, verify: "--config /root/tls.yaml",
		want: "certificate-untrusted", check: "certificate"},
	{name: "any certificate, as asked", from: secured, verify: "--config /root/tls.yaml --insecure"},
	{name: "SNI", from: secured, make: newKey("other.example.com", "other") + blockBefore("server { listen 443 ssl; "+
		"server_name other.example.com; ssl_certificate /etc/nginx/tls/othercert.pem; ssl_certificate_key "+
		"/etc/nginx/tls/otherkey.pem; return 404; }") + reload, verify: verifyTLS,
		also: checksAre("tcp certificate upgrade headers accept text-echo binary-64k-echo ping close " +
			"no-upgrade-without-header other-host")},
	{name: "a whole chain", from: secured,
		make:   "bash /root/chain.sh; cat /etc/nginx/tls/{leaf,mid}.pem >/etc/nginx/tls/cert.pem; " + reload,
		verify: "--config /root/tls.yaml --ca /etc/nginx/tls/ca.pem"},
	{name: "a chain with a gap", from: secured,
		make:   "bash /root/chain.sh; cat /etc/nginx/tls/leaf.pem >/etc/nginx/tls/cert.pem; " + reload,
		verify: "--config /root/tls.yaml --ca /etc/nginx/tls/ca.pem", want: "certificate-untrusted",
		check: "certificate", cause: "missing from the chain", proof: "issued by CN=intermediate"},
	{name: "certificate expired", from: secured, make: "date -s '+120 days' >/dev/null", verify: verifyTLS,
		want: "certificate-expired", check: "certificate", cause: "expired on"},
	{name: "certificate of another name", from: secured, make: newKey("example.org", "") + reload, verify: verifyTLS,
		want: "certificate-wrong-name", check: "certificate", cause: "not for ws.example.com", proof: "example.org"},
	{name: "certificate not there", from: secured, make: "mv /etc/nginx/tls/cert.pem /root/; " + restart,
		verify: "--config /root/tls.yaml --ca /root/cert.pem", want: "certificate-unreadable", check: "tcp",
		cause: "no such file"},
	{name: "key of another certificate", from: secured,
		make: "openssl genrsa -out /etc/nginx/tls/key.pem 2048 2>/dev/null; " + restart, verify: verifyTLS,
		want: "certificate-key-mismatch", check: "tcp", cause: "/etc/nginx/tls/key.pem"},
	{name: "key not there", from: secured, make: "rm /etc/nginx/tls/key.pem; " + restart, verify: verifyTLS,
		want: "certificate-key-unreadable", check: "tcp", cause: "no such file"},
	{name: "key that SELinux hides", from: secured, make: "chcon -t shadow_t /etc/nginx/tls/key.pem; " + restart,
		verify: verifyTLS, want: "certificate-key-unreadable", check: "tcp", cause: "permission denied"},
	{name: "certificate that SELinux hides, before the reload", from: secured,
		make: "chcon -t shadow_t /etc/nginx/tls/cert.pem", verify: verifyTLS, also: refusesCertificate},
	{name: "no ssl", from: secured, make: "sed -i 's/listen 443 ssl/listen 443/' " + siteFile + "; " + reload,
		verify: verifyTLS, want: "tls-not-spoken", check: "certificate"},
	{name: "TLS of before 2008", from: secured, make: "sed -i 's/ssl_protocols .*/ssl_protocols TLSv1.1;/' " +
		siteFile + "; " + reload, verify: verifyTLS, want: "tls-refused", check: "certificate"},
	{name: "nginx hangs, TLS", from: secured, make: "kill -STOP $(pgrep -f '[n]ginx: worker')", verify: verifyTLS +
		"--timeout 3s", want: "nginx-not-answering", check: "certificate", proof: "T (stopped)"},

	// The host and the network.
	{name: "ports exhausted",
		make: "sysctl -w net.ipv4.ip_local_port_range='50000 50003' && systemd-run python3 /root/hold.py && sleep 3",
		want: "ports-exhausted", proof: "(99: "},
	{name: "disk full", make: "systemctl stop nginx; mount -o remount,nr_inodes=$(($(df --output=iused /run | tail " +
		"-1) + 100)) /run; i=0; while touch /run/full.$i; do i=$((i + 1)); done 2>/dev/null; systemctl start nginx",
		want: "disk-full", check: "tcp"},
	{name: "firewalld", make: firewall, warning: "firewalld-closed", proof: "ssh", mend: "--add-service=http",
		mends: true, outside: true},
	{name: "another's firewall, firewalld closed here", make: firewall + "ip route add unreachable 192.0.2.1",
		verify: "--url ws://192.0.2.1/", want: "address-unreachable", check: "tcp"},
}
