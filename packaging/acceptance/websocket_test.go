//go:build acceptance

package acceptance

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"wsprovision/packaging/acceptance/vm"
)

// updateTable writes WEBSOCKET.md and FAULTS.md anew instead of comparing with them.
var updateTable = flag.Bool("update-table", false, "write WEBSOCKET.md and FAULTS.md")

const tableFile = "WEBSOCKET.md"

// backend is a server behind nginx: which, and how it is started on the machine in place of ws-backend.service.
type backend struct{ name, files, start string }

const deflateServer = `const { WebSocketServer } = require('ws');
const server = new WebSocketServer({ host: '127.0.0.1', port: 3000, perMessageDeflate: true });
server.on('connection', (socket) => socket.on('message', (m, binary) => socket.send(binary ? m : 'Echo: ' + m)));
`

const pythonServer = `import asyncio, websockets
async def echo(socket):
    async for message in socket:
        await socket.send(message if isinstance(message, bytes) else 'Echo: ' + message)
async def main():
    async with websockets.serve(echo, '127.0.0.1', 3000, max_size=64 << 20, subprotocols=['chat.v2', 'chat.v1']):
        await asyncio.Future()
asyncio.run(main())
`

var backends = []backend{
	{"ws (npm), the tutorial's server.js", "", "systemctl start ws-backend"},
	{"ws (npm) with perMessageDeflate", deflateServer,
		"systemd-run --unit table --working-directory=/opt/ws-backend node table.js"},
	{"python3-websockets", pythonServer,
		"systemd-run --unit table --working-directory=/opt/ws-backend python3 table.js"},
	{"wsprovision echo", "", "systemd-run --unit table wsprovision echo --listen 127.0.0.1:3000"},
}

// property is a row of the table. Its answer is a few words, the same on every run.
type property struct {
	name string
	try  func(ctx context.Context, web string) (string, error)
}

var properties = []property{
	{"text", func(ctx context.Context, web string) (string, error) {
		return once(ctx, web, websocket.MessageText, []byte("grüße ✓"))
	}},
	{"empty text", func(ctx context.Context, web string) (string, error) {
		return once(ctx, web, websocket.MessageText, nil)
	}},
	{"binary", func(ctx context.Context, web string) (string, error) {
		return once(ctx, web, websocket.MessageBinary, []byte("bytes"))
	}},
	{"three fragments", fragments},
	{"64 KiB", func(ctx context.Context, web string) (string, error) {
		return once(ctx, web, websocket.MessageBinary, letters(64<<10))
	}},
	{sixteen, func(ctx context.Context, web string) (string, error) {
		return once(ctx, web, websocket.MessageBinary, letters(16<<20))
	}},
	{"ping, pong", pinged},
	{"close 1000", func(ctx context.Context, web string) (string, error) { return closed(ctx, web, 1000) }},
	{"close 1001", func(ctx context.Context, web string) (string, error) { return closed(ctx, web, 1001) }},
	{"close 4321", func(ctx context.Context, web string) (string, error) { return closed(ctx, web, 4321) }},
	{"subprotocol chat.v2", subprotocol},
	{"permessage-deflate", deflate},
	{"first frame in the handshake's segment", pipelined},
	{"10 000 messages in order", ordered},
}

func dialMachine(ctx context.Context, web string, o websocket.DialOptions) (*websocket.Conn, *http.Response, error) {
	dial := func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, web)
	}
	o.HTTPClient = &http.Client{Transport: &http.Transport{DialContext: dial}}
	conn, resp, err := websocket.Dial(ctx, "ws://ws.example.com/ws/", &o)
	if err == nil {
		conn.SetReadLimit(32 << 20)
	}
	return conn, resp, err
}

func letters(n int) []byte { return bytes.Repeat([]byte("0123456789abcdef"), n/16) }

// once sends a message and wants it back; a prefix of the backend's own is its affair.
func once(ctx context.Context, web string, kind websocket.MessageType, data []byte) (string, error) {
	conn, _, err := dialMachine(ctx, web, websocket.DialOptions{})
	if err != nil {
		return "", err
	}
	defer conn.CloseNow()
	if err := conn.Write(ctx, kind, data); err != nil {
		return "", err
	}
	return echoed(ctx, conn, kind, data)
}

func echoed(ctx context.Context, conn *websocket.Conn, kind websocket.MessageType, data []byte) (string, error) {
	got, back, err := conn.Read(ctx)
	switch {
	case err != nil:
		return "", err
	case !bytes.Equal(bytes.TrimPrefix(back, []byte("Echo: ")), data):
		return "", fmt.Errorf("%d bytes came back for %d, and not the same", len(back), len(data))
	case got != kind:
		return "yes, as text", nil // as the tutorial's server.js makes a string of it
	}
	return "yes", conn.Close(websocket.StatusNormalClosure, "")
}

