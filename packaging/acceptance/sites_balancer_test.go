//go:build acceptance

package acceptance

import (
	"strings"
	"testing"
)

const (
	balancedSites = `  - name: proxied
    server_name: ws.example.com
    listen: "8008 proxy_protocol"
    trusted_proxies: 127.0.0.2
    real_ip_header: proxy_protocol
    locations: [{path: /, backend: "127.0.0.1:3000", allowed_origins: any}]
  - name: forwarded
    server_name: ws.example.com
    listen: 8009
    trusted_proxies: 127.0.0.2
    locations: [{path: /, backend: "127.0.0.1:3000", allowed_origins: any}]
`
	// balancer talks to nginx from 127.0.0.2, by the PROXY protocol and by headers.
	balancer = `defaults
    mode http
    timeout connect 5s
    timeout client 1m
    timeout server 1m
frontend proxied
    bind 127.0.0.1:8001
    default_backend proxied
backend proxied
    server nginx 127.0.0.1:8008 send-proxy source 127.0.0.2
frontend forwarded
    bind 127.0.0.1:8002
    http-request set-header X-Forwarded-Proto https
    option forwardfor
    default_backend forwarded
backend forwarded
    server nginx 127.0.0.1:8009 source 127.0.0.2
`
)

// TestSiteBehindBalancer puts a real HAProxy in front: who the client is comes from it, and from nobody else.
func TestSiteBehindBalancer(t *testing.T) {
	t.Parallel()
	m := start(t, labelled)
	before := m.untouched(t, sitesBefore)
	m.put(t, "/root/haproxy.cfg", []byte(balancer), 0o644)
	m.must(t, "systemctl stop ws-backend; systemd-run -q --unit balancer haproxy -db -f /root/haproxy.cfg")
	m.apps(t, "app 127.0.0.1:3000")
	m.writeSites(t, balancedSites)
	m.applies(t, 2)
	m.applies(t, 0)
	const forged = "-H 'X-Forwarded-For: 192.0.2.66' -H 'X-Forwarded-Proto: https' "
	m.prints(t, map[string]string{
		saw("--interface 127.0.0.9 http://127.0.0.1:8001/"):               "127.0.0.9 127.0.0.9 http",
		saw("--interface 127.0.0.9 " + forged + "http://127.0.0.1:8001/"): "127.0.0.9 127.0.0.9 http",
		saw("--interface 127.0.0.9 http://127.0.0.1:8002/"):               "127.0.0.9 127.0.0.9, 127.0.0.2 https",
		saw(forged + "http://127.0.0.1:8009/"):                            "127.0.0.1 127.0.0.1 http",
		asks("http://127.0.0.1:8008/") + " || :":                          "000", // no PROXY line
		"exec 3<>/dev/tcp/127.0.0.1/8008; printf 'PROXY TCP4 192.0.2.66 127.0.0.1 1 1\\r\\nGET / HTTP/1.0\\r\\n" +
			"Host: ws.example.com\\r\\n\\r\\n' >&3; grep -i ^x-real-ip <&3 | tr -d '\\r'": "X-Real-IP: 127.0.0.1",
		"python3 - <<'END'\n" + throughBalancer + "END": "app: hello\napp: hello",
	})
	m.otherFolder(t)
	m.must(t, "wsprovision revert && cp /root/nginx.conf /etc/nginx/")
	before()
}

// otherFolder has http{} include another folder than conf.d: the sites move there. Where it includes none, nothing is
// changed, and the line to add is told.
func (m *machine) otherFolder(t testing.TB) {
	t.Helper()
	const replace = "sed 's|include /etc/nginx/conf.d/\\*.conf;|%|' /root/nginx.conf >/etc/nginx/nginx.conf"
	m.must(t, "cp /etc/nginx/nginx.conf /root/; mkdir /etc/nginx/sites-enabled")
	const folders = "/etc/nginx/conf.d /etc/nginx/sites-enabled "
	check := m.untouched(t, strings.Replace(fingerprint, "/etc/nginx ", folders, 1))
	m.must(t, strings.Replace(replace, "%", "", 1))
	m.applies(t, 1, `add the line "include /etc/nginx/conf.d/*.conf;" to its http block`)
	check()
	m.must(t, strings.Replace(replace, "%", "include /etc/nginx/sites-enabled/*;", 1))
	m.applies(t, 2, "the files of sites go to /etc/nginx/sites-enabled")
	m.applies(t, 0)
	m.prints(t, map[string]string{
		"ls /etc/nginx/conf.d /etc/nginx/sites-enabled": "/etc/nginx/conf.d:\n\n/etc/nginx/sites-enabled:\n" +
			"_wsprovision.conf\nforwarded.conf\nproxied.conf",
		"restorecon -nRv /etc/nginx":  "",
		saw("http://127.0.0.1:8009/"): "127.0.0.1 127.0.0.1 http",
	})
	m.must(t, "echo '# by hand' >>/etc/nginx/sites-enabled/proxied.conf")
	m.applies(t, 1, "/etc/nginx/sites-enabled/proxied.conf was edited since the agent wrote it")
	m.must(t, "sed -i '$d' /etc/nginx/sites-enabled/proxied.conf")
}

// saw is a command that prints what the backend sees as X-Real-IP, X-Forwarded-For and X-Forwarded-Proto.
func saw(options string) string {
	return "curl -s -m 10 -H 'Host: ws.example.com' " + options +
		" | sed -n 's/^x-\\(real-ip\\|forwarded-for\\|forwarded-proto\\): //Ip' | paste -sd' '"
}

const throughBalancer = `import asyncio, websockets
async def main():
    for port in 8001, 8002:
        async with websockets.connect('ws://ws.example.com/', host='127.0.0.1', port=port) as socket:
            await socket.send('hello')
            print(await socket.recv())
asyncio.run(main())
`
