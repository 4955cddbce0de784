package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"wsprovision/provision/engine"
	"wsprovision/provision/state"
)

// tree is a system being built: a directory with the agent in it, which is called by chroot(2).
type tree struct {
	t      *testing.T
	dir    string
	enter  string   // testdata/enter, built
	mounts []string // what the tree sees while the agent runs in it

	environ []string
}

// executables are built once for a test, static as they are shipped.
func executables(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for name, pkg := range map[string]string{"wsprovision": ".", "rpm": "./testdata/chroot",
		"enter": "./testdata/enter"} {
		cmd := exec.Command("go", "build", "-o", filepath.Join(dir, name), pkg)
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("build %s: %v\n%s", pkg, err, out)
		}
	}
	return dir
}

// newTree has no /proc, no /run, no /dev and no /tmp: what an image's tree may lack.
func newTree(t *testing.T, built string) *tree {
	t.Helper()
	tr := &tree{t: t, dir: t.TempDir(), enter: filepath.Join(built, "enter")}
	for _, name := range []string{"/usr/sbin/wsprovision", "/usr/bin/rpm", "/usr/bin/yum", "/usr/bin/systemctl"} {
		from := "rpm"
		if name == "/usr/sbin/wsprovision" {
			from = "wsprovision"
		}
		tr.must(os.MkdirAll(filepath.Dir(tr.path(name)), 0o755))
		tr.must(os.Link(filepath.Join(built, from), tr.path(name)))
	}
	tr.write("/etc/os-release", "ID=\"centos\"\nVERSION_ID=\"7\"\nPRETTY_NAME=\"CentOS Linux 7 (Core)\"\n")
	tr.write("/etc/yum.conf", "[main]\ngpgcheck=1\n")
	tr.write("/etc/yum.repos.d/extras.repo",
		"[extras]\nname=extras\nbaseurl=http://mirror.example.com/extras\ngpgcheck=1\n")
	tr.copy("/usr/lib/systemd/system/wsprovision-firstboot.service", "../../packaging/wsprovision-firstboot.service")
	tr.environ = []string{"WSPROVISION_EPEL_SOURCE=repository"} // the tree reaches nobody
	tr.write("/etc/selinux/config", "SELINUX=enforcing\nSELINUXTYPE=targeted\n")
	tr.copy("/etc/selinux/targeted/policy/policy.30", "../../selinux/testdata/policy.30")
	tr.copy("/etc/selinux/targeted/contexts/files/file_contexts", "../../selinux/testdata/file_contexts")
	tr.copy("/etc/selinux/targeted/active/policy.kern", "../../selinux/testdata/policy.30")
	tr.must(os.MkdirAll(tr.path("/var/lib/rpm"), 0o755))
	tr.must(os.MkdirAll(tr.path("/usr/lib/systemd/system"), 0o755))
	tr.must(os.MkdirAll(tr.path("/etc/systemd/system"), 0o755))
	return tr
}

// needRoot stops the test where there is no root; under CI that is a failure.
func needRoot(t *testing.T) {
	t.Helper()
	const why = "chroot(2) and mount namespaces need root"
	switch {
	case os.Geteuid() == 0:
	case os.Getenv("CI") != "":
		t.Fatal(why)
	default:
		t.Skip(why)
	}
}

func (tr *tree) path(name string) string { return filepath.Join(tr.dir, name) }

func (tr *tree) must(err error) {
	tr.t.Helper()
	if err != nil {
		tr.t.Fatal(err)
	}
}

func (tr *tree) write(name, text string) {
	tr.t.Helper()
	tr.must(os.MkdirAll(filepath.Dir(tr.path(name)), 0o755))
	tr.must(os.WriteFile(tr.path(name), []byte(text), 0o644))
}

func (tr *tree) copy(name, from string) {
	tr.t.Helper()
	text, err := os.ReadFile(from)
	tr.must(err)
	tr.write(name, string(text))
}

func (tr *tree) remove(name string) {
	tr.t.Helper()
	tr.must(os.Remove(tr.path(name)))
}

func (tr *tree) exists(name string) bool {
	_, err := os.Lstat(tr.path(name))
	return err == nil
}

// agent runs the agent in the tree, as %post does. What is mounted for it is in a mount namespace of its own.
func (tr *tree) agent(args ...string) (stdout string, stderr string, status int) {
	tr.t.Helper()
	for _, m := range tr.mounts {
		tr.must(os.MkdirAll(tr.path(m), 0o755))
	}
	cmd := exec.Command(tr.enter, slices.Concat([]string{tr.dir}, tr.mounts, []string{"--", "/usr/sbin/wsprovision"},
		args)...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS}
	cmd.Dir, cmd.Env = "/", append([]string{"LC_ALL=C"}, tr.environ...)
	// With no /dev in the tree, the test's own must do.
	null, err := os.Open(os.DevNull)
	tr.must(err)
	defer null.Close()
	var out, log bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = null, &out, &log
	err = cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		tr.t.Fatal(err)
	}
	return out.String(), log.String(), cmd.ProcessState.ExitCode()
}

