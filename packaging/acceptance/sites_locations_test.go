//go:build acceptance

package acceptance

import (
	"strings"
	"testing"
)

const locationsSite = `  - name: locations
    server_name: ws.example.com
    default_server: reject
    locations:
      - path: /origins/
        backend: 127.0.0.1:3000
        allowed_origins: ["https://app.example.com", "http://localhost:8080"]
      - {path: /only/, backend: "127.0.0.1:3000", websocket: only, allowed_origins: any}
      - path: /many/
        backend: 127.0.0.1:3000
        allowed_origins: any
        limits: {connections_per_client: 2}
      - path: /fast/
        backend: 127.0.0.1:3000
        allowed_origins: any
        limits: {requests_per_second: 1, burst: 2}
      - {path: /exact, match: exact, backend: "127.0.0.1:3000", websocket: false, request_headers: {X-Tenant: blue}}
      - {path: "^/re[0-9]+$", match: regex, backend: "127.0.0.1:3000", websocket: false}
      - {path: /strip/, strip_prefix: true, backend: "127.0.0.1:3000", websocket: false, max_body: 1k}
      - {path: /files/, root: /srv/site}
      - {path: /secret/, backend: "127.0.0.1:3000", websocket: false, basic_auth_file: /etc/nginx/users}
      - {path: /inside/, backend: "127.0.0.1:3000", websocket: false, allow: 127.0.1.0/24, deny: 127.0.1.66}
      - {path: /beat/, backend: "127.0.0.1:3000", allowed_origins: any, heartbeat: 1s}
      - {path: /snippet/, backend: "127.0.0.1:3000", websocket: false, snippet: "add_header X-Snippet yes;"}
`

// TestSiteLocations asks each kind of location as clients do.
func TestSiteLocations(t *testing.T) {
	t.Parallel()
	m := start(t, labelled)
	m.must(t, "systemctl stop ws-backend; echo 127.0.0.1 ws.example.com >>/etc/hosts; mkdir -p /srv/site/files && "+
		"echo still >/srv/site/files/page.txt && chcon -R -t httpd_sys_content_t /srv/site; echo \"user:$(openssl "+
		"passwd -apr1 password)\" >/etc/nginx/users")
	m.apps(t, "app 127.0.0.1:3000")
	before := m.untouched(t, sitesBefore)
	m.writeSites(t, locationsSite)
	m.applies(t, 2, "with a heartbeat of 1s a silent connection is closed after 3s",
		"what the snippet does is not checked")
	const at = "http://ws.example.com"
	m.prints(t, map[string]string{
		upgrades(at + "/origins/"): "101", // no Origin is no browser
		upgrades("-H 'Origin: https://app.example.com' " + at + "/origins/"):      "101",
		upgrades("-H 'Origin: http://localhost:8080' " + at + "/origins/"):        "101",
		upgrades("-H 'Origin: https://app.example.com:8443' " + at + "/origins/"): "403",
		upgrades("-H 'Origin: http://app.example.com' " + at + "/origins/"):       "403",
		upgrades("-H 'Origin: https://evil.example.com' " + at + "/origins/"):     "403",
		upgrades("-H 'Origin: null' " + at + "/origins/"):                         "403",
		upgrades(at + "/only/"): "101",
		"curl -si " + at + "/only/ | tr -d '\\r' | grep -i -e ^HTTP -e ^upgrade": "HTTP/1.1 426 \nUpgrade: websocket",
		asks(at + "/exact"):                           "200",
		asks(at + "/exact/x"):                         "404",
		"curl -s " + at + "/exact | grep -i x-tenant": "X-Tenant: blue",
		asks(at + "/re42"):                            "200",
		asks(at + "/re42x"):                           "404",
		"curl -s " + at + "/strip/a/b?c | grep ^Path": "Path: /a/b?c",
		"head -c 2000 /dev/zero | " + asks("--data-binary @- "+at+"/strip/"): "413",
		"curl -s " + at + "/files/page.txt":                                  "still",
		asks(at + "/secret/"):                                                "401",
		asks("-u user:password " + at + "/secret/"):                          "200",
		asks(at + "/inside/"):                                                "403",
		asks("--interface 127.0.1.1 " + at + "/inside/"):                     "200",
		asks("--interface 127.0.1.66 " + at + "/inside/"):                    "403",
		"curl -si " + at + "/snippet/ | grep -ic x-snippet":                  "1",
		asks(at + "/nowhere"):                                                "404",
		asks("http://nobody@127.0.0.1/only/") + "; echo /$?":                 "000/52", // default_server: reject
		upgrades("-H 'Host: ws.example.com' -g 'http://[::1]/only/'"):        "101",    // IPv6 listens by default
	})
	m.limits(t)
	m.applies(t, 0)
	m.must(t, "wsprovision revert")
	before()
}

// limitsScript holds two WebSockets and counts what a third and a hasty client get.
const limitsScript = `import asyncio, time, urllib.request, urllib.error, websockets
def connect(path):
    return websockets.connect('ws://ws.example.com' + path)

async def status(path):
    try:
        async with connect(path):
            return 101
    except websockets.InvalidStatusCode as e:
        return e.status_code

def plain(path):
    try:
        return urllib.request.urlopen('http://ws.example.com' + path).status
    except urllib.error.HTTPError as e:
        return e.code

async def main():
    async with connect('/many/'), connect('/many/'):
        print('a third:', await status('/many/'))
    await asyncio.sleep(1)
    print('after them:', await status('/many/'))
    all = [plain('/fast/') for _ in range(8)]
    print('hasty:', sorted(set(all)), all[:3], all.count(429) > 2)
    async with connect('/beat/') as silent:
        began = time.time()
        try:
            await asyncio.wait_for(silent.recv(), 15)
        except websockets.ConnectionClosed:
            print('silent:', 2 < time.time() - began < 10)
asyncio.run(main())
`

func (m *machine) limits(t testing.TB) {
	t.Helper()
	m.put(t, "/root/limits.py", []byte(limitsScript), 0o644)
	got := m.must(t, "python3 /root/limits.py")
	want := strings.Join([]string{"a third: 429", "after them: 101", "hasty: [200, 429] [200, 200, 200] True",
		"silent: True"}, "\n")
	if got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
}