func fragments(ctx context.Context, web string) (string, error) {
	conn, _, err := dialMachine(ctx, web, websocket.DialOptions{})
	if err != nil {
		return "", err
	}
	defer conn.CloseNow()
	w, err := conn.Writer(ctx, websocket.MessageText)
	if err != nil {
		return "", err
	}
	for _, part := range []string{"one ", "two ", "three"} {
		if _, err := io.WriteString(w, part); err != nil {
			return "", err
		}
	}
	if err := w.Close(); err != nil {
		return "", err
	}
	return echoed(ctx, conn, websocket.MessageText, []byte("one two three"))
}

func pinged(ctx context.Context, web string) (string, error) {
	conn, _, err := dialMachine(ctx, web, websocket.DialOptions{})
	if err != nil {
		return "", err
	}
	defer conn.CloseNow()
	conn.CloseRead(ctx)
	return "yes", conn.Ping(ctx)
}

// closed wants the code back that it closes with.
func closed(ctx context.Context, web string, code uint16) (string, error) {
	conn, r, err := handshaken(ctx, web, "")
	if err != nil {
		return "", err
	}
	defer conn.Close()
	number := string([]byte{byte(code >> 8), byte(code)})
	if _, err := io.WriteString(conn, "\x88\x82\x00\x00\x00\x00"+number); err != nil {
		return "", err
	}
	return came(r, "\x88\x02"+number)
}

// came wants exactly these bytes next.
func came(r io.Reader, want string) (string, error) {
	got := make([]byte, len(want))
	if n, err := io.ReadFull(r, got); err != nil || string(got) != want {
		return "", fmt.Errorf("%q came back, %v, want %q", got[:n], err, want)
	}
	return "yes", nil
}

func subprotocol(ctx context.Context, web string) (string, error) {
	conn, _, err := dialMachine(ctx, web, websocket.DialOptions{Subprotocols: []string{"chat.v2", "chat.v1"}})
	if err != nil {
		return "", err
	}
	defer conn.CloseNow()
	if got := conn.Subprotocol(); got != "chat.v2" {
		return "", fmt.Errorf("%q was chosen", got)
	}
	return "yes", nil
}

// deflate wants a compressed message to come back, where the backend takes the extension.
func deflate(ctx context.Context, web string) (string, error) {
	conn, resp, err := dialMachine(ctx, web,
		websocket.DialOptions{CompressionMode: websocket.CompressionContextTakeover, CompressionThreshold: 1})
	if err != nil {
		return "", err
	}
	defer conn.CloseNow()
	taken := strings.Contains(resp.Header.Get("Sec-WebSocket-Extensions"), "permessage-deflate")
	data := letters(4096)
	if err := conn.Write(ctx, websocket.MessageText, data); err != nil {
		return "", err
	}
	if _, err := echoed(ctx, conn, websocket.MessageText, data); err != nil || taken {
		return "yes", err
	}
	return "declined by the backend", nil
}

// pipelined sends the handshake and a first text frame in one segment.
func pipelined(ctx context.Context, web string) (string, error) {
	conn, r, err := handshaken(ctx, web, "\x81\x85\x00\x00\x00\x00hello") // masked with zeros
	if err != nil {
		return "", err
	}
	defer conn.Close()
	return came(r, "\x81\x0bEcho: hello")
}

// handshaken makes a handshake by hand, with what is to follow it in the same segment.
func handshaken(ctx context.Context, web, follows string) (net.Conn, *bufio.Reader, error) {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", web)
	if err != nil {
		return nil, nil, err
	}
	deadline, _ := ctx.Deadline()
	_ = conn.SetDeadline(deadline)
	var key [16]byte
	_, _ = rand.Read(key[:])
	request := "GET /ws/ HTTP/1.1\r\nHost: ws.example.com\r\nConnection: Upgrade\r\nUpgrade: " +
		"websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " +
		base64.StdEncoding.EncodeToString(key[:]) + "\r\n\r\n" + follows
	_, wrote := io.WriteString(conn, request)
	r := bufio.NewReader(conn)
	resp, err := http.ReadResponse(r, nil)
	if err == nil && resp.StatusCode != http.StatusSwitchingProtocols {
		err = errors.New(resp.Status)
	}
	if err = errors.Join(wrote, err); err != nil {
		conn.Close()
		return nil, nil, err
	}
	return conn, r, nil
}

