package state

import (
	"os"
	"strings"
	"testing"

	"wsprovision/provision/host"
	"wsprovision/provision/hosttest"

	"github.com/google/go-cmp/cmp"
)

func TestOwed(t *testing.T) {
	f := &host.Files{Root: hosttest.StateRoot(t), Seam: &host.Seam{}}
	o := Owed{Files: f}
	if due, way, err := o.Due(); due || way != nil || err != nil {
		t.Fatalf("nothing noted: %v, %v, %v", due, way, err)
	}
	if err := o.Settle(); err != nil {
		t.Errorf("settling what is not owed: %v", err)
	}
	first := []Proven{{Path: "/a", Content: []byte("old"), Mode: 0o644}, {Path: "/b", Absent: true}}
	if err := o.Note("", first...); err != nil {
		t.Fatal(err)
	}
	// A second run before the reload must not take its predecessor's unproved file for the way back.
	if err := o.Note("", Proven{Path: "/a", Content: []byte("never proved")},
		Proven{Path: "/c", Content: []byte{}, Mode: 0o600}); err != nil {
		t.Fatal(err)
	}
	due, way, err := o.Due()
	if want := append(first, Proven{Path: "/c", Mode: 0o600}); !due || err != nil || cmp.Diff(want, way) != "" {
		t.Errorf("due %v, %v (-want +got):\n%s", due, err, cmp.Diff(want, way))
	}
	if fi, err := os.Stat(f.Root + OwedPath); err != nil || fi.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v; want mode 0600", fi, err)
	}
	if err := o.Settle(); err != nil {
		t.Fatal(err)
	}
	if due, _, err := o.Due(); due || err != nil {
		t.Errorf("settled: %v, %v", due, err)
	}
}

// TestWayBack: what is put back is what the nginx that runs now has last taken.
func TestWayBack(t *testing.T) {
	for _, tt := range []struct {
		name, noted, now string
		want             string // the content that is noted in the end
	}{
		{"the same master", "1", "1", "first"},
		{"another master, which took what was there", "1", "2", "second"},
		{"none any more", "1", "", "first"},
		{"none yet", "", "", "first"},
		{"one that was started since", "", "2", "second"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := Owed{Files: &host.Files{Root: hosttest.StateRoot(t), Seam: &host.Seam{}}}
			for _, note := range []struct{ master, content string }{{tt.noted, "first"}, {tt.now, "second"}} {
				if err := o.Note(note.master, Proven{Path: "/a", Content: []byte(note.content)}); err != nil {
					t.Fatal(err)
				}
			}
			if _, way, err := o.Due(); err != nil || len(way) != 1 || string(way[0].Content) != tt.want {
				t.Errorf("%+v, %v; want %q", way, err, tt.want)
			}
		})
	}
}

// A mark that cannot be read still says that a reload is owed.
func TestOwedDamaged(t *testing.T) {
	f := &host.Files{Root: hosttest.StateRoot(t), Seam: &host.Seam{}}
	o := Owed{Files: f}
	if err := o.Note("", Proven{Path: "/a", Absent: true}); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(f.Root+OwedPath, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if due, _, err := o.Due(); !due || err == nil || !strings.Contains(err.Error(), "systemctl reload nginx") {
		t.Errorf("%v, %v; want due, and what to do", due, err)
	}
}
