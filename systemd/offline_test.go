package systemd

import (
	"context"
	"errors"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"wsprovision/provision/running"

	"github.com/google/go-cmp/cmp"
)

// recorder is a Run that notes what it was asked for and does something in place of systemctl.
func recorder(ran *[][]string, do func(argv []string) (stderr string, status int)) running.Run {
	return func(_ context.Context, _ string, argv ...string) (string, string, int, error) {
		*ran = append(*ran, argv)
		stderr, status := do(argv)
		return "", stderr, status, nil
	}
}

// wanted is the link that systemctl enable makes for nginx.
func wanted(root string) string {
	return filepath.Join(root, "etc/systemd/system/multi-user.target.wants/nginx.service")
}

func TestOfflineEnable(t *testing.T) {
	makes := func(root string) func([]string) (string, int) {
		return func([]string) (string, int) {
			_ = os.MkdirAll(filepath.Dir(wanted(root)), 0o755)
			_ = os.Symlink("/usr/lib/systemd/system/nginx.service", wanted(root))
			return "", 0
		}
	}
	says := func(stderr string, status int) func(string) func([]string) (string, int) {
		return func(string) func([]string) (string, int) {
			return func([]string) (string, int) { return stderr, status }
		}
	}
	tests := []struct {
		name, unit, path, content string
		do                        func(root string) func([]string) (string, int)
		runs                      bool
		want                      string
	}{
		{"enabled", "nginx.service", "/usr/lib/systemd/system/nginx.service", nginxUnit, makes, true, ""},
		{"systemctl does nothing and exits 0", "nginx.service", "/usr/lib/systemd/system/nginx.service", nginxUnit,
			says("", 0), true,
			`enable nginx.service: done, but systemd has it as "disabled", not enabled`},
		{"systemctl complains", "nginx.service", "/usr/lib/systemd/system/nginx.service", nginxUnit,
			says("x\nOperation failed: Read-only file system\n", 1), true,
			"enable nginx.service: systemctl: exit status 1: Operation failed: Read-only file system"},
		{"not installed", "nginx.service", "/usr/lib/systemd/system/other.service", nginxUnit, says("", 0), false,
			"enable nginx.service: there is no such unit file"},
		{"masked", "nginx.service", "/etc/systemd/system/nginx.service", "-> /dev/null", says("", 0), false,
			`enable nginx.service: the unit is masked; "systemctl unmask nginx.service" makes it usable again`},
		{"static", "nginx.service", "/usr/lib/systemd/system/nginx.service", staticUnit, says("", 0), true,
			"enable nginx.service: the unit says nothing of when to start (no WantedBy= in [Install])"},
		{"not a name", "--now", "/usr/lib/systemd/system/nginx.service", nginxUnit, says("", 0), false,
			`"--now" is not the name of a unit`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			root := tree(t, map[string]string{tt.path: tt.content})
			var ran [][]string
			o := &Offline{Root: root, Change: recorder(&ran, tt.do(root))}
			if got := errText(o.Enable(t.Context(), tt.unit)); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			var want [][]string
			if tt.runs {
				want = [][]string{{"systemctl", "--root=" + root, "enable", "nginx.service"}}
			}
			if d := cmp.Diff(want, ran); d != "" {
				t.Error(d)
			}
		})
	}
}

// On the system itself the root is named too, or systemctl might look for a bus.
func TestOfflineAlwaysNamesTheRoot(t *testing.T) {
	var ran [][]string
	o := &Offline{Change: recorder(&ran, func([]string) (string, int) { return "no", 1 })}
	want := "disable no-such-unit.service: systemctl: exit status 1: no"
	if got := errText(o.Disable(t.Context(), "no-such-unit.service")); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if d := cmp.Diff([][]string{{"systemctl", "--root=/", "disable", "no-such-unit.service"}}, ran); d != "" {
		t.Error(d)
	}
}

