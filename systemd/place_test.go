package systemd

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// cannot says why a test is left out, and fails where nothing may be.
func cannot(t *testing.T, why string) {
	t.Helper()
	if os.Getenv("CI") != "" {
		t.Fatal(why)
	}
	t.Skip(why)
}

func env(pairs ...string) func(string) string {
	return func(key string) string {
		for i := 0; i < len(pairs); i += 2 {
			if pairs[i] == key {
				return pairs[i+1]
			}
		}
		return ""
	}
}

// Trees stand for systems; /proc/1/root is a link to the tree itself, or to another directory.
func TestDetectInTrees(t *testing.T) {
	host := map[string]string{"/proc/1/root": "-> ../..", "/proc/1/comm": "systemd\n", "/run/systemd/system": "/",
		"/proc/1/environ": "HOME=/\x00TERM=linux\x00"}
	chrooted := map[string]string{"/proc/1/root": "-> /", "/proc/1/comm": "systemd\n", "/run/systemd/system": "/"}
	const mnt = "20 1 253:0 / / rw - xfs /dev/root rw\n21 20 253:1 / /mnt/sysimage rw - xfs /dev/vda rw\n"
	with := func(base map[string]string, more ...string) map[string]string {
		m := map[string]string{}
		for k, v := range base {
			m[k] = v
		}
		for i := 0; i < len(more); i += 2 {
			if m[more[i]] = more[i+1]; more[i+1] == "gone" {
				delete(m, more[i])
			}
		}
		return m
	}
	tests := []struct {
		name    string
		files   map[string]string
		env     func(string) string
		place   Place
		systemd bool
		offline bool
		err     error
	}{
		{"host", host, env(), Host, true, false, nil},
		{"host, and the chroot test is off", host, env("SYSTEMD_IGNORE_CHROOT", "1"), Host, true, false, nil},
		{"host whose PID 1 is another", with(host, "/proc/1/comm", "init\n"), env(), Unknown, false, true, nil},
		{"PID 1 is systemd and did not boot", with(host, "/run/systemd/system", "gone", "/run/x", "/"), env(), Unknown,
			false, true, nil},
		{"PID 1 has no name", with(host, "/proc/1/comm", "gone"), env(), Unknown, false, true, nil},
		{"chroot", chrooted, env(), Chroot, false, true, nil},
		{"chroot, told to ignore it", chrooted, env("SYSTEMD_IGNORE_CHROOT", "yes"), Host, true, false, nil},
		{"chroot, not told to ignore it", chrooted, env("SYSTEMD_IGNORE_CHROOT", "0"), Chroot, false, true, nil},
		{"Anaconda by its variable", chrooted, env("ANA_INSTALL_PATH", "/mnt/sysimage"), Installer, false, true, nil},
		{"Anaconda outweighs ignoring the chroot", chrooted,
			env("ANA_INSTALL_PATH", "/mnt/sysimage", "SYSTEMD_IGNORE_CHROOT", "1"), Installer, false, true, nil},
		{"Anaconda by its pid file", with(chrooted, "/run/anaconda.pid", "1200"), env(), Installer, false, true, nil},
		{"Anaconda by its directory", with(chrooted, "/run/install", "/"), env(), Installer, false, true, nil},
		{"Anaconda by the mount", with(chrooted, "/proc/1/mountinfo", mnt), env(), Installer, false, true, nil},
		{"Anaconda without /proc", map[string]string{"/etc/x": "y"}, env("ANA_INSTALL_PATH", "/mnt/sysimage"),
			Installer, false, true, nil},
		{"the installer itself", host, env("ANA_INSTALL_PATH", "/mnt/sysimage"), Installer, false, true, ErrInstaller},
		{"the installer's shell", with(host, "/.buildstamp", "[Main]"), env(), Installer, false, true, ErrInstaller},
		{"a chroot that is left of an image of the installer", with(chrooted, "/.buildstamp", "[Main]"), env(), Chroot,
			false, true, nil},
		{"bare tree", map[string]string{"/etc/x": "y", "/proc": "/"}, env(), Unknown, false, true, nil},
		{"bare tree, told to ignore the chroot", map[string]string{"/etc/x": "y"}, env("SYSTEMD_IGNORE_CHROOT", "1"),
			Unknown, false, true, nil},
		{"bare tree with the host's /run", map[string]string{"/run/systemd/system": "/"}, env(), Unknown, false, true,
			nil},
		{"container with systemd", with(host, "/run/systemd/container", "docker"), env(), Container, true, false, nil},
		{"container without", with(host, "/.dockerenv", "", "/proc/1/comm", "sleep\n", "/run/systemd/system", "gone"),
			env(), Container, false, true, nil},
		{"container that shares /run", with(host, "/run/.containerenv", "", "/proc/1/comm", "sleep\n"), env(),
			Container, false, true, nil},
		{"container by PID 1's environment", with(host, "/proc/1/environ", "a=b\x00container=lxc\x00"), env(),
			Container, true, false, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w, err := Detect(tree(t, tt.files), tt.env)
			if !errors.Is(err, tt.err) {
				t.Errorf("error %v, want %v", err, tt.err)
			}
			if w.Place != tt.place || w.Systemd != tt.systemd || w.Offline() != tt.offline || w.Why == "" {
				t.Errorf("got %+v, offline %v, want %s, systemd %v, offline %v", w, w.Offline(), tt.place, tt.systemd,
					tt.offline)
			}
		})
	}
}

