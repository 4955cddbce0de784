//go:build acceptance

package acceptance

import "testing"

// liarServer is a backend on the npm package that is wrong in one way, which its argument names.
const liarServer = `const http = require('http'), crypto = require('crypto');
const { WebSocketServer } = require('ws');
const mode = process.argv[2];
const wss = new WebSocketServer({ noServer: true, autoPong: mode !== 'mute' });
const server = http.createServer((q, r) => {
  if (mode !== 'eager') { r.writeHead(426); return r.end(); }
  // It closes as well: nginx passes such an answer on when it is complete.
  q.socket.end('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
});
server.on('upgrade', (q, socket, head) => {
  const answer = (...lines) => socket.end(lines.join('\r\n') + '\r\n\r\n');
  const digest = crypto.createHash('sha1').update(q.headers['sec-websocket-key'] + ` +
	`'258EAFA5-E914-47DA-95CA-C5AB0DC85B11').digest('base64');
  switch (mode) {
  case 'silent': return;
  case 'busy': return answer('HTTP/1.1 503 Service Unavailable', 'Connection: close', 'Content-Length: 0');
  case 'digest': return answer('HTTP/1.1 101 Switching Protocols', 'Connection: Upgrade', 'Upgrade: websocket', ` +
	`'Sec-WebSocket-Accept: ' + 'A'.repeat(27) + '=');
  case 'header': return answer('HTTP/1.1 101 Switching Protocols', 'Connection: Upgrade', 'Sec-WebSocket-Accept: ` +
	`' + digest);
  }
  wss.handleUpgrade(q, socket, head, (ws) => {
    if (mode === 'hasty') socket.setTimeout(3000, () => ws.close(1001));
    if (mode === 'rude') ws.close = () => socket.destroy();
    ws.on('message', (m, binary) => {
      if (mode === 'short' && m.length > 60000) return socket.destroy();
      if (mode === 'garble') return ws.send('Echo: ' + m.toString().slice(0, -1));
      ws.send(binary ? m : 'Echo: ' + m);
    });
  });
});
server.listen(3000, '127.0.0.1');
`

// liar puts it in the place of the backend.
func liar(mode string) string {
	return "systemctl stop ws-backend; systemd-run --unit liar --working-directory=/opt/ws-backend node liar.js " +
		mode + " && " + waitFor3000
}

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
    s.sendall(b'GET /ws/ HTTP/1.1\r\nHost: ws.example.com\r\nConnection: Upgrade\r\nUpgrade: ` +
		`websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n')
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
	tlsConfig = `sites:
  - name: websocket
    server_name: ws.example.com
    listen: 443
    tls: {certificate: /etc/nginx/tls/cert.pem, key: /etc/nginx/tls/key.pem}
    locations: [{path: /, backend: "127.0.0.1:3000"}]
`
	// chainScript makes an authority, an intermediate one and the site's certificate.
	chainScript = `set -e
cd /etc/nginx/tls
new='-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes'
openssl req -x509 $new -subj /CN=root -keyout ca.key -out ca.pem -days 90
openssl req $new -subj /CN=intermediate -keyout mid.key -out mid.csr
echo basicConstraints=critical,CA:TRUE >mid.ext
openssl x509 -req -in mid.csr -CA ca.pem -CAkey ca.key -set_serial 1 -days 90 -extfile mid.ext -out mid.pem
openssl req $new -subj /CN=ws.example.com -keyout key.pem -out leaf.csr
echo subjectAltName=DNS:ws.example.com >leaf.ext
openssl x509 -req -in leaf.csr -CA mid.pem -CAkey mid.key -set_serial 1 -days 90 -extfile leaf.ext -out leaf.pem
`
)

// newKey makes a self-signed certificate; the agent's proof does not ask who signed it.
func newKey(name, file string) string {
	return "openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=" + name + " -addext subjectAltName=DNS:" + name +
		" -keyout /etc/nginx/tls/" + file + "key.pem -out /etc/nginx/tls/" + file + "cert.pem -days 90 2>/dev/null; "
}

var (
	// workshop is the provisioned host with what the causes are made of.
	workshop = &state{name: "workshop", from: provisioned, make: func(t testing.TB, m *machine) {
		for name, text := range map[string]string{"/opt/ws-backend/strict.js": strictServer,
			"/opt/ws-backend/liar.js": liarServer, "/root/crowd.py": crowdScript,
			"/root/hold.py": holdScript, "/root/chain.sh": chainScript, "/root/tls.yaml": tlsConfig} {
			m.put(t, name, []byte(text), 0o644)
		}
	}}
	// unlabelled is without what the agent did for SELinux.
	unlabelled = &state{name: "unlabelled", from: workshop, make: func(t testing.TB, m *machine) {
		m.must(t, "printf 'boolean -m --off httpd_can_network_connect\\nport -d -t http_port_t -p tcp 3000\\n' | "+
			"semanage import")
	}}
	// secured has the site on 443, with a certificate of its own signature.
	secured = &state{name: "secured", from: workshop, make: func(t testing.TB, m *machine) {
		m.must(t, "mkdir -p /etc/nginx/tls && "+newKey("ws.example.com", "")+
			"restorecon -R /etc/nginx/tls; wsprovision apply --config /root/tls.yaml")
	}}
)
