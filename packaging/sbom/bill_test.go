package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// agent builds the agent, and returns its path.
func agent(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "wsprovision")
	build := exec.Command("go", "build", "-o", path, "wsprovision/cmd/wsprovision")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return path
}

// linked are the modules of the agent's packages, as go list has them.
func linked(t *testing.T) []string {
	t.Helper()
	list := exec.Command("go", "list", "-deps", "-f",
		"{{with .Module}}{{if not .Main}}{{.Path}} {{.Version}}{{end}}{{end}}", "wsprovision/cmd/wsprovision")
	list.Env = append(os.Environ(), "CGO_ENABLED=0")
	out, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	all := strings.Split(strings.TrimSpace(string(out)), "\n")
	slices.Sort(all)
	return slices.DeleteFunc(slices.Compact(all), func(m string) bool { return m == "" })
}

func TestBillNamesWhatIsLinked(t *testing.T) {
	executable := agent(t)
	b, err := read("1.2.3", executable, "../../go.sum")
	if err != nil {
		t.Fatal(err)
	}
	var named []string
	for _, c := range b.Components[1:] {
		named = append(named, c.Name+" "+c.Version)
		if c.URL != "pkg:golang/"+c.Name+"@"+c.Version || len(c.Properties) != 1 {
			t.Errorf("%+v", c)
		}
	}
	if want := linked(t); !slices.Equal(named, want) || len(want) < 10 {
		t.Errorf("modules %q, want %q", named, want)
	}
	if std := b.Components[0]; std.Name != "std" || !strings.HasPrefix(std.Version, "1.") {
		t.Errorf("Go itself: %+v", std)
	}
	if d := b.Dependencies; len(d) != 1 || len(d[0].On) != len(b.Components) {
		t.Errorf("dependencies: %+v", d)
	}
	if !regexp.MustCompile(`^urn:uuid:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`).MatchString(b.Serial) {
		t.Errorf("serial number %s", b.Serial)
	}
	again, err := read("1.2.3", executable, "../../go.sum")
	if err != nil || again.Serial != b.Serial {
		t.Errorf("the same executable has another bill: %v", err)
	}
}

func TestBillOfWhatNobodyHasChecked(t *testing.T) {
	executable := agent(t)
	sums := filepath.Join(t.TempDir(), "go.sum")
	for text, want := range map[string]string{"": "has no sum", "a v1.0.0 h1:?\n": "illegal base64",
		"a v1.0.0\n": "no line of sums"} {
		if err := os.WriteFile(sums, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := read("1", executable, sums); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("go.sum %q: %v, want %q", text, err, want)
		}
	}
}
