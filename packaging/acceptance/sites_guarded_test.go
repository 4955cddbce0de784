//go:build acceptance

package acceptance

import (
	"strings"
	"testing"
)

const (
	// guardedSite has every guard that a socket.io server is put behind; the probe stands behind it, or nothing.
	guardedSite = `  - name: socketio
    server_name: app.example.com
    tls:
      certificate: /etc/pki/site/app.pem
      key: /etc/pki/site/app.key
      client_ca: /etc/pki/site/clients.pem
    locations:
      - path: /socket.io/
        backend: 127.0.0.1:3000
        heartbeat: 25s
        allowed_origins: [https://app.example.com]
        basic_auth_file: /etc/nginx/users
`
	// probeOfSocketIO says what a client of the application has.
	probeOfSocketIO = `        probe:
          path: /socket.io/?EIO=4&transport=websocket
          credentials_file: /etc/wsprovision/probe-credentials
          certificate: /etc/pki/site/client.pem
          key: /etc/pki/site/client.key
          expect: {message: '^0\{"sid":"'}
`
	// driftedSite is edited by hand while the certificate is renewed.
	driftedSite = `  - name: other
    server_name: other.example.com
    listen: 8008
    locations: [{path: /, backend: "127.0.0.1:3000", websocket: false}]
`
	socketIOServer = `import socketio
from aiohttp import web
server = socketio.AsyncServer(async_mode='aiohttp', cors_allowed_origins=['https://app.example.com'])
app = web.Application()
server.attach(app)
web.run_app(app, host='127.0.0.1', port=3000, print=None)
`
	// socketIOClient holds one WebSocket, answers the server's pings, and joins the application once /run/ask is there.
	socketIOClient = `import asyncio, base64, os, ssl, websockets
tls = ssl.create_default_context(cafile='/etc/pki/site/ca.pem')
tls.load_cert_chain('/etc/pki/site/client.pem', '/etc/pki/site/client.key')
login = {'Authorization': 'Basic ' + base64.b64encode(b'user:password').decode()}

def tell(text):
    with open('/run/client.new', 'w') as f:
        f.write(text)
    os.rename('/run/client.new', '/run/client')

async def ask(socket):
    while not os.path.exists('/run/ask'):
        await asyncio.sleep(0.2)
    await socket.send('40')

async def main():
    async with websockets.connect('wss://app.example.com/socket.io/?EIO=4&transport=websocket', ssl=tls,
                                  origin='https://app.example.com', extra_headers=login, ping_interval=None) as socket:
        asking = asyncio.ensure_future(ask(socket))
        async for message in socket:
            if message == '2':
                await socket.send('3')
            else:
                tell(message)
        tell('closed')
asyncio.run(main())
`
)

// TestSiteGuarded puts a real socket.io server behind every guard there is: the proof goes through them all by what the
// probe has, and up to the first of them without it. Then the certificate is renewed under an open WebSocket.
func TestSiteGuarded(t *testing.T) {
	t.Parallel()
	m := start(t, labelled)
	m.put(t, "/root/server.py", []byte(socketIOServer), 0o644)
	m.put(t, "/root/client.py", []byte(socketIOClient), 0o644)
	m.must(t, "systemctl stop ws-backend; systemd-run -q --unit socketio python3 /root/server.py; echo 127.0.0.1 "+
		"app.example.com >>/etc/hosts; echo \"user:$(openssl passwd -apr1 password)\" >/etc/nginx/users; umask 077; "+
		"echo user:password >/etc/wsprovision/probe-credentials; for i in $(seq 200); do ss -Hltn 'sport = :3000' | "+
		"grep -q . && exit 0; sleep 0.2; done; exit 1")
	m.must(t, pki+"issue app app.example.com; issue client somebody; cp ca.pem clients.pem")
	before := m.untouched(t, sitesBefore)
	m.writeSites(t, guardedSite, driftedSite)
	m.applies(t, 2, "nginx itself answers 400, as tls.client_ca has it", "it is proved up to there",
		"certificate and key in the location's probe would prove the rest")
	m.writeSites(t, guardedSite+probeOfSocketIO, driftedSite)
	m.applies(t, 0, "/socket.io/?EIO=4&transport=websocket")
	out := m.must(t, "wsprovision verify --ca /etc/pki/site/ca.pem --output json")
	if strings.Contains(out, "password") {
		t.Errorf("verify shows what the probe logs in with: %s", out)
	}
	m.guards(t)
	m.renewsByHook(t)
	m.renewsAuthorities(t)
	m.must(t, "wsprovision revert")
	before()
}

