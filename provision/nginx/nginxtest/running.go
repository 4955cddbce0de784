package nginxtest

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// FreePort is a port of 127.0.0.1 that was free a moment ago.
func FreePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// Serve is a server block that answers every request with a word.
func Serve(port int, answer string) string {
	return fmt.Sprintf("server { listen 127.0.0.1:%d; location / { return 200 %s; } }", port, answer)
}

// Start runs a real nginx in the foreground and ends it with the test.
func (h Host) Start(inherits ...*os.File) {
	h.T.Helper()
	cmd := exec.Command(Program, "-c", h.Conf(), "-g", "daemon off;")
	cmd.ExtraFiles = inherits
	h.Must(cmd.Start())
	h.T.Cleanup(func() {
		cmd.Process.Signal(syscall.SIGTERM)
		cmd.Wait()
	})
	for range 1500 {
		if h.Up() {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	log, _ := os.ReadFile(h.Path("log/error.log"))
	h.T.Fatalf("nginx did not start: %s", log)
}

// Up reports whether the host's nginx serves: its pid file names a process with one worker, and no other child
// (proc(5)).
func (h Host) Up() bool {
	pid, err := os.ReadFile(h.Path("run/nginx.pid"))
	if err != nil {
		return false
	}
	children, err := os.ReadFile(fmt.Sprintf("/proc/%s/task/%[1]s/children", strings.TrimSpace(string(pid))))
	worker := strings.Fields(string(children))
	if err != nil || len(worker) != 1 {
		return false
	}
	title, _ := os.ReadFile("/proc/" + worker[0] + "/cmdline")
	return strings.HasPrefix(string(title), "nginx: worker process")
}

// Eventually waits until something holds.
func (h Host) Eventually(what string, is func() bool) {
	h.T.Helper()
	for range 1500 {
		if is() {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	h.T.Fatalf("in 30 s it does not come about that %s", what)
}
