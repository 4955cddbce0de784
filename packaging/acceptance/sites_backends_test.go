//go:build acceptance

package acceptance

import (
	"strings"
	"testing"
)

const backendsSite = `  - name: backends
    server_name: ws.example.com
    default_server: "true"
    locations:
      - {path: /run/, backend: "unix:/run/app/app.sock", allowed_origins: any}
      - {path: /srv/, backend: "unix:/srv/app/app.sock", allowed_origins: any}
      - path: /tls/
        backend: https://127.0.0.1:3443
        backend_tls: {ca: /etc/pki/site/ca.pem, name: app.example.com}
        allowed_origins: any
      - {path: /two/, backend: ["127.0.0.1:3101", "127.0.0.1:3102"], balance: ip_hash, allowed_origins: any}
`

// holdTwenty opens WebSockets from twenty networks, which ip_hash tells apart, and says on /run/held which backend each
// has. When one of the backends is gone it wants the other's still open, and a new one from each network to it.
const holdTwenty = `import asyncio, collections, subprocess, websockets
networks = ['127.0.%d.1' % n for n in range(1, 21)]

def connect(address):
    return websockets.connect('ws://ws.example.com/two/', host='127.0.0.1', port=80, local_addr=(address, 0))

async def whose(socket):
    await socket.send('hello')
    return (await asyncio.wait_for(socket.recv(), 20)).split(':')[0]

async def again(address):
    async with connect(address) as socket:
        return await whose(socket)

async def still(socket):
    try:
        return await whose(socket)
    except websockets.ConnectionClosed:
        return 'closed'

async def main():
    held = [await connect(a) for a in networks]
    first = [await whose(s) for s in held]
    twice = [await again(a) for a in networks for _ in range(2)]
    print('two backends:', len(set(first)), 'the same again:', twice == [f for f in first for _ in range(2)])
    subprocess.run(['systemctl', 'kill', '-s', 'KILL', 'app-' + first[0]], check=True)
    await asyncio.sleep(1)
    now = [await still(s) for s in held]
    wanted = ['closed' if f == first[0] else f for f in first]
    print('the survivor keeps its own:', now == wanted)
    print('and takes over:', {await again(a) for a in networks} == set(first) - {first[0]})
asyncio.run(main())
`

// TestSiteBackends: sockets below /run and elsewhere, TLS, and two of which one dies; all labels in one transaction,
// and none of it left after a revert.
func TestSiteBackends(t *testing.T) {
	t.Parallel()
	m := start(t, labelled)
	m.must(t, pki+"issue app app.example.com; issue other other.example.com; mkdir -p /srv/app /run/app")
	m.apps(t, "run /run/app/app.sock", "srv /srv/app/app.sock", "one 127.0.0.1:3101", "two 127.0.0.1:3102",
		"tls 127.0.0.1:3443 /etc/pki/site/app.pem /etc/pki/site/app.key")
	before := m.untouched(t, sitesBefore+"; stat -c %C /srv/app /srv/app/app.sock | cut -d: -f3")
	m.writeSites(t, backendsSite)
	out := m.applies(t, 2, "port tcp/3101", "port tcp/3102", "port tcp/3443", "file context of /srv/app(/.*)?",
		"ws://ws.example.com/srv/ through 127.0.0.1:80: 101")
	if n := strings.Count(out, "run semanage import"); n != 1 {
		t.Errorf("%d transactions, want one:\n%s", n, out)
	}
	m.prints(t, map[string]string{
		"semanage port -l -C | grep -w http_port_t | grep -ow -e 3101 -e 3102 -e 3443 | wc -l": "3",
		"restorecon -nRv /srv": "",
		"stat -c %C /srv/app /srv/app/app.sock | cut -d: -f3 | uniq": "httpd_runtime_t",
		"stat -c %a /srv/app/app.sock":                               "666",
	})
	for _, name := range []string{"run", "srv", "tls", "one\\|two"} {
		path := strings.Replace(name, "one\\|two", "two", 1)
		m.must(t, "echo hello | wsprovision connect ws://127.0.0.1/"+path+"/ | grep -x '\\("+name+"\\): hello'")
	}
	m.applies(t, 0)
	m.outlives(t)
	m.distrusts(t)
	m.must(t, "wsprovision revert")
	before()
}

// outlives has one of two backends die under open WebSockets.
func (m *machine) outlives(t testing.TB) {
	t.Helper()
	m.put(t, "/root/twenty.py", []byte(holdTwenty), 0o644)
	got := m.must(t, "python3 /root/twenty.py")
	want := "two backends: 2 the same again: True\nthe survivor keeps its own: True\nand takes over: True"
	if got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
	m.must(t, "systemctl reset-failed 'app-*'")
}

// distrusts: a backend whose certificate is another's is answered for with 502, and the proof says why.
func (m *machine) distrusts(t testing.TB) {
	t.Helper()
	m.must(t, "cd /etc/pki/site && systemctl stop app-tls && rm /run/app.tls")
	m.apps(t, "tls 127.0.0.1:3443 /etc/pki/site/other.pem /etc/pki/site/other.key")
	m.prints(t, map[string]string{asks("http://127.0.0.1/tls/x"): "502"})
	m.applies(t, 0, "certificate is valid for other.example.com, not app.example.com")
}
