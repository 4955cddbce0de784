package nginx

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
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
func (h host) start() {
	h.t.Helper()
	cmd := exec.Command(program, "-c", h.conf(), "-g", "daemon off;")
	h.must(cmd.Start())
	h.t.Cleanup(func() {
		cmd.Process.Signal(syscall.SIGTERM)
		cmd.Wait()
	})
	for range 1500 {
		if m, err := h.nginx().Master(0); err == nil && len(m.Workers) == 1 {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	log, _ := os.ReadFile(h.path("log/error.log"))
	h.t.Fatalf("nginx did not start: %s", log)
}

func (h host) mark() (Master, LogMark) {
	h.t.Helper()
	m, err := h.nginx().Master(0)
	h.must(err)
	tree, err := Load("", h.conf(), nil)
	h.must(err)
	return m, h.nginx().MarkLogs(tree.ErrorLogs())
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
	before, mark := h.mark()
	h.write("conf.d/a.conf", serve(port, "two"))
	h.hup(before)
	after, err := h.nginx().ProveReload(t.Context(), before, mark)
	if err != nil || after.PID != before.PID || slices.Equal(after.Workers, before.Workers) {
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
	site.Listen[0].Address, site.Locations[0].Backend.Port = "127.0.0.1", backend
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
	for _, want := range []string{"GET /ws/ HTTP/1.1\r\n", "Upgrade: websocket\r\n", "Connection: upgrade\r\n", "Host: ws.example.com\r\n", "X-Real-IP: 127.0.0.1\r\n", "X-Forwarded-For: 127.0.0.1\r\n", "X-Forwarded-Proto: http\r\n"} {
		if !strings.Contains(string(request[:size]), want) {
			t.Errorf("%q is not in %q", want, request[:size])
		}
	}
	fmt.Fprint(server, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n")
	_, err = client.Read(request)
	h.must(err)

	before, mark := h.mark()
	h.hup(before)
	after, err := h.nginx().ProveReload(t.Context(), before, mark)
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
	before, mark := h.mark()
	h.write("conf.d/b.conf", "broken;")
	h.hup(before)
	began := time.Now()
	_, err := h.nginx().ProveReload(t.Context(), before, mark)
	var not *NotReplacedError
	if !errors.As(err, &not) || len(not.Lines) != 1 || !strings.Contains(not.Lines[0].Text, `unknown directive "broken"`) {
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
	before, mark := h.mark()
	h.write("conf.d/b.conf", serve(taken, "x"))
	if found, err := h.nginx().Test(t.Context(), nil); err != nil || len(found) != 0 {
		t.Fatalf("%v %v", found, err)
	}
	h.hup(before)
	_, err = h.nginx().ProveReload(t.Context(), before, mark)
	var not *NotReplacedError
	if !errors.As(err, &not) || !strings.Contains(err.Error(), "still could not bind()") || !strings.Contains(err.Error(), "Address already in use") {
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
	before, mark := h.mark()
	h.write("conf.d/b.conf", serve(taken, "x"))
	h.hup(before)
	time.AfterFunc(300*time.Millisecond, func() { l.Close() })
	if _, err = h.nginx().ProveReload(t.Context(), before, mark); err != nil {
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
	before, mark := h.mark()
	n := h.nginx()
	n.Patience = 200 * time.Millisecond
	_, err := n.ProveReload(t.Context(), before, mark)
	var not *NotReplacedError
	if !errors.As(err, &not) || len(not.Lines) != 0 {
		t.Errorf("%v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := n.ProveReload(ctx, before, mark); !errors.Is(err, context.Canceled) || !errors.As(err, &not) {
		t.Errorf("%v", err)
	}
}

func TestReloadWithoutTheMaster(t *testing.T) {
	n := fakeProc(t, map[int][2]string{10: {statLine(10, 1, 200), "nginx: master process x"}})
	for _, before := range []Master{{PID: 10, Start: 100}, {PID: 11, Start: 100}} {
		_, err := n.ProveReload(t.Context(), before, LogMark{})
		var changed *MasterChangedError
		if !errors.As(err, &changed) || changed.Now.PID == 11 {
			t.Errorf("%+v: %v", before, err)
		}
	}
}

func TestReloadComplained(t *testing.T) {
	n := fakeProc(t, map[int][2]string{
		10: {statLine(10, 1, 100), "nginx: master process x"},
		12: {statLine(12, 10, 300), "nginx: worker process"},
	})
	if err := os.WriteFile(n.Root+"/e.log", []byte("2026/11/22 18:00:00 [emerg] 1#1: old\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	mark := n.MarkLogs([]string{"/e.log"})
	appendTo(t, n.Root+"/e.log", "2026/11/22 18:00:00 [alert] 12#12: worker is ill\n")
	_, err := n.ProveReload(t.Context(), Master{PID: 10, Start: 100, Workers: []Worker{{11, 110, false}}}, mark)
	var complained *ComplainedError
	if !errors.As(err, &complained) || len(complained.Lines) != 1 || complained.Master.Workers[0].PID != 12 {
		t.Errorf("%v", err)
	}
}

// A worker of the old configuration may leave in disorder; the new one serves all the same.
func TestReloadWithOldWorkersTrouble(t *testing.T) {
	n := fakeProc(t, map[int][2]string{
		10: {statLine(10, 1, 100), "nginx: master process x"},
		12: {statLine(12, 10, 300), "nginx: worker process"},
	})
	mark := n.MarkLogs([]string{"/e.log"})
	appendTo(t, n.Root+"/e.log", line("alert] 11#11: *1311 open socket #35 left in connection 95")+line("alert] 11#11: aborting")+
		line("alert] 11#0: 1024 worker_connections are not enough")+line("alert] 10#10: worker process 11 exited on signal 9"))
	if _, err := n.ProveReload(t.Context(), Master{PID: 10, Start: 100, Workers: []Worker{{11, 110, false}}}, mark); err != nil {
		t.Error(err)
	}
	appendTo(t, n.Root+"/e.log", strings.Repeat(line("alert] 11#0: 1024 worker_connections are not enough"), 100)+line("alert] 10#10: worker process 12 exited on signal 11"))
	var complained *ComplainedError
	if _, err := n.ProveReload(t.Context(), Master{PID: 10, Start: 100, Workers: []Worker{{11, 110, false}}}, mark); !errors.As(err, &complained) || len(complained.Lines) != 1 {
		t.Errorf("a new worker that dies: %v", err)
	}
}

func appendTo(t *testing.T, name, text string) {
	t.Helper()
	f, err := os.OpenFile(name, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.WriteString(text)
	if err = errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
}

func line(text string) string { return "2026/11/22 18:00:00 [" + text + "\n" }

func TestLogsAreFollowed(t *testing.T) {
	for _, test := range []struct {
		name string
		do   func(t *testing.T, log string)
		want string
	}{
		{"nothing", func(t *testing.T, log string) {}, ""},
		{"levels", func(t *testing.T, log string) {
			appendTo(t, log, line("crit] 1#1: c")+line("error] 1#1: e")+line("notice] 1#1: n")+line("alert] 1#1: a")+"rubbish [emerg]\n")
		}, "c a"},
		{"a connection's trouble", func(t *testing.T, log string) {
			appendTo(t, log, line("crit] 1#1: *7 connect() to 127.0.0.1:3000 failed (13: Permission denied)"))
		}, ""},
		{"truncated", func(t *testing.T, log string) {
			if err := os.Truncate(log, 0); err != nil {
				t.Fatal(err)
			}
			appendTo(t, log, line("emerg] 1#1: t"))
		}, "t"},
		{"rotated", func(t *testing.T, log string) {
			appendTo(t, log, line("emerg] 1#1: before"))
			if err := os.Rename(log, log+"-20261122"); err != nil {
				t.Fatal(err)
			}
			appendTo(t, log, line("emerg] 1#1: after"))
		}, "before after"},
		{"rotated, no new one yet", func(t *testing.T, log string) {
			if err := os.Rename(log, log+".1"); err != nil {
				t.Fatal(err)
			}
			appendTo(t, log+".1", line("emerg] 1#1: late"))
		}, "late"},
		{"half a line", func(t *testing.T, log string) { appendTo(t, log, strings.TrimSpace(line("emerg] 1#1: half"))) }, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			n := Nginx{Root: t.TempDir()}
			log := filepath.Join(n.Root, "e.log")
			appendTo(t, log, line("emerg] 1#1: old and long enough to be longer than what comes"))
			f := n.MarkLogs([]string{"/e.log", "/absent.log"}).follow()
			test.do(t, log)
			var got []string
			for range 3 { // a second look must not find the same lines again
				seen, err := f.read()
				if err != nil {
					t.Fatal(err)
				}
				got = nil
				for _, l := range seen {
					got = append(got, l.Text[strings.LastIndexByte(l.Text, ':')+2:])
				}
			}
			if strings.Join(got, " ") != test.want {
				t.Errorf("want %q, got %q", test.want, got)
			}
		})
	}
}

// A log that keeps nothing has nothing to say, and is neither waited for nor read without end.
func TestLogsThatAreNoFiles(t *testing.T) {
	n := Nginx{Root: t.TempDir()}
	if err := errors.Join(syscall.Mkfifo(n.Root+"/fifo", 0o600), os.Symlink("/dev/zero", n.Root+"/device"), os.Mkdir(n.Root+"/dir", 0o700)); err != nil {
		t.Fatal(err)
	}
	appendTo(t, n.Root+"/e.log", line("emerg] 1#1: old"))
	f := n.MarkLogs([]string{"/fifo", "/device", "/dir", "/e.log"}).follow()
	for _, name := range []string{"/fifo", "/dir", "/device"} { // also behind the mark's back
		if err := f.readFile(n.Root+name, &logPosition{shown: name}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	appendTo(t, n.Root+"/e.log", line("emerg] 1#1: new"))
	seen, err := f.read()
	if err != nil || len(seen) != 1 || !strings.HasSuffix(seen[0].Text, "new") {
		t.Errorf("%v, %v, want the one line of /e.log", seen, err)
	}
}

func TestLogsOfALineInPieces(t *testing.T) {
	n := Nginx{Root: t.TempDir()}
	f := n.MarkLogs([]string{"/e.log"}).follow()
	for _, piece := range []string{"2026/11/22 18:00:00 [em", "erg] 1#1: whole", "\n2026"} {
		appendTo(t, n.Root+"/e.log", piece)
		if _, err := f.read(); err != nil {
			t.Fatal(err)
		}
	}
	if len(f.seen) != 1 || f.seen[0].String() != "/e.log: 2026/11/22 18:00:00 [emerg] 1#1: whole" {
		t.Errorf("%v", f.seen)
	}
}

func FuzzLogLines(f *testing.F) {
	f.Add([]byte(line("emerg] 1#1: x")), []byte("\n"))
	f.Fuzz(func(t *testing.T, first, second []byte) {
		apart, whole := LogMark{}.follow(), LogMark{}.follow()
		apart.lines("x", first)
		apart.lines("x", second)
		whole.lines("x", slices.Concat(first, second))
		if len(first) < longestLine && !slices.Equal(apart.seen, whole.seen) {
			t.Errorf("%q, in one piece %q", apart.seen, whole.seen)
		}
	})
}