var applyArgs = []string{"apply", "--server-name", "ws.example.com", "--backend", "127.0.0.1:3000", "--output", "json"}

// TestChroot builds an image: chroot TREE wsprovision apply.
func TestChroot(t *testing.T) {
	needRoot(t)
	// A container's root may not follow /proc/1/root: then nobody can tell, which is as good.
	tests := map[string]struct {
		mounts []string
		places string
	}{
		"nothing is mounted":     {nil, "unknown"},
		"/proc is":               {[]string{"/proc"}, "chroot unknown"},
		"/proc and /dev are":     {[]string{"/proc", "/dev"}, "chroot unknown"},
		"/proc, /dev and /run":   {[]string{"/proc", "/dev", "/run"}, "chroot unknown"},
		"/dev without the /proc": {[]string{"/dev"}, "unknown"},
	}
	built := executables(t)
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			tr := newTree(t, built)
			tr.mounts = tt.mounts
			stdout, stderr, status := tr.agent(append(applyArgs, "--detailed-exitcode")...)
			var r engine.Report
			if err := json.Unmarshal([]byte(stdout), &r); err != nil || status != exitDeferred {
				t.Fatalf("exit status %d, want %d (%v)\n%s%s", status, exitDeferred, err, stdout, stderr)
			}
			if r.Result != engine.Deferred || r.Phase != state.PhaseInstall ||
				!strings.Contains(tt.places, r.Place) {
				t.Errorf("%s, phase %q, place %s, want deferred, install, %s", r.Result, r.Phase, r.Place, tt.places)
			}
			for _, name := range []string{"/etc/nginx/conf.d/websocket.conf", "/var/lib/wsprovision/deferred.yaml",
				"/etc/systemd/system/multi-user.target.wants/nginx.service",
				"/etc/systemd/system/multi-user.target.wants/wsprovision-firstboot.service",
				"/etc/selinux/targeted/active/booleans.local", "/etc/selinux/targeted/active/ports.local"} {
				if !tr.exists(name) {
					t.Errorf("there is no %s\n%s", name, stderr)
				}
			}
			for _, name := range []string{"/tmp", "/run/nginx.pid", "/var/log/nginx/error.log"} {
				if tr.exists(name) {
					t.Errorf("%s is left behind", name)
				}
			}
			stdout, stderr, status = tr.agent(applyArgs...)
			if status != exitOK || strings.Contains(stdout, `"status": "changed"`) {
				t.Errorf("a second apply: exit status %d\n%s%s", status, stdout, stderr)
			}
			stdout, stderr, status = tr.agent("status")
			if status != exitDeferred ||
				!strings.HasPrefix(stdout, "provisioning  deferred, the first boot does the rest") {
				t.Errorf("status: exit status %d\n%s%s", status, stdout, stderr)
			}
			tr.write("/reverting", "")
			if stdout, stderr, status = tr.agent("revert", "--plan"); status != exitOK ||
				!strings.Contains(stdout, "outstanding → struck off") {
				t.Errorf("revert --plan: exit status %d\n%s%s", status, stdout, stderr)
			}
		})
	}
}

// TestChrootUnresolved: in an installer a backend's name need not resolve.
func TestChrootUnresolved(t *testing.T) {
	needRoot(t)
	tr := newTree(t, executables(t))
	tr.write("/unresolved", "")
	stdout, stderr, status := tr.agent(applyArgs...)
	if status != exitOK || !strings.Contains(stdout, "host not found in upstream") {
		t.Errorf("exit status %d, want 0 with a warning\n%s%s", status, stdout, stderr)
	}
}

// TestPlaceFlags: what is given goes before what is found, but for an installer's systemd.
func TestPlaceFlags(t *testing.T) {
	needRoot(t)
	tr := newTree(t, executables(t))
	tests := map[string]struct {
		args   []string
		status int
		says   string
	}{
		"both":    {[]string{"status", "--offline", "--live"}, exitUsage, "exclude one another"},
		"offline": {[]string{"status", "--offline"}, exitDeferred, "--offline is given"},
		"live":    {[]string{"status", "--live"}, exitDeferred, "--live is given"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			stdout, stderr, status := tr.agent(tt.args...)
			if status != tt.status || !strings.Contains(stdout+stderr, tt.says) {
				t.Errorf("exit status %d, want %d and %q\n%s%s", status, tt.status, tt.says, stdout, stderr)
			}
		})
	}
}