// ordered sends all of them at once, and wants every answer in its turn.
func ordered(ctx context.Context, web string) (string, error) {
	conn, r, err := handshaken(ctx, web, "")
	if err != nil {
		return "", err
	}
	defer conn.Close()
	var all strings.Builder
	for i := range 10_000 {
		all.WriteString(masked(0x81, fmt.Sprintf("message %d", i)))
	}
	go func() { _, _ = io.WriteString(conn, all.String()) }() // what is not sent does not come back
	for i := range 10_000 {
		got, err := nextText(conn, r)
		if want := fmt.Sprintf("Echo: message %d", i); err != nil || got != want {
			return "", fmt.Errorf("%q came, %w, want %q", got, cmp.Or(err, errors.New("out of order")), want)
		}
	}
	return "yes", nil
}

// masked is a short frame of a client's, masked with zeros.
func masked(first byte, payload string) string {
	return string([]byte{first, 0x80 | byte(len(payload))}) + "\x00\x00\x00\x00" + payload
}

// nextText reads short frames up to the next text, and answers the pings in between: python3-websockets sends one every
// 20 s.
func nextText(w io.Writer, r io.Reader) (string, error) {
	for {
		var head [2]byte
		if _, err := io.ReadFull(r, head[:]); err != nil {
			return "", err
		}
		payload := make([]byte, head[1]&0x7f)
		if _, err := io.ReadFull(r, payload); err != nil {
			return "", err
		}
		switch head[0] {
		case 0x81:
			return string(payload), nil
		case 0x89:
			if _, err := io.WriteString(w, masked(0x8a, string(payload))); err != nil {
				return "", err
			}
		default:
			return "", fmt.Errorf("a frame that begins with %#x", head[0])
		}
	}
}

// client is a program on the machine that sends "hello" through nginx and prints what comes back.
type client struct{ name, command, want string }

var clients = []client{
	{"wsprovision connect", "echo hello | wsprovision connect ws://ws.example.com/ws/", "Echo: hello"},
	{"wsprovision connect, with header, origin, subprotocol and ping", "echo hello | wsprovision connect --header " +
		"'X-Tried: yes' --origin http://ws.example.com --subprotocol chat.v2 --ping 1s ws://ws.example.com/ws/ 2>&1 " +
		"| paste -sd' '",
		"subprotocol chat.v2 Echo: hello"},
	{"python3-websockets", "python3 /root/client.py", "Echo: hello"},
	// wscat leaves when its input ends, or so many seconds after it has sent.
	{"wscat (npm)", "/opt/ws-backend/node_modules/.bin/wscat -c ws://ws.example.com/ws/ -x hello -w 6 < <(exec sleep " +
		"60 2>/dev/null)", "Echo: hello"},
	// The tutorial's: the answer to the handshake is what is looked at.
	{"curl", "curl -sS -i -N --http1.1 --max-time 2 -H 'Connection: Upgrade' -H 'Upgrade: websocket' -H " +
		"'Sec-WebSocket-Version: 13' -H 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==' http://ws.example.com/ws/ 2>&1",
		"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="},
}

const browserRow = "Chromium, a page served through the same proxy"

const pythonClient = `import asyncio, websockets
async def main():
    async with websockets.connect('ws://ws.example.com/ws/') as socket:
        await socket.send('hello')
        print(await socket.recv())
asyncio.run(main())
`

// pageServer serves a page that sends a message through the proxy that it came by, and writes down what comes back.
const pageServer = `const http = require('http'), fs = require('fs');
const page = "<!doctype html><script>const s = new WebSocket('ws://' + location.host + '/ws/');" +
  "s.onopen = () => s.send('from a page'); s.onmessage = (e) => fetch('/done?' + encodeURIComponent(e.data)); ` +
	`s.onerror = () => fetch('/done?error');</script>";
http.createServer((q, r) => {
  if (q.url.startsWith('/done?')) fs.appendFileSync('/run/page.answers', decodeURIComponent(q.url.slice(6)) + '\n');
  r.writeHead(200, { 'Content-Type': 'text/html', 'Cache-Control': 'no-store' });
  r.end(q.url === '/' ? page : '');
}).listen(3001, '127.0.0.1');
`

