package nginx

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// freePort is a port of 127.0.0.1 that was free a moment ago.
func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

func serve(port int, answer string) string {
	return fmt.Sprintf("server { listen 127.0.0.1:%d; location / { return 200 %s; } }", port, answer)
}

// start runs a real nginx in the foreground and ends it with the test.
func (h host) start(inherits ...*os.File) {
	h.t.Helper()
	cmd := exec.Command(program, "-c", h.conf(), "-g", "daemon off;")
	cmd.ExtraFiles = inherits
	h.must(cmd.Start())
	h.t.Cleanup(func() {
		cmd.Process.Signal(syscall.SIGTERM)
		cmd.Wait()
	})
	for range 1500 {
		if m, err := h.nginx().Master(h.t.Context(), 0); err == nil && len(m.Workers) == 1 {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	log, _ := os.ReadFile(h.path("log/error.log"))
	h.t.Fatalf("nginx did not start: %s", log)
}

func (h host) mark() Before {
	h.t.Helper()
	tree, err := Load("", h.conf(), nil)
	h.must(err)
	before, err := h.nginx().BeforeReload(h.t.Context(), 0, tree.ErrorLogs())
	h.must(err)
	return before
}

func (h host) hup(m Master) {
	h.t.Helper()
	h.must(syscall.Kill(m.PID, syscall.SIGHUP))
}

func get(t *testing.T, port int) string {
	t.Helper()
	c, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	fmt.Fprint(c, "GET / HTTP/1.0\r\n\r\n")
	all, err := io.ReadAll(c)
	if err != nil {
		t.Fatal(err)
	}
	return string(all[strings.LastIndexByte(string(all), '\n')+1:])
}

func TestReloadTaken(t *testing.T) {
	needNginx(t, false)
	port := freePort(t)
	h := newHost(t, map[string]string{"conf.d/a.conf": serve(port, "one")})
	h.start()
	before := h.mark()
	h.write("conf.d/a.conf", serve(port, "two"))
	h.hup(before.Master)
	after, err := h.nginx().ProveReload(t.Context(), before)
	if err != nil || after.PID != before.Master.PID || slices.Equal(after.Workers, before.Master.Workers) {
		t.Fatalf("%+v %+v: %v", before, after, err)
	}
	if got := get(t, port); got != "two" {
		t.Errorf("served: %q", got)
	}
}

// An open connection keeps an old worker, as a WebSocket does; that is no failure, and it is counted.
func TestReloadTakenWhileDraining(t *testing.T) {
	needNginx(t, false)
	port, backend := freePort(t), freePort(t)
	l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", backend))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	site := example(port)
	site.Listen[0].Address, site.Locations[0].Backends[0].Port = "127.0.0.1", backend
	h := newHost(t, map[string]string{"conf.d/ws.conf": rendered(t, site)})
	h.start()
	client, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	h.must(err)
	defer client.Close()
	fmt.Fprint(client, "GET /ws/ HTTP/1.1\r\nHost: ws.example.com\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n")
	server, err := l.Accept()
	h.must(err)
	defer server.Close()
	request := make([]byte, 4096)
	size, err := server.Read(request)
	h.must(err)
	for _, want := range []string{"GET /ws/ HTTP/1.1\r\n", "Upgrade: websocket\r\n", "Connection: upgrade\r\n",
		"Host: ws.example.com\r\n", "X-Real-IP: 127.0.0.1\r\n", "X-Forwarded-For: 127.0.0.1\r\n",
		"X-Forwarded-Proto: http\r\n"} {
		if !strings.Contains(string(request[:size]), want) {
			t.Errorf("%q is not in %q", want, request[:size])
		}
	}
	fmt.Fprint(server, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n")
	_, err = client.Read(request)
	h.must(err)

	before := h.mark()
	h.hup(before.Master)
	after, err := h.nginx().ProveReload(t.Context(), before)
	if err != nil || Draining(after) != 1 {
		t.Fatalf("%+v: %v", after, err)
	}
	fmt.Fprint(client, "ping")
	if size, err := server.Read(request); err != nil || string(request[:size]) != "ping" {
		t.Errorf("the connection was cut: %q %v", request[:size], err)
	}
}

func TestReloadOfBrokenSyntax(t *testing.T) {
	needNginx(t, false)
	port := freePort(t)
	h := newHost(t, map[string]string{"conf.d/a.conf": serve(port, "one")})
	h.start()
	before := h.mark()
	h.write("conf.d/b.conf", "broken;")
	h.hup(before.Master)
	began := time.Now()
	_, err := h.nginx().ProveReload(t.Context(), before)
	var not *NotReplacedError
	if !errors.As(err, &not) || len(not.Lines) != 1 ||
		!strings.Contains(not.Lines[0].Text, `unknown directive "broken"`) {
		t.Fatalf("%v", err)
	}
	if time.Since(began) > 8*time.Second {
		t.Errorf("an emerg is final, but it took %s", time.Since(began))
	}
	if got := get(t, port); got != "one" {
		t.Errorf("served: %q", got)
	}
}

// nginx -t passes here, and so does nginx -s reload: only the proof tells.
func TestReloadThatCannotBind(t *testing.T) {
	needNginx(t, true)
	port, taken := freePort(t), freePort(t)
	h := newHost(t, map[string]string{"conf.d/a.conf": serve(port, "one")})
	h.start()
	l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", taken))
	h.must(err)
	defer l.Close()
	before := h.mark()
	h.write("conf.d/b.conf", serve(taken, "x"))
	if found, err := h.nginx().Test(t.Context(), nil); err != nil || len(found) != 0 {
		t.Fatalf("%v %v", found, err)
	}
	h.hup(before.Master)
	_, err = h.nginx().ProveReload(t.Context(), before)
	var not *NotReplacedError
	if !errors.As(err, &not) || !strings.Contains(err.Error(), "still could not bind()") ||
		!strings.Contains(err.Error(), "Address already in use") {
		t.Fatalf("%v", err)
	}
}

// The port gets free while nginx still tries: the lines about the tries are no complaint then.
func TestReloadThatBindsAtLast(t *testing.T) {
	needNginx(t, false)
	port, taken := freePort(t), freePort(t)
	h := newHost(t, map[string]string{"conf.d/a.conf": serve(port, "one")})
	h.start()
	l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", taken))
	h.must(err)
	before := h.mark()
	h.write("conf.d/b.conf", serve(taken, "x"))
	h.hup(before.Master)
	time.AfterFunc(300*time.Millisecond, func() { l.Close() })
	if _, err = h.nginx().ProveReload(t.Context(), before); err != nil {
		t.Fatal(err)
	}
	if got := get(t, taken); got != "x" {
		t.Errorf("served: %q", got)
	}
}

func TestReloadWithoutASignal(t *testing.T) {
	needNginx(t, false)
	h := newHost(t, map[string]string{"conf.d/a.conf": serve(freePort(t), "one")})
	h.start()
	before := h.mark()
	n := h.nginx()
	n.Patience = 200 * time.Millisecond
	_, err := n.ProveReload(t.Context(), before)
	var not *NotReplacedError
	if !errors.As(err, &not) || len(not.Lines) != 0 {
		t.Errorf("%v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := n.ProveReload(ctx, before); !errors.Is(err, context.Canceled) || !errors.As(err, &not) {
		t.Errorf("%v", err)
	}
}

func TestReloadWithoutTheMaster(t *testing.T) {
	n := fakeProc(t, map[int][2]string{10: {statLine(10, 1, 200), "nginx: master process x"}})
	for _, before := range []Master{{PID: 10, Start: 100}, {PID: 11, Start: 100}} {
		_, err := n.ProveReload(t.Context(), Before{Master: before})
		var changed *MasterChangedError
		if !errors.As(err, &changed) || changed.Now.PID == 11 {
			t.Errorf("%+v: %v", before, err)
		}
	}
}

// TestReloadWithoutLogs: where nginx writes no log, what it has inherited stays open, and says nothing of a reload.
func TestReloadWithoutLogs(t *testing.T) {
	needNginx(t, false)
	port := freePort(t)
	h := newHost(t, map[string]string{"conf.d/a.conf": serve(port, "one")})
	h.write("nginx.conf", strings.NewReplacer("error_log "+h.path("log/error.log"), "error_log stderr",
		"access_log "+h.path("log/access.log"), "access_log off").Replace(h.read(h.conf())))
	inherited, err := os.Open(h.conf())
	h.must(err)
	defer inherited.Close()
	h.start(inherited)
	before := h.mark()
	h.write("conf.d/a.conf", serve(port, "two"))
	h.hup(before.Master)
	if _, err := h.nginx().ProveReload(t.Context(), before); err != nil {
		t.Error(err)
	}
	if got := get(t, port); got != "two" {
		t.Errorf("served: %q", got)
	}
}

// TestReloadAtOddPath: a socket's path may have blanks, and /proc has it as it is.
func TestReloadAtOddPath(t *testing.T) {
	needNginx(t, true)
	port := freePort(t)
	h := newHost(t, map[string]string{"conf.d/a.conf": serve(port, "one")})
	h.start()
	before := h.mark()
	h.write("conf.d/b.conf", `server { listen "unix:`+h.path("run/a b")+`"; return 204; }`)
	h.hup(before.Master)
	if _, err := h.nginx().ProveReload(t.Context(), before); err != nil {
		t.Error(err)
	}
}
