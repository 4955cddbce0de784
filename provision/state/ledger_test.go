package state

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"wsprovision/provision/host"
	"wsprovision/provision/hosttest"

	"github.com/google/go-cmp/cmp"
)

func TestLedger(t *testing.T) {
	f := &host.Files{Root: hosttest.StateRoot(t), Seam: &host.Seam{}}
	l, err := ReadLedger(f)
	if err != nil || len(l.Entries) != 0 {
		t.Fatalf("a ledger that was never written: %+v, %v", l, err)
	}
	if err := l.Record(Entry{Kind: KindBoolean, Name: "b", Before: "off", Left: "on"},
		Entry{Kind: KindFile, Name: "/x", Before: Absent, Left: "sha256:1"}); err != nil {
		t.Fatal(err)
	}
	// A later run keeps what was there before the first.
	if err := l.Record(Entry{Kind: KindFile, Name: "/x", Before: "sha256:1", Left: "sha256:2", Bytes: []byte("ours"),
		Mode: 0o644}); err != nil {
		t.Fatal(err)
	}
	again, err := ReadLedger(f)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range again.Entries {
		got = append(got, fmt.Sprintf("%s %s: %s → %s", e.Kind, e.Name, e.Before, e.Left))
	}
	want := []string{"boolean b: off → on", "file /x: absent → sha256:2"}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	for _, path := range []string{host.StateDir, LedgerPath} {
		if fi, err := os.Stat(f.Root + path); err != nil || fi.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s: %v, %v; only root may look inside", path, fi.Mode(), err)
		}
	}
	if err := again.Keep(again.Entries[1:]); err != nil {
		t.Fatal(err)
	}
	if _, ok := again.Find(KindBoolean, "b"); ok {
		t.Errorf("a forgotten entry is found")
	}
	if err := again.Keep(nil); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(f.Root + LedgerPath); !os.IsNotExist(err) {
		t.Errorf("an empty ledger stays: %v", err)
	}
}

// Recording what is recorded already writes nothing: a second run changes no file's time.
func TestLedgerUnchanged(t *testing.T) {
	f := &host.Files{Root: hosttest.StateRoot(t), Seam: &host.Seam{}}
	l, _ := ReadLedger(f)
	e := Entry{Kind: KindPort, Name: "tcp/3000", Before: Absent, Left: "http_port_t"}
	if err := l.Record(e); err != nil {
		t.Fatal(err)
	}
	points := 0
	f.Seam.Hook = func(string) error { points++; return nil }
	if err := l.Record(e); err != nil || points != 0 {
		t.Errorf("%v, %d points of the seam, want none", err, points)
	}
}

// What could not be written is not taken for recorded: the change that it describes must not follow.
func TestLedgerThatCannotBeWritten(t *testing.T) {
	f := &host.Files{Root: hosttest.StateRoot(t), Seam: &host.Seam{}}
	l, _ := ReadLedger(f)
	f.Seam.Hook = func(string) error { return errStopped }
	e := Entry{Kind: KindPort, Name: "tcp/3000", Before: Absent, Left: "http_port_t"}
	for try := range 2 {
		if err := l.Record(e); err == nil {
			t.Errorf("try %d: no error, and nothing is on the disk", try)
		}
	}
}

func TestLedgerDamaged(t *testing.T) {
	v2 := func(entry string) string { return `{"ledger_version": 2, "entries": [` + entry + `]}` }
	for name, text := range map[string]string{
		"half a file":           `{"ledger_version": 1, "entries": [`,
		"a newer agent's":       `{"ledger_version": 3, "entries": []}`,
		"a newer agent's kind":  v2(`{"kind":"newer","name":"x","before":"1","left":"2"}`),
		"a newer agent's field": v2(`{"kind":"file","name":"/x","before":"1","left":"2","acl":"x"}`),
		"a content elsewhere":   v2(`{"kind":"file","name":"/x","bytes_sha256":"../../../etc/shadow"}`),
		"another version":       `{"ledger_version": 0}`,
		"not an object":         `[]`,
	} {
		f := &host.Files{Root: hosttest.StateRoot(t), Seam: &host.Seam{}}
		if err := f.MakeDir(host.StateDir, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := f.Write(LedgerPath, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := ReadLedger(f); err == nil || !strings.Contains(err.Error(), LedgerPath) {
			t.Errorf("%s: %v, want an error that names %s", name, err, LedgerPath)
		}
	}
}

func FuzzLedger(f *testing.F) {
	f.Add(`{"ledger_version": 1, "entries": ` +
		`[{"kind":"file","name":"/etc/x","before":"absent","left":"sha256:00","bytes":"eA==","mode":420}]}`)
	f.Add(`{"ledger_version": 1, "entries": null}`)
	f.Add(`{"ledger_version": 2, "entries": ` +
		`[{"kind":"file","name":"/x","before":"","left":"absent","bytes_sha256":"00"}]}`)
	f.Add(`null`)
	f.Fuzz(func(t *testing.T, text string) {
		files := &host.Files{Root: hosttest.StateRoot(t), Seam: &host.Seam{}}
		if err := files.MakeDir(host.StateDir, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := files.Write(LedgerPath, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		l, err := ReadLedger(files)
		if err != nil {
			return
		}
		if l.Version != LedgerVersion1 && l.Version != LedgerVersion2 {
			t.Errorf("version %d of %q", l.Version, text)
		}
		if err := l.Record(Entry{Kind: KindPort, Name: "tcp/1", Before: Absent, Left: "x_t"}); err != nil {
			t.Errorf("%q: recorded: %v", text, err)
		}
	})
}

// errStopped is a seam that stops the run.
var errStopped = errors.New("stopped")
