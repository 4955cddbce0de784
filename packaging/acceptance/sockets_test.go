//go:build acceptance

package acceptance

import (
	"strconv"
	"strings"
	"testing"
)

// crowdOf200 opens 200 WebSockets through nginx. It sends a message through each when something is written to
// /run/crowd, says in /run/crowd.echoed how many came back, and in /run/crowd.cut when a socket was closed under it.
const crowdOf200 = `import os, select, socket, time
hello = (b'GET /ws/ HTTP/1.1\r\nHost: ws.example.com\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n'
         b'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n')

def connect():
    s = socket.create_connection(('127.0.0.1', 80), 20)
    s.sendall(hello)
    head = b''
    while not head.endswith(b'\r\n\r\n'):
        more = s.recv(4096)
        if not more:
            break
        head += more
    if not head.startswith(b'HTTP/1.1 101 '):
        raise SystemExit(head)
    return s

def echo(s, text):
    try:
        s.sendall(b'\x81' + bytes([0x80 | len(text)]) + bytes(4) + text)
        want, got = b'\x81' + bytes([6 + len(text)]) + b'Echo: ' + text, b''
        while len(got) < len(want):
            more = s.recv(len(want) - len(got))
            if not more:
                break
            got += more
        return got == want
    except OSError:
        return False

def answer(text):
    with open('/run/crowd.new', 'w') as f:
        f.write(text)
    os.rename('/run/crowd.new', '/run/crowd.echoed')

held = [connect() for i in range(200)]
os.mkfifo('/run/crowd')
ask = os.open('/run/crowd', os.O_RDWR)
while True:
    ready = select.select(held + [ask], [], [])[0]
    for s in ready:
        if s is not ask and not s.recv(4096):
            held.remove(s)
            with open('/run/crowd.cut', 'a') as f:
                print(time.time(), file=f)
    if ask in ready:
        os.read(ask, 4096)
        answer('%d\n' % sum(echo(s, b'%d' % i) for i, s in enumerate(held)))
`

// holdCrowd opens the 200 WebSockets; each has to answer.
func (m *machine) holdCrowd(t testing.TB) {
	t.Helper()
	m.put(t, "/root/crowd200.py", []byte(crowdOf200), 0o644)
	m.must(t, "systemd-run -q --unit crowd python3 /root/crowd200.py; for i in $(seq 300); do test -p /run/crowd && "+
		"exit 0; sleep 0.2; done; systemctl status --no-pager crowd; exit 1")
	m.crowdAnswers(t, "200")
}

// crowdAnswers sends a message through each WebSocket that is still open and wants so many back.
func (m *machine) crowdAnswers(t testing.TB, want string) {
	t.Helper()
	if got := m.must(t, "rm -f /run/crowd.echoed; echo >/run/crowd; for i in $(seq 300); do test -e "+
		"/run/crowd.echoed && break; sleep 0.1; done; cat /run/crowd.echoed"); got != want {
		t.Errorf("%s of 200 WebSockets still answer, want %s", got, want)
	}
}

const (
	nginxProcesses = "ps -C nginx -o pid=,lstart=,args= | sort"
	drainingNow    = "pgrep -fc '[n]ginx: worker process is shutting down' || :"
)

// Open WebSockets outlive every run: one that changes nothing leaves their workers alone, and one that changes the site
// leaves them to the old workers, and says so.
func TestOpenWebSockets(t *testing.T) {
	t.Parallel()
	m := start(t, provisioned)
	m.holdCrowd(t)
	check := m.untouched(t, nginxProcesses)
	m.apply(t, 0, "--detailed-exitcode")
	check()
	m.crowdAnswers(t, "200")

	master := m.untouched(t, "cat /run/nginx.pid")
	socket := strings.Replace(siteFlags, "/ws/", "/socket/", 1)
	if out := m.must(t, "wsprovision plan "+socket); strings.Contains(out, "cut after") {
		t.Errorf("plan says that it would cut connections:\n%s", out)
	}
	for _, wants := range []string{"changed", "unchanged"} {
		r, res := m.agent(t, "apply "+socket)
		if status, text := r.step("service"); status != wants || !strings.Contains(text, "1 old worker drains") {
			t.Errorf("service: %s, %q, want %s and that 1 old worker drains:\n%s", status, text, wants, res.output)
		}
		master()
		m.crowdAnswers(t, "200")
		if n := m.must(t, drainingNow); n != "1" {
			t.Errorf("%s old workers drain, want 1: %s", n, m.must(t, nginxProcesses))
		}
	}
	if n := m.must(t, "nginx -T 2>/dev/null | grep -c worker_shutdown_timeout || :"); n != "0" {
		t.Error("worker_shutdown_timeout is set, and nobody asked for it")
	}
	m.must(t, "systemctl stop crowd")
	m.must(t, "for i in $(seq 50); do test $("+drainingNow+") = 0 && exit 0; sleep 0.2; done; exit 1")
}

// Where worker_shutdown_timeout is asked for, the plan says what it will cut, and it is cut then and not before.
func TestShutdownTimeout(t *testing.T) {
	t.Parallel()
	m := start(t, provisioned)
	const timeout = " --worker-shutdown-timeout 20s "
	m.must(t, "wsprovision apply"+timeout+siteFlags)
	m.holdCrowd(t)
	socket := timeout + strings.Replace(siteFlags, "/ws/", "/socket/", 1)
	if out := m.must(t, "wsprovision plan"+socket); !strings.Contains(out, "cut after 20s") {
		t.Errorf("plan does not say what will be cut:\n%s", out)
	}
	before := m.seconds(t)
	m.must(t, "wsprovision apply"+socket)
	after := m.seconds(t)
	m.crowdAnswers(t, "200")
	m.must(t, "for i in $(seq 200); do test $(wc -l </run/crowd.cut || echo 0) = 200 && exit 0; sleep 0.2; done; wc "+
		"-l /run/crowd.cut; exit 1")
	for _, line := range strings.Fields(m.must(t, "sort -n /run/crowd.cut | sed -n '1p;$p'")) {
		at, err := strconv.ParseFloat(line, 64)
		if err != nil || at < before+20 || at > after+25 {
			t.Errorf("a WebSocket was cut at %s, want 20 s after the reload, which was between %.1f and %.1f", line,
				before, after)
		}
	}
	m.must(t, "! pgrep -f '[n]ginx: worker process is shutting down'")
}

// seconds is the machine's time.
func (m *machine) seconds(t testing.TB) float64 {
	t.Helper()
	at, err := strconv.ParseFloat(m.must(t, "date +%s.%N"), 64)
	if err != nil {
		t.Fatal(err)
	}
	return at
}
