package nginx

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"wsprovision/provision/nginx/nginxtest"
)

// forgedLines are lines such as the nginx user may write into the log that it owns, with the pids that it sees.
func forgedLines(pids ...int) string {
	var b strings.Builder
	for _, pid := range pids {
		for _, words := range []string{"still could not bind()", "unknown directive",
			"bind() to 0.0.0.0:80 failed (13: Permission denied)",
			fmt.Sprintf("worker process %d exited on signal 11", pid)} {
			fmt.Fprintf(&b, "2099/01/01 00:00:00 [emerg] %d#%[1]d: %s\n2099/01/01 00:00:00 [alert] %[1]d#%[1]d: "+
				"%[2]s\n", pid, words)
		}
	}
	return b.String()
}

// patient waits so long that a failure which is found earlier was found by what /proc shows.
func (h host) patient() Nginx {
	n := h.nginx()
	n.Patience = time.Minute
	return n
}

// TestHostileVeto: lines of a log, forged pids included, keep no reload from being proved.
func TestHostileVeto(t *testing.T) {
	nginxtest.NeedNginx(t, false)
	port := nginxtest.FreePort(t)
	h := newHost(t, map[string]string{"conf.d/a.conf": nginxtest.Serve(port, "one")})
	h.Start()
	before := h.mark()
	log := h.Path("log/error.log")
	lines := forgedLines(before.Master.PID, before.Master.Workers[0].PID, before.Master.PID+3, 1)
	appendTo(t, log, lines)
	h.Write("conf.d/a.conf", nginxtest.Serve(port, "two"))
	h.hup(before.Master)
	stop := make(chan struct{})
	stopped := make(chan struct{})
	go func() { // and goes on with it
		defer close(stopped)
		for {
			select {
			case <-stop:
				return
			case <-time.After(5 * time.Millisecond):
				appendTo(t, log, lines)
			}
		}
	}()
	_, err := h.nginx().ProveReload(t.Context(), before)
	close(stop)
	<-stopped
	if err != nil {
		t.Error(err)
	}
	if got := get(t, port); got != "two" {
		t.Errorf("served: %q", got)
	}
}

// TestHostileProof: neither lines of a log nor workers that were killed prove a reload that did not happen.
func TestHostileProof(t *testing.T) {
	nginxtest.NeedNginx(t, true)
	port := nginxtest.FreePort(t)
	h := newHost(t, map[string]string{"conf.d/a.conf": nginxtest.Serve(port, "one")})
	h.Start()
	for _, refused := range []bool{false, true} {
		before := h.mark()
		if refused {
			h.Write("conf.d/b.conf", "broken;")
			h.hup(before.Master)
		}
		appendTo(t, h.Path("log/error.log"), fmt.Sprintf("2099/01/01 00:00:00 [notice] %d#%[1]d: reconfiguring\n",
			before.Master.PID))
		h.Must(syscall.Kill(before.Master.Workers[0].PID, syscall.SIGKILL))
		_, err := h.patient().ProveReload(t.Context(), before)
		var not *NotReplacedError
		if !errors.As(err, &not) || !strings.Contains(not.Why, "has not read its configuration") ||
			not.Waited >= time.Minute {
			t.Fatalf("its worker killed, a reload refused %t: %v", refused, err)
		}
		if refused && !strings.Contains(err.Error(), `unknown directive "broken"`) {
			t.Errorf("%v, want what nginx said", err)
		}
	}
}

// TestHostileLogsOfAReload: whatever the nginx user puts in its log's place, a reload that fails is found to fail in
// about the time that nginx needs for it.
func TestHostileLogsOfAReload(t *testing.T) {
	nginxtest.NeedNginx(t, true)
	port := nginxtest.FreePort(t)
	h := newHost(t, map[string]string{"conf.d/a.conf": nginxtest.Serve(port, "one")})
	h.Start()
	h.Write("conf.d/b.conf", "broken;")
	log := h.Path("log/error.log")
	for name, put := range nginxtest.Hostile {
		before := h.mark()
		h.Must(os.RemoveAll(log))
		h.Must(put(log))
		h.hup(before.Master) // which fails before it opens its logs
		_, err := h.patient().ProveReload(t.Context(), before)
		var not *NotReplacedError
		if !errors.As(err, &not) || not.Waited >= time.Minute {
			t.Errorf("%s: %v", name, err)
		}
		h.Must(os.RemoveAll(log))
		h.Must(os.RemoveAll(log + ".1"))
	}
}

// TestHostileHang: a master that waits for a pipe in its log's place is found to be at work still, and the wait is
// bounded.
func TestHostileHang(t *testing.T) {
	nginxtest.NeedNginx(t, true)
	h := newHost(t, map[string]string{"conf.d/a.conf": nginxtest.Serve(nginxtest.FreePort(t), "one")})
	h.Start()
	before := h.mark()
	log := h.Path("log/access.log")
	h.Must(os.Remove(log))
	h.Must(syscall.Mkfifo(log, 0o600))
	n := h.nginx()
	n.Patience = 500 * time.Millisecond
	h.hup(before.Master)
	_, err := n.ProveReload(t.Context(), before)
	if err == nil || !strings.Contains(err.Error(), "is still reading its configuration") {
		t.Errorf("%v", err)
	}
	reader, err := os.OpenFile(log, os.O_RDONLY|syscall.O_NONBLOCK, 0) // lets it go on
	h.Must(err)
	t.Cleanup(func() { reader.Close() })
	if _, err := h.nginx().ProveReload(t.Context(), before); err != nil {
		t.Errorf("with a reader: %v", err)
	}
}

// TestReloadWithoutWorkers: new workers that do not stay are no reload that was taken.
func TestReloadWithoutWorkers(t *testing.T) {
	n := fakeProc(t, map[int][2]string{10: {statLine(10, 1, 100), "nginx: master process x"}})
	n.Patience = 200 * time.Millisecond
	_, err := n.ProveReload(t.Context(),
		Before{Master: Master{PID: 10, Start: 100, Workers: []Worker{{11, 110, false}}}})
	var not *NotReplacedError
	if !errors.As(err, &not) || !strings.Contains(not.Why, "no new worker that stays") {
		t.Errorf("%v", err)
	}
}
