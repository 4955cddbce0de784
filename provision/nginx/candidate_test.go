package nginx

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"wsprovision/provision/nginx/nginxtest"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
)

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[0] == "in-a-bare-chroot" {
		bareChroot(os.Args[1])
		return
	}
	os.Exit(m.Run())
}

// whole is what must not change: the machine's own nginx, its pid, logs and temporary files, and the test's directory.
// The rest of /run and /var/log is others', who write to it meanwhile.
func whole(h host) []string {
	return []string{h.Dir, "/etc/nginx", "/run/nginx.pid", "/var/log/nginx", "/var/lib/nginx", "/usr/share/nginx"}
}

// mounts are those below the paths, and those that the paths lie in; others come and go with the machine.
func mounts(t *testing.T, paths ...string) (of []string) {
	t.Helper()
	all, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(all)) {
		m, err := parseMount(line)
		if err != nil {
			t.Fatal(err)
		}
		if slices.ContainsFunc(paths, func(path string) bool {
			return within(m.point, path) || within(path, m.point)
		}) {
			of = append(of, line)
		}
	}
	return of
}

func within(path, dir string) bool {
	return strings.HasPrefix(path+"/", strings.TrimSuffix(dir, "/")+"/")
}

// unchanged runs nginx.Test and compares the host before and after.
func (h host) test(overlay map[string]string) []Problem {
	h.T.Helper()
	content := map[string][]byte{}
	for name, text := range overlay {
		content[h.Path(name)] = []byte(text)
		if text == absent {
			content[h.Path(name)] = nil
		}
	}
	before, table := listing(h.T, whole(h)...), mounts(h.T, whole(h)...)
	found, err := h.nginx().Test(h.T.Context(), content)
	h.Must(err)
	if diff := cmp.Diff(before, listing(h.T, whole(h)...)); diff != "" {
		h.T.Errorf("the host changed:\n%s", diff)
	}
	if diff := cmp.Diff(table, mounts(h.T, whole(h)...)); diff != "" {
		h.T.Errorf("the mount table changed:\n%s", diff)
	}
	return found
}

const absent = "\x00absent"

func TestCandidateLeavesNothing(t *testing.T) {
	nginxtest.NeedNginx(t, true)
	good := "server { listen 38082; server_name a; }"
	for _, test := range []struct {
		name    string
		files   map[string]string
		overlay map[string]string
		want    string // all problems
	}{
		{"new file", nil, map[string]string{"conf.d/ws.conf": nginxtest.Rendered(t, nginxtest.Example(38082))}, ""},
		{"instead of a broken one", map[string]string{"conf.d/ws.conf": "broken;"},
			map[string]string{"conf.d/ws.conf": good}, ""},
		{"a broken one away", map[string]string{"conf.d/ws.conf": "broken;"},
			map[string]string{"conf.d/ws.conf": absent}, ""},
		{"no overlay", map[string]string{"conf.d/ws.conf": good}, nil, ""},
		{"syntax", map[string]string{"conf.d/a.conf": good},
			map[string]string{"conf.d/ws.conf": "server {\n listen 38082;\n bad x;\n}"},
			`[emerg] unknown directive "bad" in DIR/conf.d/ws.conf:3`},
		{"somebody else's broken file", map[string]string{"conf.d/z.conf": "\n}"},
			map[string]string{"conf.d/ws.conf": good}, `[emerg] unexpected "}" in DIR/conf.d/z.conf:2`},
		{"conflicting name", map[string]string{"conf.d/a.conf": good}, map[string]string{"conf.d/ws.conf": good},
			`[error] conflicting server name "a" on 0.0.0.0:38082, ignored`},
		{"cycle", map[string]string{"conf.d/a.conf": good},
			map[string]string{"conf.d/ws.conf": "include conf.d/ws.conf;"},
			`[emerg] include cycle: DIR/conf.d/ws.conf is being read already in DIR/conf.d/ws.conf:1`},
		{"unresolved backend", nil, map[string]string{"conf.d/ws.conf": "upstream u {\n server nowhere.invalid:1; }"},
			`[emerg] host not found in upstream "nowhere.invalid:1" in DIR/conf.d/ws.conf:2`},
		{"main file", nil, map[string]string{"nginx.conf": "events {}\nhttp { x; }"},
			`[emerg] unknown directive "x" in DIR/nginx.conf:2`},
		{"links in the directory", map[string]string{"avail/x": good}, map[string]string{"conf.d/ws.conf": good},
			`[error] conflicting server name "a" on 0.0.0.0:38082, ignored`},
		{"log in the tree, cache, unix socket", map[string]string{"conf.d/a.conf": "access_log DIR/conf.d/a.log; " +
			"proxy_cache_path DIR/cache/x keys_zone=x:1m; server { listen unix:DIR/run/l.sock; }", "cache/y": ""},
			map[string]string{"conf.d/ws.conf": good}, ""},
		{"missing log directory", map[string]string{"conf.d/a.conf": "access_log DIR/none/a.log;"},
			map[string]string{"conf.d/ws.conf": good},
			`[emerg] open() "DIR/none/a.log" failed (2: No such file or directory)`},
	} {
		t.Run(test.name, func(t *testing.T) {
			h := newHost(t, nil)
			for name, content := range test.files {
				h.Write(name, strings.ReplaceAll(content, "DIR", h.Dir))
			}
			if test.files["avail/x"] != "" {
				h.Must(os.Symlink("../avail/x", h.Path("conf.d/link.conf")))
			}
			socket, err := net.Listen("unix", h.Path("run/l.sock"))
			h.Must(err)
			defer socket.Close()
			var got []string
			for _, p := range h.test(test.overlay) {
				got = append(got, strings.ReplaceAll(p.String(), h.Dir, "DIR"))
			}
			if strings.Join(got, "\n") != test.want {
				t.Errorf("want %s, got %s", test.want, got)
			}
		})
	}
}

