//go:build diagnosis

package diagnosis

import (
	"strings"
	"time"
)

// What keeps nginx from a backend that is well, though neither a mode nor SELinux does; and a second cause behind one.
func seenRows() []row {
	const denied, down, missing = "backend-socket-denied", "backend-not-running", "upgrade-header-missing"
	at := func(socket string) string { return serves(location("/ws/", "http://unix:"+socket, headers)) }
	on := func(paths ...string) (all []backend) {
		for _, p := range paths {
			all = append(all, backend{at: p, serves: echo})
		}
		return all
	}
	const apart = "mkdir -p /var/tmp; systemctl stop nginx; unshare --mount sh -c 'mount -t tmpfs tmpfs /var/tmp && " +
		"systemctl start nginx'"
	elsewhere := sed("s,/var/tmp/app.sock,/run/app/app.sock,")
	outer := func(fields string) string { return serves(location("/ws/", "http://127.0.0.1:8080", fields)) }
	inner := func(fields string) string { return listening("8080", serves(passes(fields))) }
	rows := []row{
		{situation: "nginx has a /var/tmp of its own (PrivateTmp), and the socket is in the host's",
			backends: on("/var/tmp/app.sock", "/run/app/app.sock"), site: at("/var/tmp/app.sock"),
			after: "chmod 666 /var/tmp/app.sock /run/app/app.sock; " + apart, want: denied,
			cause: "does not see it & nginx.service has PrivateTmp=", says: "below /run", not: "SELinux & by its mode",
			edit: elsewhere},
		{situation: "the backend has a /var/tmp of its own (PrivateTmp), and its socket in it",
			backends: on("/run/app/app.sock"), site: at("/var/tmp/app.sock"),
			after: "mkdir -p /var/tmp; chmod 666 /run/app/app.sock; unshare --mount sh -c 'mount -t tmpfs tmpfs " +
				"/var/tmp && exec python3 -c " +
				"\"import socket, time\ns = socket.socket(1)\ns.bind(\\\"/var/tmp/app.sock\\\")\ns.listen()\n" +
				"time.sleep(28)\"' >/dev/null 2>&1 & for i in $(seq 100); do grep -q /var/tmp/app.sock " +
				"/proc/net/unix && " +
				"break; sleep 0.02; done", want: denied, cause: "does not see it & the backend (process",
			proof: "in mounts of its own", says: "below /run", not: "SELinux & by its mode", edit: elsewhere},
		{situation: "the socket was removed under the backend", backends: on("/srv/app/app.sock"),
			site: at("/srv/app/app.sock"), after: "rm /srv/app/app.sock", want: down,
			cause: "was removed & still listens", says: "restart the backend", not: "PrivateTmp", noMend: true},
		{situation: "nginx has a /var/tmp of its own, and the socket's mode is as it should be, and nobody listens",
			backends: []backend{}, site: at("/var/tmp/app.sock"), after: apart, want: down,
			cause: "is not there", not: "PrivateTmp & SELinux", noMend: true},
		{situation: "a security module refuses a connection, and says nothing", site: serves(passes(headers)),
			after: "systemctl stop nginx; DIAGNOSIS_ROLE=denied /usr/local/bin-test /usr/local/sbin/systemctl " +
				"start nginx",
			want: none, proof: "(13: & takes a connection of this program & SELinux: & security modules",
			not: "prohibit & SELinux denies"},
		{situation: "a security module refuses a socket, and says nothing", backends: on("/srv/app/app.sock"),
			site: at("/srv/app/app.sock"),
			after: "chmod 666 /srv/app/app.sock; systemctl stop nginx; DIAGNOSIS_ROLE=denied /usr/local/bin-test " +
				"/usr/local/sbin/systemctl start nginx", want: none,
			proof: "(13: & the file modes let nginx's user (uid 990) write to /srv/app/app.sock & security modules",
			not:   "prohibit & SELinux denies"},
		{situation: "two listeners of nginx one behind the other, and neither has the headers",
			site: outer(http11) + inner(http11), want: missing, proof: "a second cause", says: siteFile + ":13",
			edit: sed("s/proxy_http_version 1.1; *$/& " + upgrade + connection + "/")},
		{situation: "two listeners of nginx one behind the other, and neither speaks HTTP/1.1",
			site: outer(upgrade+connection) + inner(upgrade+connection), want: "upstream-http-1.0",
			proof: "a second cause", says: siteFile + ":13",
			edit: sed("s/" + strings.TrimSpace(upgrade) + "/& " + http11 +
				"/")},
		{situation: "the outer listener has no headers, and the inner one's backend is down", backends: []backend{},
			site: outer(http11) + inner(headers), want: down, cause: "127.0.0.1:3000", proof: "a second cause",
			noMend: true},
		{situation: "local ports run out while many are tried, and are free again after it",
			backends: []backend{{at: "127.0.0.1:3000", serves: slow(300 * time.Millisecond)}},
			site:     serves(passes(headers)),
			before:   "sysctl -w net.ipv4.tcp_max_tw_buckets=0 net.ipv4.ip_local_port_range='50000 50099'",
			after: "python3 -c 'import socket, time\nto = (\"127.0.0.1\", 3000)\n" +
				"held = [socket.create_connection(to) for i in " +
				"range(70)]\ntime.sleep(28)' >/dev/null 2>&1 & " + sockets("70", "3000"),
			verify: theURL + " --count 120 --concurrency 60", want: "ports-exhausted",
			proof: "while it ran & connections to port 3000 & 50000 50099", says: "ss -tnp",
			edit: "sysctl -w net.ipv4.ip_local_port_range='32768 60999'"},
	}
	return of("What nginx sees", rows)
}
