package systemd

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
)

// playOffline enters TREE, which has /usr but no /proc, and an installer's /run. "ask" is the control: a systemctl
// that does look for a bus. SYSTEMD_IGNORE_CHROOT makes systemctl as careless as 208 and 219 are without /proc.
func playOffline() error {
	dir := os.Getenv("TREE")
	if err := syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""); err != nil {
		return err
	}
	for from, to := range map[string]string{"/usr": "/usr", os.Getenv("HOST") + "/run": "/run"} {
		if err := syscall.Mount(from, filepath.Join(dir, to), "", syscall.MS_BIND, ""); err != nil {
			return fmt.Errorf("bind %s: %w", from, err)
		}
	}
	if err := syscall.Chroot(dir); err != nil {
		return err
	}
	if err := os.Chdir("/"); err != nil {
		return err
	}
	run := func(ctx context.Context, _ string, argv ...string) (string, string, int, error) {
		cmd := exec.CommandContext(ctx, "/usr/bin/"+argv[0], argv[1:]...)
		cmd.Env = []string{"PATH=/usr/bin", "LC_ALL=C", "SYSTEMD_IGNORE_CHROOT=1"}
		cmd.Stdin = strings.NewReader("")
		out, err := cmd.CombinedOutput()
		if cmd.ProcessState == nil {
			return "", "", 0, err
		}
		return "", string(out), cmd.ProcessState.ExitCode(), nil
	}
	if os.Getenv("ASK") != "" {
		_, out, _, err := run(context.Background(), "", "systemctl", "is-active", "nginx.service")
		fmt.Print(out)
		return err
	}
	o := &Offline{Change: run}
	for _, do := range []func(context.Context, string) error{o.Enable, o.Disable, o.Enable} {
		if err := do(context.Background(), "nginx.service"); err != nil {
			return err
		}
	}
	st, err := o.State(context.Background(), "nginx.service")
	fmt.Print(st.File)
	return err
}

// In a chroot without /proc, with the installer's /run and its sockets, nothing that Offline runs connects to them.
func TestOfflineReachesNoBus(t *testing.T) {
	if _, err := os.Stat("/usr/bin/systemctl"); err != nil || os.Geteuid() != 0 {
		cannot(t, "wants systemctl and root")
	}
	host := tree(t, map[string]string{"/run/systemd/system": "/", "/run/dbus": "/"})
	var connections atomic.Int32
	for _, socket := range []string{"/run/systemd/private", "/run/dbus/system_bus_socket"} {
		ln, err := net.Listen("unix", host+socket)
		if err != nil {
			t.Fatal(err)
		}
		defer ln.Close()
		go func() {
			for {
				conn, err := ln.Accept()
				if err != nil {
					return
				}
				connections.Add(1)
				_ = conn.Close()
			}
		}()
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	child := func(t *testing.T, env ...string) string {
		// /etc/systemd/system is the tree's own; the unit lies in /etc too, as /usr is this machine's.
		dir := tree(t, map[string]string{"/run": "/", "/usr": "/", "/usr/local/x": "", "/bin": "-> usr/bin",
			"/lib": "-> usr/lib", "/lib64": "-> usr/lib64",
			"/etc/systemd/system/nginx.service": nginxUnit})
		cmd := exec.CommandContext(t.Context(), self)
		cmd.Env = append([]string{stage + "=offline", "HOST=" + host, "TREE=" + dir, "GORACE=atexit_sleep_ms=0"},
			env...)
		cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWPID | syscall.CLONE_NEWNS}
		var stderr strings.Builder
		cmd.Stderr = &stderr
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("%v: %s", err, stderr.String())
		}
		return string(out)
	}
	if got := child(t); got != "enabled" {
		t.Errorf("got %q, want enabled", got)
	}
	if n := connections.Load(); n != 0 {
		t.Errorf("%d connections to the installer's sockets, want none", n)
	}
	if said := child(t, "ASK=1"); connections.Load() == 0 {
		t.Errorf("the control did not reach the sockets either, so this test shows nothing: %s", said)
	}
}