// Without isolation the same nginx -t does leave things behind, so that the test above can fail.
func TestPlainTestLeavesThings(t *testing.T) {
	nginxtest.NeedNginx(t, false)
	h := newHost(t, nil)
	before := listing(t, h.Dir)
	h.Check()
	after := listing(t, h.Dir)
	for _, name := range []string{"run/nginx.pid", "log/error.log", "tmp/body"} {
		if before[h.Path(name)] != "" || after[h.Path(name)] == "" {
			t.Errorf("%s: before %q, after %q", name, before[h.Path(name)], after[h.Path(name)])
		}
	}
}

// What the plan does not know of cannot be written either.
func TestCandidateRunsReadOnly(t *testing.T) {
	nginxtest.NeedNginx(t, true)
	h := newHost(t, nil)
	n := h.nginx()
	n.Read = func(ctx context.Context, stdin string, argv ...string) (string, string, int, error) {
		if argv[1] == "-t" {
			_, stderr, status, err := nginxtest.Run(ctx, "", "/bin/sh", "-c", "echo x > "+h.Path("leak")+"; touch "+
				h.Path("log/mine")+" && ls "+h.Dir)
			if err != nil || !strings.Contains(stderr, "Read-only file system") {
				t.Errorf("%v %d %s", err, status, stderr)
			}
			return "", successful, 0, nil
		}
		return nginxtest.Run(ctx, stdin, argv...)
	}
	if found, err := n.Test(t.Context(), nil); err != nil || len(found) != 0 {
		t.Errorf("%v %v", found, err)
	}
	for _, name := range []string{"leak", "log/mine"} {
		if _, err := os.Stat(h.Path(name)); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s was left: %v", name, err)
		}
	}
}

// A directory that only nginx's complaint reveals is covered at the second try.
func TestCandidateLearnsFromReadOnly(t *testing.T) {
	nginxtest.NeedNginx(t, true)
	h := newHost(t, map[string]string{"audit/old": ""})
	n, tries := h.nginx(), 0
	n.Read = func(ctx context.Context, stdin string, argv ...string) (string, string, int, error) {
		if argv[1] != "-t" {
			return nginxtest.Run(ctx, stdin, argv...)
		}
		tries++
		if err := os.WriteFile(h.Path("audit/new"), nil, 0o600); err != nil {
			return "", fmt.Sprintf("nginx: [emerg] open() %q failed (30: Read-only file system)\n%s",
				h.Path("audit/new"), failed), 1, nil
		}
		return "", successful, 0, nil
	}
	if found, err := n.Test(t.Context(), nil); err != nil || len(found) != 0 || tries != 2 {
		t.Errorf("%d tries: %v %v", tries, found, err)
	}
	if _, err := os.Stat(h.Path("audit/new")); err == nil {
		t.Error("it was left on the host")
	}
}

func TestCandidateCrash(t *testing.T) {
	nginxtest.NeedNginx(t, true)
	h := newHost(t, nil)
	n := h.nginx()
	n.Read = func(ctx context.Context, stdin string, argv ...string) (string, string, int, error) {
		if argv[1] == "-t" {
			argv = []string{"/bin/sh", "-c", "kill -SEGV $$"}
		}
		return nginxtest.Run(ctx, stdin, argv...)
	}
	if _, err := n.Test(t.Context(), nil); err == nil || !strings.Contains(err.Error(), "crashed") {
		t.Errorf("%v", err)
	}
}

func TestCandidateWithARunThatExits(t *testing.T) {
	nginxtest.NeedNginx(t, true)
	h := newHost(t, nil)
	n := h.nginx()
	n.Read = func(ctx context.Context, stdin string, argv ...string) (string, string, int, error) {
		if argv[1] == "-t" {

			runtime.Goexit()
		}
		return nginxtest.Run(ctx, stdin, argv...)
	}
	if _, err := n.Test(t.Context(), nil); err == nil || !strings.Contains(err.Error(), "ended early") {
		t.Errorf("%v", err)
	}
}

