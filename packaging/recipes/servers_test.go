package recipes

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"wsprovision/provision/site"
	"wsprovision/provision/verify"
	"wsprovision/provision/websocket"
	"wsprovision/provision/websocket/handshake"
)

// socketIO is the server of python-socketio.
const socketIO = `
import sys, socketio
from aiohttp import web
sio = socketio.AsyncServer(async_mode="aiohttp", cors_allowed_origins="*")
app = web.Application()
sio.attach(app)
web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), print=None)
`

// greeter says what a VNC server says first (RFC 6143, 7.1.1).
const greeter = `
import socket, sys
s = socket.create_server(("127.0.0.1", int(sys.argv[1])))
while True:
    c, _ = s.accept()
    c.sendall(b"RFB 003.008\n")
    c.recv(100)
    c.close()
`

// cable is Action Cable as Rails has it, without the rest of Rails.
const cable = `
require "action_cable"
require "logger"
config = ActionCable.server.config
config.logger = Logger.new(IO::NULL)
config.cable = {"adapter" => "async"}
config.allowed_request_origins = ["https://app.example.com"]
config.connection_class = -> { ActionCable::Connection::Base }
run ActionCable.server
`

// startCable runs it with puma, which is Rails' own choice.
func startCable(t *testing.T, address string) {
	rackup := t.TempDir() + "/config.ru"
	if err := os.WriteFile(rackup, []byte(cable), 0o600); err != nil {
		t.Fatal(err)
	}
	start(t, "/usr/bin/puma", "-b", "tcp://"+address, rackup)
}

// startJupyter runs Jupyter Server, with everything of its own in a directory of the test's.
func startJupyter(t *testing.T, address string) {
	dir := t.TempDir()
	for _, name := range []string{"HOME", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR"} {
		t.Setenv(name, dir)
	}
	start(t, "/usr/bin/python3", "-m", "jupyter_server", "--ip=127.0.0.1", "--port="+portOf(address), "--allow-root",
		"--no-browser", "--ServerApp.allow_remote_access=True", "--ServerApp.token="+token, "--ServerApp.root_dir="+dir)
}

// token is what a client of Jupyter Server logs in with.
const token = "token-of-a-test"

// jupyterTerminal: who has logged in gets through to a terminal, over its WebSocket.
func jupyterTerminal(t *testing.T, through handshake.Target) {
	t.Helper()
	login := http.Header{"Authorization": {"token " + token}}
	made, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+through.Address+"/api/terminals",
		nil)
	if err != nil {
		t.Fatal(err)
	}
	made.Host, made.Header = through.Host, login
	answer, err := http.DefaultClient.Do(made)
	if err != nil || answer.StatusCode != http.StatusOK {
		t.Fatalf("a terminal: %v, %v", answer, err)
	}
	answer.Body.Close()
	through.Path, through.Header = "/terminals/websocket/1", login
	through.Expect = handshake.Expect{Message: regexp.MustCompile(`^\["setup"`)}
	if _, err := websocket.Probe(t.Context(), through); err != nil {
		t.Errorf("%s: %v", through, err)
	}
}

// TestRealServers: the application's own handshake goes through nginx as the recipe has it.
func TestRealServers(t *testing.T) {
	for _, tt := range []struct {
		name   string
		needs  []string // a command that fails where the server is not installed
		server func(t *testing.T, address string)
		more   func(t *testing.T, through handshake.Target) // nil: the recipe's own probe is all
	}{
		{"socket.io", []string{"/usr/bin/python3", "-c", "import socketio, aiohttp"},
			func(t *testing.T, address string) {
				start(t, "/usr/bin/python3", "-c", socketIO, portOf(address))
			}, nil},
		{"noVNC, websockify", []string{"/usr/bin/websockify", "--help"}, func(t *testing.T, address string) {
			vnc := unused(t)
			start(t, "/usr/bin/python3", "-c", greeter, portOf(vnc))
			start(t, "/usr/bin/websockify", address, vnc)
		}, nil},
		{"Action Cable (Rails)", []string{"/usr/bin/ruby", "-e", `require "action_cable"; require "puma"`}, startCable,
			nil},
		{"Jupyter", []string{"/usr/bin/python3", "-c", "import jupyter_server, terminado"}, startJupyter,
			jupyterTerminal},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if err := exec.Command(tt.needs[0], tt.needs[1:]...).Run(); err != nil {
				if os.Getenv("CI") != "" {
					t.Fatalf("%v: %v", tt.needs, err)
				}
				t.Skipf("%v: %v", tt.needs, err)
			}
			address := unused(t)
			tt.server(t, address)
			s := at(t, load(t, yamlOf(t, tt.name)), address)
			dir := directory(t, rendered(t, s))
			start(t, realNginx, "-p", dir, "-c", dir+"/nginx.conf", "-e", dir+"/error.log")
			target := verify.Reach(s, s.Locations[0], s.Listen[0])
			reached(t, target.Address)
			reached(t, address)
			for _, c := range websocket.Verify(t.Context(), target, websocket.Options{Echo: websocket.EchoNo}) {
				if c.Failed() {
					t.Errorf("%s: %s: %v", target, c.Name, c.Err)
				}
			}
			if tt.more != nil {
				tt.more(t, target)
			}
		})
	}
}

// yamlOf is the first site under a heading of the page.
func yamlOf(t *testing.T, title string) string {
	t.Helper()
	content, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range heading.Split(string(content), -1) {
		if m := recipe.FindStringSubmatch(part); m != nil && strings.HasPrefix(part, title+"\n") {
			return m[1]
		}
	}
	t.Fatalf("%s has no recipe for %s", page, title)
	return ""
}

// at is the site on an address of the test's own, before the backend at another.
func at(t *testing.T, s site.Site, backend string) site.Site {
	t.Helper()
	s.Listen = []site.Listen{{Address: "127.0.0.1", Port: number(t, unused(t))}}
	s.Locations[0].Backends = []site.Backend{{Host: "127.0.0.1", Port: number(t, backend)}}
	return s
}

func portOf(address string) string { return address[strings.LastIndexByte(address, ':')+1:] }

func number(t *testing.T, address string) (n int) {
	t.Helper()
	if _, err := fmt.Sscan(portOf(address), &n); err != nil {
		t.Fatal(err)
	}
	return n
}

// start runs a server until the test ends.
func start(t *testing.T, argv ...string) {
	t.Helper()
	cmd := exec.Command(argv[0], argv[1:]...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // with what it has forked
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("%s: %s", argv[0], out.String())
		}
	})
}

// reached waits until a server listens.
func reached(t *testing.T, address string) {
	t.Helper()
	for range 600 {
		if c, err := net.Dial("tcp", address); err == nil {
			c.Close()
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Fatalf("nothing listens on %s", address)
}