// A disable is read back, and is not made for what is no unit's name.
func TestOfflineDisable(t *testing.T) {
	const unit = "/usr/lib/systemd/system/nginx.service"
	for name, tt := range map[string]struct {
		unit    string
		enabled bool
		do      func(link string) (string, int)
		err     error
		runs    int
		want    string
	}{
		"disabled": {"nginx.service", true, func(link string) (string, int) { _ = os.Remove(link); return "", 0 }, nil,
			1,
			""},
		"was not enabled": {"nginx.service", false, func(string) (string, int) { return "", 0 }, nil, 1, ""},
		"systemctl does nothing and exits 0": {"nginx.service", true, func(string) (string, int) { return "", 0 }, nil,
			1,
			`disable nginx.service: done, but systemd still has it as "enabled"`},
		"systemctl complains": {"nginx.service", true, func(string) (string, int) { return "x\nno\n", 1 }, nil, 1,
			"disable nginx.service: systemctl: exit status 1: no"},
		"it cannot be run": {"nginx.service", true, func(string) (string, int) { return "", 0 }, errors.New("no fork"),
			1,
			"disable nginx.service: systemctl: no fork"},
		"not a name": {"--now", true, func(string) (string, int) { return "", 0 }, nil, 0,
			`"--now" is not the name of a unit`},
	} {
		t.Run(name, func(t *testing.T) {
			files := map[string]string{unit: nginxUnit}
			if tt.enabled {
				files["/etc/systemd/system/multi-user.target.wants/nginx.service"] = "-> " + unit
			}
			root := tree(t, files)
			var ran [][]string
			run := recorder(&ran, func([]string) (string, int) { return tt.do(wanted(root)) })
			o := &Offline{Root: root, Change: func(ctx context.Context, in string, argv ...string) (string, string, int,
				error) {
				stdout, stderr, status, _ := run(ctx, in, argv...)
				return stdout, stderr, status, tt.err
			}}
			if got := errText(o.Disable(t.Context(), tt.unit)); got != tt.want || len(ran) != tt.runs {
				t.Errorf("got %q, want %q; ran %q", got, tt.want, ran)
			}
		})
	}
}

func TestOfflineDefers(t *testing.T) {
	o := &Offline{}
	for name, do := range map[string]func(context.Context, string) error{"start": o.Start, "reload": o.Reload} {
		err := do(t.Context(), "nginx.service")
		if !errors.Is(err, ErrDeferred) || !strings.HasPrefix(errText(err), name+" nginx.service: ") {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if err := o.Close(); err != nil {
		t.Error(err)
	}
}

// With the systemctl of this machine: enabled, read back, disabled, in a tree without anything else in it.
func TestOfflineWithRealSystemctl(t *testing.T) {
	if _, err := exec.LookPath("systemctl"); err != nil {
		cannot(t, "systemctl is not installed")
	}
	root := tree(t, map[string]string{"/usr/lib/systemd/system/nginx.service": nginxUnit, "/etc/systemd/system": "/"})
	run := func(ctx context.Context, _ string, argv ...string) (string, string, int, error) {
		cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
		cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C"}
		out, err := cmd.CombinedOutput()
		if cmd.ProcessState == nil {
			return "", "", 0, err
		}
		return "", string(out), cmd.ProcessState.ExitCode(), nil
	}
	o := &Offline{Root: root, Change: run}
	for _, step := range []struct {
		name string
		do   func(context.Context, string) error
		want string
	}{{"enable", o.Enable, "enabled"}, {"enable again", o.Enable, "enabled"}, {"disable", o.Disable, "disabled"},
		{"disable again", o.Disable, "disabled"}} {
		if err := step.do(t.Context(), "nginx.service"); err != nil {
			t.Fatalf("%s: %v", step.name, err)
		}
		st, err := o.State(t.Context(), "nginx.service")
		if err != nil || st.File != step.want {
			t.Errorf("%s: got %q, %v, want %q", step.name, st.File, err, step.want)
		}
	}
}

// No file that Offline or Detect is made of may know how to reach a bus.
func TestOfflineHoldsNoBusCode(t *testing.T) {
	for _, file := range []string{"doc.go", "units.go", "offline.go", "unitfile.go", "install.go", "place.go",
		"mountinfo.go"} {
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range parsed.Imports {
			if strings.Contains(i.Path.Value, "dbus") || strings.Contains(i.Path.Value, `"net`) ||
				strings.Contains(i.Path.Value, "os/exec") {
				t.Errorf("%s imports %s", file, i.Path.Value)
			}
		}
	}
}