// browse opens the page in a browser on this host, and gives what the machine wrote down.
func (m *machine) browse(t testing.TB) string {
	t.Helper()
	m.must(t, "rm -f /run/page.answers")
	browser := exec.Command("chromium-headless-shell", "--no-sandbox", "--disable-gpu", "--user-data-dir="+t.TempDir(),
		"--remote-debugging-port=0",
		"--host-resolver-rules=MAP ws.example.com:80 "+m.Web(), "http://ws.example.com/")
	if err := browser.Start(); err != nil {
		t.Fatalf("%v: apt-get install chromium-headless-shell", err)
	}
	defer func() { _ = browser.Process.Kill(); _ = browser.Wait() }()
	out, _ := m.run("for i in $(seq 150); do [ -s /run/page.answers ] && break; sleep 0.2; done; cat /run/page.answers")
	return strings.TrimSpace(out)
}

// TestWebSocketTable makes WEBSOCKET.md: what goes through nginx as the agent configures it, by software that is not
// ours.
func TestWebSocketTable(t *testing.T) {
	t.Parallel()
	m := start(t, provisioned)
	m.put(t, "/root/client.py", []byte(pythonClient), 0o644)
	m.put(t, "/root/page.js", []byte(pageServer), 0o644)
	m.must(t, "echo 127.0.0.1 ws.example.com >>/etc/hosts; systemd-run --unit page node /root/page.js")
	m.must(t, applyCommand+" --http-backend 127.0.0.1:3001")
	rows := map[string][]string{}
	for _, b := range backends {
		m.run("systemctl stop ws-backend table; systemctl reset-failed")
		if b.files != "" {
			m.put(t, "/opt/ws-backend/table.js", []byte(b.files), 0o644)
		}
		m.must(t, b.start+"; "+waitFor3000)
		for _, p := range properties {
			rows[p.name] = append(rows[p.name], m.tried(t, b, p))
		}
		for _, c := range clients {
			answer := "yes"
			if out, _ := m.run(c.command); !strings.Contains(out, c.want) {
				t.Errorf("%s, client %s: %s", b.name, c.name, out)
				answer = "**no**"
			}
			rows[c.name] = append(rows[c.name], answer)
		}
		if got := m.browse(t); got == "Echo: from a page" {
			rows[browserRow] = append(rows[browserRow], "yes")
		} else {
			t.Errorf("%s, %s: %q came back", b.name, browserRow, got)
			rows[browserRow] = append(rows[browserRow], "**no**")
		}
	}
	table := render(rows)
	if *updateTable {
		if err := os.WriteFile(tableFile, []byte(table), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if have := string(readFile(t, tableFile)); have != table {
		t.Errorf("%s is out of date (go test -tags acceptance -run TestWebSocketTable ./packaging/acceptance -args "+
			"-update-table):\n%s", tableFile, table)
	}
}

// sixteen is the one property that our own echo backend has not: it holds little on purpose, and is tried with all it
// takes.
const sixteen = "16 MiB"

func (m *machine) tried(t testing.TB, b backend, p property) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 6*time.Minute)
	defer cancel()
	try := p.try
	if p.name == sixteen && b.name == "wsprovision echo" {
		try = func(ctx context.Context, web string) (string, error) {
			answer, err := once(ctx, web, websocket.MessageBinary, letters(1<<20))
			return answer + ", 1 MiB", err
		}
	}
	answer, err := try(ctx, m.Web())
	if err != nil {
		t.Errorf("%s, %s: %v", b.name, p.name, err)
		return "**no**"
	}
	return answer
}

func render(rows map[string][]string) string {
	var s strings.Builder
	s.WriteString("# WebSocket conformance\n\n" + vm.NotRHEL + "\nMade by `TestWebSocketTable` on the acceptance " +
		"machine; not to be edited by hand. Each cell was tried through nginx as\n" +
		"`wsprovision apply` configures it, SELinux enforcing, against the backend of its column.\n\n")
	line := func(cells ...string) { s.WriteString("| " + strings.Join(cells, " | ") + " |\n") }
	head, rule := []string{""}, []string{"---"}
	for _, b := range backends {
		head, rule = append(head, b.name), append(rule, "---")
	}
	section := func(title string, names []string) {
		s.WriteString("## " + title + "\n\n")
		line(head...)
		line(rule...)
		for _, name := range names {
			line(append([]string{name}, rows[name]...)...)
		}
		s.WriteString("\n")
	}
	var names, programs []string
	for _, p := range properties {
		names = append(names, p.name)
	}
	for _, c := range clients {
		programs = append(programs, c.name)
	}
	programs = append(programs, browserRow, "websocat")
	rows["websocat"] = slices.Repeat([]string{"not built"}, len(backends))
	section("Protocol", names)
	section("Clients", programs)
	s.WriteString("websocat is no package of Debian 12, and could not be built here.\n" +
		"What it does every day is in the second row: `wsprovision connect` has the same flags, and insecure and " +
		"binary besides.\n")
	return s.String()
}