// As another user there is no namespace, and the error says what is missing.
func TestCandidateNeedsRoot(t *testing.T) {
	if os.Geteuid() != 0 {
		if err := Isolated(func() error { return nil }); !errors.Is(err, ErrNeedsRoot) {
			t.Errorf("%v", err)
		}
		return
	}
	done := make(chan error)
	onOwnThread(func() {
		// Of this thread only, and it ends with the test.
		_, _, errno := syscall.RawSyscall(syscall.SYS_SETRESUID, 65534, 65534, 65534)
		if errno != 0 {
			done <- errno
			return
		}
		done <- private()
	})
	if err := <-done; !errors.Is(err, ErrNeedsRoot) {
		t.Errorf("%v", err)
	}
}

// A chroot that is not a mount point, without /proc: the namespace is made private from its root, and nothing leaks.
func TestIsolatedInABareChroot(t *testing.T) {
	if os.Geteuid() != 0 {
		nginxtest.Cannot(t, "needs root for chroot")
	}
	root := t.TempDir()
	for _, dir := range []string{"tmp", "etc/conf.d", "mnt"} {
		if err := os.MkdirAll(filepath.Join(root, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	self, err := os.ReadFile("/proc/self/exe")
	if err == nil {
		err = errors.Join(os.WriteFile(root+"/agent", self, 0o755),
			os.WriteFile(root+"/etc/conf.d/a", []byte("real"), 0o644))
	}
	if err != nil {
		t.Fatal(err)
	}
	libraries(t, root)
	table := mounts(t, root)
	cmd := exec.Command("/agent")
	cmd.Args = []string{"in-a-bare-chroot", "/etc/conf.d"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Chroot: root}
	cmd.Dir, cmd.Env = "/", []string{"GOCOVERDIR=/tmp"} // under -cover, a test binary complains where it is not set
	var said strings.Builder
	cmd.Stdout, cmd.Stderr = &said, &said
	stop := time.AfterFunc(20*time.Second, func() { cmd.Process.Kill() })
	defer stop.Stop()
	if err := cmd.Run(); err != nil || !strings.HasSuffix(said.String(), "inside covered, outside real\n") {
		t.Errorf("%v: %s", err, said.String())
	}
	if diff := cmp.Diff(table, mounts(t, root)); diff != "" {
		t.Errorf("a mount got out:\n%s", diff)
	}
}

// libraries copies what a test binary with cgo (for -race) is linked to; a static one has none.
func libraries(t *testing.T, root string) {
	linked, _ := exec.Command("ldd", os.Args[0]).Output() // fails on a static one
	for _, word := range strings.Fields(string(linked)) {
		if !strings.HasPrefix(word, "/") || strings.HasSuffix(word, ":") {
			continue
		}
		content, err := os.ReadFile(word)
		err = errors.Join(err, os.MkdirAll(filepath.Dir(root+word), 0o755), os.WriteFile(root+word, content, 0o755))
		if err != nil {
			t.Fatal(err)
		}
	}
}

func bareChroot(dir string) {
	inside := ""
	err := Isolated(func() error {
		for _, c := range plan("", map[string][]byte{dir + "/a": []byte("covered")}, nil) {
			if err := c.apply(); err != nil {
				return err
			}
		}
		content, err := os.ReadFile(dir + "/a")
		inside = string(content)
		return errors.Join(err, makeReadOnly("/proc"))
	})
	content, outside := os.ReadFile(dir + "/a")
	if err = errors.Join(err, outside); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Printf("inside %s, outside %s\n", inside, content)
}

func TestParseMount(t *testing.T) {
	got, err := parseMount(`36 35 98:0 /mnt1 /mnt\0402 rw,noatime master:1 - ext3 /dev/root rw,errors=continue`)
	if err != nil || got != (mount{"/mnt 2", "ext3"}) {
		t.Errorf("%+v %v", got, err)
	}
	if _, err := parseMount("36 35 98:0 / / rw"); err == nil {
		t.Error("no dash, no error")
	}
}

func FuzzParseMount(f *testing.F) {
	f.Add(`36 35 98:0 /mnt1 /mnt\0402 rw,noatime master:1 - ext3 /dev/root rw,errors=continue`)
	f.Add(`1 2 3 4 \ 5 - a \777`)
	f.Fuzz(func(t *testing.T, line string) {
		if m, err := parseMount(line); err == nil &&
			(m.point == "" || m.kind == "" || !slices.Contains(strings.Fields(line), "-")) {
			t.Errorf("%+v", m)
		}
	})
}

// A cover that has another label than what it hides would keep a confined nginx -t from its pid file and its logs.
func TestCoverKeepsTheLabel(t *testing.T) {
	dir, err := os.MkdirTemp("/var/tmp", "cover") // not below /tmp, where the cover is built
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	const label = "system_u:object_r:httpd_log_t:s0\x00"
	if err := unix.Lsetxattr(dir, selinuxLabel, []byte(label), 0); err != nil {
		t.Fatal(err)
	}
	err = Isolated(func() error {
		c := cover{dir: dir, files: map[string][]byte{"new": []byte("x")}}
		if err := c.apply(); err != nil {
			return err
		}
		if _, err := os.Stat(filepath.Join(dir, "new")); err != nil {
			return err
		}
		if got := labelOf(dir); string(got) != label {
			return fmt.Errorf("the cover is labelled %q, want %q", got, label)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}
