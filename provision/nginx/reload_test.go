package nginx

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"wsprovision/provision/nginx/conf"
	"wsprovision/provision/nginx/nginxtest"
)

func (h host) mark() Before {
	h.T.Helper()
	tree, err := conf.Load("", h.Conf(), nil)
	h.Must(err)
	before, err := h.nginx().BeforeReload(h.T.Context(), 0, tree.Paths().ErrorLogs())
	h.Must(err)
	return before
}

func (h host) hup(m Master) {
	h.T.Helper()
	h.Must(syscall.Kill(m.PID, syscall.SIGHUP))
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
	nginxtest.NeedNginx(t, false)
	port := nginxtest.FreePort(t)
	h := newHost(t, map[string]string{"conf.d/a.conf": nginxtest.Serve(port, "one")})
	h.Start()
	before := h.mark()
	h.Write("conf.d/a.conf", nginxtest.Serve(port, "two"))
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
	nginxtest.NeedNginx(t, false)
	port, backend := nginxtest.FreePort(t), nginxtest.FreePort(t)
	l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", backend))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	site := nginxtest.Example(port)
	site.Listen[0].Address, site.Locations[0].Backends[0].Port = "127.0.0.1", backend
	h := newHost(t, map[string]string{"conf.d/ws.conf": nginxtest.Rendered(t, site)})
	h.Start()
	client, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	h.Must(err)
	defer client.Close()
	fmt.Fprint(client, "GET /ws/ HTTP/1.1\r\nHost: ws.example.com\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n")
	server, err := l.Accept()
	h.Must(err)
	defer server.Close()
	request := make([]byte, 4096)
	size, err := server.Read(request)
	h.Must(err)
	for _, want := range []string{"GET /ws/ HTTP/1.1\r\n", "Upgrade: websocket\r\n", "Connection: upgrade\r\n",
		"Host: ws.example.com\r\n", "X-Real-IP: 127.0.0.1\r\n", "X-Forwarded-For: 127.0.0.1\r\n",
		"X-Forwarded-Proto: http\r\n"} {
		if !strings.Contains(string(request[:size]), want) {
			t.Errorf("%q is not in %q", want, request[:size])
		}
	}
	fmt.Fprint(server, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n")
	_, err = client.Read(request)
	h.Must(err)

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
	nginxtest.NeedNginx(t, false)
	port := nginxtest.FreePort(t)
	h := newHost(t, map[string]string{"conf.d/a.conf": nginxtest.Serve(port, "one")})
	h.Start()
	before := h.mark()
	h.Write("conf.d/b.conf", "broken;")
	h.hup(before.Master)
	n := h.nginx()
	n.Patience = time.Hour // an emerg is final, and not waited out
	_, err := n.ProveReload(t.Context(), before)
	var not *NotReplacedError
	if !errors.As(err, &not) || len(not.Lines) != 1 ||
		!strings.Contains(not.Lines[0].Text, `unknown directive "broken"`) {
		t.Fatalf("%v", err)
	}
	if got := get(t, port); got != "one" {
		t.Errorf("served: %q", got)
	}
}

// nginx -t passes here, and so does nginx -s reload: only the proof tells.
func TestReloadThatCannotBind(t *testing.T) {
	nginxtest.NeedNginx(t, true)
	port, taken := nginxtest.FreePort(t), nginxtest.FreePort(t)
	h := newHost(t, map[string]string{"conf.d/a.conf": nginxtest.Serve(port, "one")})
	h.Start()
	l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", taken))
	h.Must(err)
	defer l.Close()
	before := h.mark()
	h.Write("conf.d/b.conf", nginxtest.Serve(taken, "x"))
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
	nginxtest.NeedNginx(t, false)
	port, taken := nginxtest.FreePort(t), nginxtest.FreePort(t)
	h := newHost(t, map[string]string{"conf.d/a.conf": nginxtest.Serve(port, "one")})
	h.Start()
	l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", taken))
	h.Must(err)
	before := h.mark()
	h.Write("conf.d/b.conf", nginxtest.Serve(taken, "x"))
	h.hup(before.Master)
	time.AfterFunc(300*time.Millisecond, func() { l.Close() })
	if _, err = h.nginx().ProveReload(t.Context(), before); err != nil {
		t.Fatal(err)
	}
	if got := get(t, taken); got != "x" {
		t.Errorf("served: %q", got)
	}
}

// A new worker that shuts down already proves nothing, and an old one that does holds nothing up: it has its
// WebSockets.
func TestWorkersOfAReload(t *testing.T) {
	before := []Worker{{PID: 11, Start: 110}, {PID: 12, Start: 120}}
	for name, tt := range map[string]struct {
		now          []Worker
		older, newer int
	}{
		"nothing has happened":       {before, 2, 0},
		"replaced":                   {[]Worker{{PID: 13, Start: 130}}, 0, 1},
		"an old one drains":          {[]Worker{{11, 110, true}, {PID: 13, Start: 130}}, 0, 1},
		"the new one shuts down":     {[]Worker{{13, 130, true}}, 0, 0},
		"a number that is used anew": {[]Worker{{PID: 11, Start: 111}}, 0, 1},
	} {
		p := &proof{before: Before{Master: Master{Workers: before}}}
		after := Master{Workers: tt.now}
		if older, newer := len(p.older(after)), len(p.newer(after)); older != tt.older || newer != tt.newer {
			t.Errorf("%s: %d older and %d newer ones, want %d and %d", name, older, newer, tt.older, tt.newer)
		}
	}
}

// A new worker has to be seen three times: one that dies as it starts, and its successor, are none.
func TestWorkersThatDieAtOnce(t *testing.T) {
	p := &proof{}
	for i, tt := range []struct {
		seen []Worker
		want int
	}{
		{nil, 0}, {[]Worker{{PID: 1, Start: 1}}, 1}, {[]Worker{{PID: 2, Start: 2}}, 1}, {nil, 0},
		{[]Worker{{PID: 3, Start: 3}}, 1}, {[]Worker{{PID: 3, Start: 3}, {PID: 4, Start: 4}}, 2},
		{[]Worker{{PID: 3, Start: 3}}, 3}, {[]Worker{{PID: 3, Start: 5}}, 1},
	} {
		if p.keep(tt.seen); p.looks != tt.want {
			t.Errorf("look %d: %d looks, want %d", i, p.looks, tt.want)
		}
	}
}

func TestReloadWithoutASignal(t *testing.T) {
	nginxtest.NeedNginx(t, false)
	h := newHost(t, map[string]string{"conf.d/a.conf": nginxtest.Serve(nginxtest.FreePort(t), "one")})
	h.Start()
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
	nginxtest.NeedNginx(t, false)
	port := nginxtest.FreePort(t)
	h := newHost(t, map[string]string{"conf.d/a.conf": nginxtest.Serve(port, "one")})
	h.Write("nginx.conf", strings.NewReplacer("error_log "+h.Path("log/error.log"), "error_log stderr",
		"access_log "+h.Path("log/access.log"), "access_log off").Replace(h.Read(h.Conf())))
	inherited, err := os.Open(h.Conf())
	h.Must(err)
	defer inherited.Close()
	h.Start(inherited)
	before := h.mark()
	h.Write("conf.d/a.conf", nginxtest.Serve(port, "two"))
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
	nginxtest.NeedNginx(t, true)
	port := nginxtest.FreePort(t)
	h := newHost(t, map[string]string{"conf.d/a.conf": nginxtest.Serve(port, "one")})
	h.Start()
	before := h.mark()
	h.Write("conf.d/b.conf", `server { listen "unix:`+h.Path("run/a b")+`"; return 204; }`)
	h.hup(before.Master)
	if _, err := h.nginx().ProveReload(t.Context(), before); err != nil {
		t.Error(err)
	}
}

// TestReloadThatExchanges: nginx binds what is new before it closes what is old, so that its own socket is in the way
// of another on the port, unless one at every address stays.
func TestReloadThatExchanges(t *testing.T) {
	nginxtest.NeedNginx(t, false)
	const every, one, six = "server { listen PORT; }", "server { listen 127.0.0.1:PORT; }",
		"server { listen [::]:PORT; }"
	for _, test := range []struct {
		name, before, after string
		refused             bool
	}{
		{"every address for one", every, one, true},
		{"one address for every", one, every, true},
		{"one, and every stays", every, every + one, false},
		{"one goes, and every stays", every + one, every, false},
		{"one address for another", one, "server { listen 127.0.0.2:PORT; }", false},
		{"every address of the other family", one, one + six, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			port := fmt.Sprint(nginxtest.FreePort(t))
			h := newHost(t, map[string]string{"conf.d/a.conf": strings.ReplaceAll(test.before, "PORT", port)})
			h.Start()
			before := h.mark()
			h.Write("conf.d/a.conf", strings.ReplaceAll(test.after, "PORT", port))
			h.hup(before.Master)
			_, err := h.nginx().ProveReload(t.Context(), before)
			var not *NotReplacedError
			if errors.As(err, &not) != test.refused || test.refused != (err != nil) {
				t.Errorf("%v, want a refusal: %v", err, test.refused)
			}
			if test.refused && !strings.Contains(err.Error(), "still could not bind()") {
				t.Errorf("%v", err)
			}
		})
	}
}
