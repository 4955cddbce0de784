package selinux

import (
	"context"
	"errors"
	"maps"
	"os"
	"path"
	"path/filepath"
	"testing"
	"time"

	"wsprovision/provision/running"
)

// tree writes the files under a new root. A name that ends with a slash is a directory.
func tree(t *testing.T, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	for name, text := range files {
		p := filepath.Join(root, name)
		if name[len(name)-1] == '/' {
			must(t, os.MkdirAll(p, 0o755))
			continue
		}
		must(t, os.MkdirAll(filepath.Dir(p), 0o755))
		must(t, os.WriteFile(p, []byte(text), 0o644))
	}
	return root
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// cannot says why a test is left out, and fails where nothing may be.
func cannot(t *testing.T, why string) {
	t.Helper()
	if os.Getenv("CI") != "" {
		t.Fatal(why)
	}
	t.Skip(why)
}

func testdata(t testing.TB, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// rhel7 is a RHEL 7.5 host with SELinux enforcing, changed by more: a value of "-" takes a file away.
func rhel7(t *testing.T, more map[string]string) Host {
	t.Helper()
	const files = "etc/selinux/targeted/contexts/files/file_contexts"
	all := map[string]string{
		"etc/selinux/config":                                 "# comment\nSELINUX=enforcing\nSELINUXTYPE=targeted\n",
		"etc/selinux/semanage.conf":                          "module-store = direct\nexpand-check=0\n",
		"etc/selinux/targeted/active/":                       "",
		"etc/selinux/targeted/active/policy.kern":            testdata(t, "policy.31"),
		"etc/selinux/targeted/semanage.trans.LOCK":           "",
		"etc/selinux/targeted/policy/policy.31":              testdata(t, "policy.31"),
		files:                                                testdata(t, "file_contexts"),
		files + ".subs_dist":                                 testdata(t, "file_contexts.subs_dist"),
		"proc/self/mounts":                                   "selinuxfs /sys/fs/selinux selinuxfs rw,relatime 0 0\n",
		"proc/sys/net/ipv4/ip_local_port_range":              "32768\t60999\n",
		"sys/fs/selinux/enforce":                             "1",
		"sys/fs/selinux/mls":                                 "1",
		"sys/fs/selinux/policy":                              testdata(t, "policy.31"),
		"sys/fs/selinux/class/tcp_socket/index":              "27",
		"sys/fs/selinux/class/tcp_socket/perms/name_bind":    "25",
		"sys/fs/selinux/class/tcp_socket/perms/name_connect": "26",
		"sys/fs/selinux/booleans/httpd_can_network_connect":  "0 0",
		"sys/fs/selinux/booleans/httpd_graceful_shutdown":    "1 1",
	}
	maps.Copy(all, more)
	maps.DeleteFunc(all, func(name, _ string) bool { // with a directory that is taken away goes what rhel7 has in it
		_, wanted := more[name]
		return !wanted && more[path.Dir(name)+"/"] == "-"
	})
	maps.DeleteFunc(all, func(_, text string) bool { return text == "-" })
	return Host{
		Root:   tree(t, all),
		Change: notCalled(t),
		Sleep:  func(ctx context.Context, _ time.Duration) error { return ctx.Err() },
	}
}

func notCalled(t *testing.T) running.Run {
	return func(_ context.Context, _ string, argv ...string) (string, string, int, error) {
		t.Errorf("ran %q, want no program", argv)
		return "", "", 1, errors.New("not called")
	}
}

// says is a program with one answer.
func says(stdout, stderr string, status int) running.Run {
	return func(context.Context, string, ...string) (string, string, int, error) {
		return stdout, stderr, status, nil
	}
}

func write(t *testing.T, h Host, name, text string) {
	t.Helper()
	must(t, os.WriteFile(h.system().path(name), []byte(text), 0o644))
}