// TestHostileChrootVariable: what --live may not do in an installer's chroot, a variable may not.
func TestHostileChrootVariable(t *testing.T) {
	const mnt = "20 1 253:0 / / rw - xfs /dev/root rw\n21 20 253:1 / /mnt/sysimage rw - xfs /dev/vda rw\n"
	ignoring := env("SYSTEMD_IGNORE_CHROOT", "1")
	marks := map[string]string{"/run/anaconda.pid": "1200", "/run/install": "/", "/proc/1/mountinfo": mnt}
	for mark, content := range marks {
		for name, root := range map[string]string{"a chroot": "-> /", "a chroot that cannot be told": "gone"} {
			files := map[string]string{"/proc/1/comm": "systemd\n", "/run/systemd/system": "/", mark: content}
			if root != "gone" {
				files["/proc/1/root"] = root
			}
			w, err := Detect(tree(t, files), ignoring)
			if err != nil || w.Place != Installer || !w.Offline() {
				t.Errorf("%s with %s: %+v, %v; want the installer's, offline", name, mark, w, err)
			}
		}
	}
}

func TestOfflineOf(t *testing.T) {
	for _, p := range []Place{Host, Installer, Chroot, Container, Unknown, "", "new"} {
		for _, sd := range []bool{false, true} {
			want := !(sd && (p == Host || p == Container))
			if got := (Where{Place: p, Systemd: sd}).Offline(); got != want {
				t.Errorf("%q, systemd %v: offline %v, want %v", p, sd, got, want)
			}
		}
	}
}

func TestSameMount(t *testing.T) {
	const root = "20 1 253:0 / / rw,relatime shared:1 - xfs /dev/mapper/rhel-root rw\n"
	const run = "23 20 0:21 / /run rw,nosuid - tmpfs tmpfs rw\n"
	tests := []struct {
		name, theirs, ours string
		want               answer
	}{
		{"host", root + run, root + run, yes},
		{"chroot into a directory", root + run, "30 20 0:3 / /proc rw - proc proc rw\n", unknown},
		{"chroot into a mount", root + run, "25 20 253:2 / / rw - xfs /dev/vdb rw\n", unknown},
		{"another namespace", root, "120 90 253:0 / / rw - xfs /dev/mapper/rhel-root rw\n", unknown},
		{"something over /", root + "40 20 0:4 / / rw - tmpfs x rw\n", root, unknown},
		{"nothing to read", "", root, unknown},
		{"garbage", "x\n", root, unknown},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := tree(t, map[string]string{"/proc/1/mountinfo": tt.theirs, "/proc/self/mountinfo": tt.ours})
			if got, why := (detector{dir}).sameMount(); got != tt.want || why == "" {
				t.Errorf("got %v (%s), want %v", got, why, tt.want)
			}
		})
	}
}

