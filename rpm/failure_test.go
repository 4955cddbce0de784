package rpm

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"wsprovision/rpm/locks"
	"wsprovision/rpm/rpmdb"
	"wsprovision/rpm/yumerr"
)

// recordedRun is one recorded run of yum, or one put together, and what is made of it.
type recordedRun struct {
	name   string
	status int         // where none was recorded
	brings []string    // what rpm has afterwards; all means what was asked for
	kind   yumerr.Kind // "" for a success
	runs   int         // 3 where it is tried again; a lock is waited for
}

// message is the error that is expected of a run, or what is noticed of a success: NAME.yum.message in testdata, ""
// without it.
func message(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name+".yum.message"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	return strings.TrimSuffix(string(text), "\n")
}

func TestRecordedRuns(t *testing.T) {
	seen := map[string]bool{}
	for _, tt := range recordedRuns {
		t.Run(tt.name, func(t *testing.T) {
			f := newFake(t)
			f.files["/root/epel-release-7-14.noarch.rpm"] = "epel-release"
			kind, runs, says := f.replay(tt)
			if want := message(t, tt.name); kind != tt.kind || runs != tt.runs || says != want {
				t.Errorf("kind %q, want %q; %d runs, want %d; -want +got:\n- %s\n+ %s", kind, tt.kind, runs,
					tt.runs, want, says)
			}
		})
		seen[tt.name] = true
	}
	files, err := filepath.Glob("testdata/*.yum.*")
	if err != nil || len(files) == 0 {
		t.Fatalf("no recordings: %v", err)
	}
	for _, file := range files {
		if name, _, _ := strings.Cut(filepath.Base(file), ".yum."); !seen[name] {
			t.Errorf("%s has no row", file)
		}
	}
}

// replay runs what was asked of yum then, and has yum say what it said then.
func (f *fake) replay(tt recordedRun) (kind yumerr.Kind, runs int, says string) {
	command, names, status := f.asked(tt)
	brings := slices.DeleteFunc(slices.Clone(tt.brings), func(name string) bool { return name == "all" })
	if len(brings) < len(tt.brings) {
		brings = append(brings, names...)
	}
	f.yum = f.brings(tt.name, status, brings...)
	var err error
	switch command {
	case "install":
		err = f.install(Wants{Packages: names})
	case "reinstall":
		err = f.host().Reinstall(bg, names, Limits{})
	default: // it asks only
		stdout, stderr, status := f.yum(nil)
		if said := yumerr.Classify(yumerr.Output{Status: status, Stdout: stdout, Stderr: stderr}); status != 0 ||
			said.Kind != yumerr.Unknown {
			err = said
		}
	}
	var yum *yumerr.Error
	var locked *locks.LockedError
	switch {
	case errors.As(err, &yum):
		return yum.Kind, len(f.ran), err.Error()
	case errors.As(err, &locked):
		return yumerr.Locked, len(f.ran), err.Error()
	case err != nil:
		return "?", len(f.ran), "not yum's error: " + err.Error()
	}
	return "", len(f.ran), strings.Join(f.notices, "; ")
}

// asked are yum's command and the names, and its exit status, from the recording or the row.
func (f *fake) asked(tt recordedRun) (command string, names []string, status int) {
	argv, err := os.ReadFile(filepath.Join("testdata", tt.name+".yum.argv"))
	if err != nil {
		return "install", []string{"nginx"}, tt.status
	}
	text, err := os.ReadFile(filepath.Join("testdata", tt.name+".yum.status"))
	if err != nil {
		f.t.Fatal(err)
	}
	if status, err = strconv.Atoi(strings.TrimSpace(string(text))); err != nil {
		f.t.Fatal(err)
	}
	words := strings.Fields(string(argv))
	at := slices.IndexFunc(words, func(w string) bool { return w == "install" || w == "reinstall" || w == "repolist" })
	return words[at], words[at+1:], status
}

func TestEveryKindHasARow(t *testing.T) {
	seen := map[yumerr.Kind]bool{}
	for _, row := range yumerr.Failures {
		if row.Next == "" || row.Stderr == nil {
			t.Errorf("%s: a row without marks or without advice", row.Kind)
		}
		seen[row.Kind] = true
	}
	if len(seen) != len(yumerr.Failures) {
		t.Errorf("%d kinds in %d rows", len(seen), len(yumerr.Failures))
	}
}

func FuzzClassify(f *testing.F) {
	files, _ := filepath.Glob("testdata/*.yum.std*")
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(1, string(text), "")
		f.Add(0, "", string(text))
	}
	h := New(f.TempDir(), nil, nil)
	f.Fuzz(func(t *testing.T, status int, stdout, stderr string) {
		said := yumerr.Output{Status: status, Stdout: stdout, Stderr: stderr}
		e := h.explain(yumerr.Classify(said), said, []string{"nginx"}, rpmdb.Inventory{})
		if strings.Contains(e.Text, "\n") {
			t.Errorf("several lines in %q", e.Text)
		}
		if e.Kind != yumerr.Unknown && e.Text == "" {
			t.Errorf("%s without yum's words", e.Kind)
		}
		said.LockedBy()
		said.Failed()
	})
}