// guards are still there for everybody: the site was not opened for the proof.
func (m *machine) guards(t testing.TB) {
	t.Helper()
	const at = "'https://app.example.com/socket.io/?EIO=4&transport=websocket'"
	const certified, login = "--cert /etc/pki/site/client.pem --key /etc/pki/site/client.key ", "-u user:password "
	const origin, other = "-H 'Origin: https://app.example.com' ", "-H 'Origin: https://evil.example.com' "
	m.prints(t, map[string]string{
		upgrades(login + origin + at):             "400",
		upgrades(certified + origin + at):         "401",
		upgrades(certified + login + other + at):  "403",
		upgrades(certified + login + origin + at): "101",
	})
}

const (
	workers    = "pgrep -P $(cat /run/nginx.pid) | sort"
	servedOnes = "openssl s_client -connect 127.0.0.1:443 -servername app.example.com </dev/null 2>/dev/null | " +
		"openssl x509 -noout -serial"
	filesOnes = "openssl x509 -noout -serial -in /etc/pki/site/app.pem"
)

// renewsByHook: renew-hook reloads nginx for a renewed certificate and for nothing else, refuses one that nginx could
// not load, and cuts no WebSocket.
func (m *machine) renewsByHook(t testing.TB) {
	t.Helper()
	m.must(t, "systemd-run -q --unit client python3 /root/client.py; for i in $(seq 200); do grep -q sid /run/client "+
		"&& exit 0; sleep 0.2; done; journalctl -u client; exit 1")
	m.must(t, "echo '# by hand' >>/etc/nginx/conf.d/other.conf; cp /etc/nginx/conf.d/other.conf /root/; cp -p "+
		"/etc/pki/site/app.pem /root/")
	first := m.must(t, workers)
	m.must(t, "wsprovision renew-hook")
	m.must(t, pki+"issue app app.example.com; cp app.key good.key; cp client.key app.key")
	if r := m.try("wsprovision renew-hook", nil); r.status != 1 || !strings.Contains(r.output, "is not the key of") {
		t.Errorf("renew-hook with another key: exit status %d: %s", r.status, r.output)
	}
	if now := m.must(t, workers); now != first {
		t.Errorf("nginx was reloaded for nothing: workers %s, then %s", first, now)
	}
	m.must(t, "cp /etc/pki/site/good.key /etc/pki/site/app.key")
	if r := m.try("wsprovision renew-hook --detailed-exitcode", nil); r.status != 2 {
		t.Errorf("renew-hook: exit status %d, want 2: %s", r.status, r.output)
	}
	if served, file := m.must(t, servedOnes), m.must(t, filesOnes); served != file {
		t.Errorf("after renew-hook %s is served, and %s lies on the disk", served, file)
	}
	second := m.must(t, workers)
	m.must(t, "wsprovision renew-hook")
	if now := m.must(t, workers); second == first || now != second {
		t.Errorf("workers %s, after the renewal %s, after one without it %s", first, second, now)
	}
	m.prints(t, map[string]string{
		"cmp /etc/nginx/conf.d/other.conf /root/other.conf": "",
		"touch /run/ask; for i in $(seq 200); do grep -q ^40 /run/client && break; sleep 0.2; done; head -c 8 " +
			"/run/client": `40{"sid"`,
	})
	m.must(t, "sed -i '$d' /etc/nginx/conf.d/other.conf")
}

// renewsAuthorities: a client of an authority that was added since nginx read the file is let in by the next apply, and
// the one after it does nothing.
func (m *machine) renewsAuthorities(t testing.TB) {
	t.Helper()
	m.must(t, "cd /etc/pki/site && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 90 "+
		"-subj /CN=second -keyout second.key -out second.pem 2>/dev/null && cat second.pem >>clients.pem")
	const second = "-u user:password --cert /etc/pki/site/second.pem --key /etc/pki/site/second.key " +
		"'https://app.example.com/socket.io/?EIO=4&transport=websocket'"
	m.prints(t, map[string]string{upgrades(second): "400"})
	m.applies(t, 2, "nginx.service: /etc/pki/site/clients.pem as it was before")
	m.prints(t, map[string]string{upgrades(second): "101"})
	m.applies(t, 0)
}
