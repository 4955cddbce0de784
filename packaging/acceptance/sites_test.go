//go:build acceptance

package acceptance

import (
	"fmt"
	"strings"
	"testing"
)

// appServer is a backend that says who it is before what it sends back. A plain request, and the message "headers", are
// answered by the request's path and headers as they came.
const appServer = `import asyncio, http, os, ssl, sys, websockets
name, address = sys.argv[1:3]

def told(path, headers):
    return ''.join('%s: %s\n' % h for h in [('Server-Name', name), ('Path', path), *headers.raw_items()])

async def plain(path, headers):
    if 'Upgrade' not in headers:
        return http.HTTPStatus.OK, {}, told(path, headers).encode()

async def serve(socket, path):
    async for message in socket:
        await socket.send(told(path, socket.request_headers) if message == 'headers' else name + ': ' + message)

async def main():
    tls = None
    if len(sys.argv) > 3:
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        tls.load_cert_chain(*sys.argv[3:5])
    if address.startswith('/'):
        await websockets.unix_serve(serve, address, process_request=plain, ssl=tls)
        os.chmod(address, 0o666)
    else:
        host, port = address.split(':')
        await websockets.serve(serve, host, int(port), process_request=plain, ssl=tls)
    open('/run/app.' + name, 'w').close()
    await asyncio.Future()

asyncio.run(main())
`

// apps starts a backend for each "NAME ADDRESS [CERTIFICATE KEY]", as the unit app-NAME, and waits until all listen.
func (m *machine) apps(t testing.TB, all ...string) {
	t.Helper()
	m.put(t, "/root/app.py", []byte(appServer), 0o644)
	var start, there []string
	for _, arguments := range all {
		name, _, _ := strings.Cut(arguments, " ")
		start = append(start, fmt.Sprintf("systemd-run -q --unit app-%s python3 /root/app.py %s", name, arguments))
		there = append(there, "test -e /run/app."+name)
	}
	m.must(t, strings.Join(start, "\n")+"\nfor i in $(seq 200); do "+strings.Join(there, " && ")+
		" && exit 0; sleep 0.2; done; systemctl status --no-pager 'app-*'; exit 1")
}

// writeSites writes a file of the configuration for each site, in the place of all others.
func (m *machine) writeSites(t testing.TB, sites ...string) {
	t.Helper()
	m.must(t, "rm -f /etc/wsprovision/sites.d/*")
	for n, site := range sites {
		m.put(t, fmt.Sprintf("/etc/wsprovision/sites.d/%d.yaml", n), []byte("sites:\n"+site), 0o644)
	}
}

// applies runs an apply by the files, and wants its exit status (2: something was changed) and what it says.
func (m *machine) applies(t testing.TB, status int, says ...string) string {
	t.Helper()
	res := m.try("wsprovision -v apply --detailed-exitcode", nil)
	if res.status != status {
		t.Fatalf("apply: exit status %d, want %d:\n%s", res.status, status, res.output)
	}
	for _, want := range says {
		if !strings.Contains(res.output, want) {
			t.Errorf("apply does not say %q:\n%s", want, res.output)
		}
	}
	return res.output
}

// pki makes an authority and defines what it signs: issue FILE NAME.
const pki = `set -e; mkdir -p /etc/pki/site; cd /etc/pki/site
new='-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes'
test -e ca.pem || openssl req -x509 $new -days 90 -subj /CN=authority -keyout ca.key -out ca.pem 2>/dev/null
issue() {
	openssl req $new -subj /CN=$2 -keyout $1.key -out $1.csr 2>/dev/null
	echo subjectAltName=DNS:$2 >$1.ext
	openssl x509 -req -in $1.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 90 -extfile $1.ext -out $1.pem ` +
	`2>/dev/null
	chmod 600 $1.key
}
`

// asks is a command that prints the status of a request, by curl's own options.
func asks(options string) string {
	return "curl -s -o /dev/null -m 10 -w '%{http_code}' --cacert /etc/pki/site/ca.pem " + options
}

// upgrades is asks for a WebSocket.
func upgrades(options string) string {
	return asks("--head --request GET --http1.1 -H 'Connection: Upgrade' -H 'Upgrade: websocket' -H "+
		"'Sec-WebSocket-Version: 13' -H 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==' "+options) + " || :"
}