func TestParseMountinfo(t *testing.T) {
	got, err := parseMountinfo("36 35 98:0 /mnt1 /mnt/with\\040blank\\134 rw,noatime master:1 - ext3 /dev/root " +
		"rw,errors=continue\n")
	want := []Mount{{ID: 36, Device: "98:0", Root: "/mnt1", Point: `/mnt/with blank\`, Type: "ext3"}}
	if d := cmp.Diff(want, got); d != "" || err != nil {
		t.Error(d, err)
	}
	for _, bad := range []string{"36 35 98:0 / /mnt rw\n", "x 35 98:0 / /mnt rw shared:1 - ext3 /dev/root rw\n", "\n"} {
		if _, err := parseMountinfo(bad); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("%q", bad)) {
			t.Errorf("%q: got %v, want an error that quotes it", bad, err)
		}
	}
}

func FuzzParseMountinfo(f *testing.F) {
	if text, err := os.ReadFile("/proc/self/mountinfo"); err == nil {
		f.Add(string(text))
	}
	f.Add("36 35 98:0 /mnt1 /mnt/a\\040b\\ rw master:1 - ext3 /dev/root rw\n")
	f.Add("1 2 3 4 \\777\\12 6 - 8 9 10")
	f.Fuzz(func(t *testing.T, text string) {
		list, err := parseMountinfo(text)
		if lines := strings.Count(strings.TrimSuffix(text, "\n")+"\n", "\n"); err == nil && text != "" &&
			len(list) != lines {
			t.Errorf("%d mounts of %d lines: %q", len(list), lines, text)
		}
		for _, m := range list {
			if len(m.Point) == 0 || len(m.Device) == 0 {
				t.Errorf("empty mount of %q", text)
			}
		}
	})
}

// stage is what the test binary does as a child in namespaces of its own; see TestMain.
const stage = "WSPROVISION_TEST_STAGE"

// TestMain plays PID 1 of a namespace ("init": mounts, names itself, starts a second child), the agent in its chroot
// ("agent": enters it and prints what it detects), and Offline in a chroot with another system's sockets ("offline").
func TestMain(m *testing.M) {
	switch os.Getenv(stage) {
	case "init":
		exitOn(playInit())
	case "agent":
		exitOn(playAgent())
	case "offline":
		exitOn(playOffline())
	default:
		os.Exit(m.Run())
	}
}

func exitOn(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

func playInit() error {
	tree := os.Getenv("TREE")
	if err := syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("private mounts: %w", err)
	}
	if err := syscall.Mount("proc", "/proc", "proc", 0, ""); err != nil {
		return fmt.Errorf("mount proc: %w", err)
	}
	for _, m := range strings.Fields(os.Getenv("MOUNTS")) {
		err := os.MkdirAll(filepath.Join(tree, m), 0o755)
		if err == nil && m == "/proc" {
			err = syscall.Mount("proc", filepath.Join(tree, m), "proc", 0, "")
		} else if err == nil {
			err = syscall.Mount(filepath.Join(os.Getenv("HOST"), m), filepath.Join(tree, m), "",
				syscall.MS_BIND|syscall.MS_REC, "")
		}
		if err != nil {
			return fmt.Errorf("mount %s: %w", m, err)
		}
	}
	if err := os.WriteFile("/proc/1/comm", []byte(os.Getenv("COMM")), 0); err != nil {
		return err
	}
	if os.Getenv("SELF") != "" { // the agent is PID 1 itself
		return playAgent()
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), stage+"=agent")
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	return cmd.Run()
}

func playAgent() error {
	if dir := os.Getenv("TREE"); dir != "" && os.Getenv("STAY") == "" {
		if err := syscall.Chroot(dir); err != nil {
			return err
		}
		if err := os.Chdir("/"); err != nil {
			return err
		}
	}
	if os.Getenv("NOBODY") != "" {
		if err := syscall.Setuid(65534); err != nil {
			return err
		}
	}
	w, err := Detect("", os.Getenv)
	if err != nil && !errors.Is(err, ErrInstaller) {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(w)
}

// Real namespaces and real chroots, as Anaconda, mock, containers and an administrator make them.
func TestDetectInReality(t *testing.T) {
	if os.Geteuid() != 0 {
		cannot(t, "namespaces and chroots need root")
	}
	tests := []struct {
		name string
		env  []string
		want Where
	}{
		{"Anaconda's chroot", []string{"MOUNTS=/proc /run", "COMM=systemd", "ANA_INSTALL_PATH=/mnt/sysimage"},
			Where{Place: Installer, Why: "ANA_INSTALL_PATH=/mnt/sysimage is set, as in Anaconda's %post; " +
				"/proc/1/root is not our root"}},
		{"chroot with the host's /proc and /run", []string{"MOUNTS=/proc /run", "COMM=systemd"},
			Where{Place: Chroot, Why: "/proc/1/root is not our root"}},
		{"bare chroot", []string{"MOUNTS=", "COMM=systemd"},
			Where{Place: Unknown, Why: "PID 1's root cannot be seen: stat /proc/1/root: no such file or directory"}},
		{"chroot with /run but no /proc", []string{"MOUNTS=/run", "COMM=systemd"},
			Where{Place: Unknown, Why: "PID 1's root cannot be seen: stat /proc/1/root: no such file or directory"}},
		{"chroot that is PID 1 itself, with the host's /run",
			[]string{"MOUNTS=/proc /run", "COMM=wsprovision", "SELF=1"},
			Where{Place: Unknown, Why: `/proc/1/root is our root, but PID 1 is "wsprovision", not systemd`}},
		{"chroot, for a user", []string{"MOUNTS=/proc /run", "COMM=systemd", "NOBODY=1"},
			Where{Place: Unknown, Why: "PID 1's root may not be seen: /proc/self/mountinfo has no mount at /"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if d := cmp.Diff(tt.want, detectAsChild(t, tt.env...)); d != "" {
				t.Error(d)
			}
		})
	}
	t.Run("no chroot, for a user", func(t *testing.T) {
		got := detectAsChild(t, "MOUNTS=", "COMM=notsystemd", "STAY=1", "NOBODY=1")
		// The place depends on the machine of the test, which may be a container.
		if want := `PID 1 and we have the same mount at /, but PID 1 is "notsystemd", not ` +
			`systemd`; !strings.HasPrefix(got.Why, want) || !got.Offline() {
			t.Errorf("got %+v, want %q", got, want)
		}
	})
}

// detectAsChild detects in namespaces of its own; a GORACE default would let each child sleep a second at its end.
func detectAsChild(t *testing.T, env ...string) (got Where) {
	t.Helper()
	host := tree(t, map[string]string{"/run/systemd/system": "/"})
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self)
	cmd.Env = append([]string{stage + "=init", "HOST=" + host, "TREE=" + t.TempDir(), "GORACE=atexit_sleep_ms=0"},
		env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWPID | syscall.CLONE_NEWNS}
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if errors.Is(err, syscall.EPERM) {
		cannot(t, "namespaces are not permitted here: "+err.Error())
	}
	if err != nil {
		t.Fatalf("%v: %s", err, stderr.String())
	}
	if err := json.Unmarshal(out, &got); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return got
}
