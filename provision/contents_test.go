package provision

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"
	"testing/synctest"

	"wsprovision/provision/config"
	"wsprovision/provision/engine"
	"wsprovision/provision/host"
	"wsprovision/provision/hosttest"
	"wsprovision/provision/state"
)

// comment is a configuration file of n bytes, in lines that nginx takes.
func comment(n int) string {
	line := "# " + strings.Repeat("theirs ", 140) + "\n"
	return strings.Repeat(line, n/len(line))
}

// contents are the names of the files beside the ledger.
func (h *fakeHost) contents() []string {
	h.t.Helper()
	var names []string
	entries, _ := os.ReadDir(h.path(state.ContentsDir))
	for _, e := range entries {
		info, err := e.Info()
		if h.must(err); info.Mode().Perm() != 0o600 {
			h.t.Errorf("%s: mode %v, want 0600", e.Name(), info.Mode())
		}
		names = append(names, e.Name())
	}
	return names
}

// TestHostileLargeFile: a file that was there before, of any size that is taken, comes back with a revert.
func TestHostileLargeFile(t *testing.T) {
	for _, n := range []int{0, 1 << 10, state.LargeContent + 4096, 1 << 20, host.MaxFile} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := withNginx(t)
				theirs := comment(n)
				h.adopting = true
				h.write(site, theirs)
				if r := h.apply(basic(t)); r.Result != engine.Changed {
					t.Fatalf("%s\n%s", r.Result, summarize(r))
				}
				beside := len(theirs) > state.LargeContent
				if got, l := h.contents(), h.ledger(); len(got) > 0 != beside ||
					(l.Version == state.LedgerVersion2) != beside {
					t.Errorf("contents %q, version %d; want version 2 and a content: %v", got, l.Version, beside)
				}
				h.unchanged(basic(t))
				if r := h.run(basic(t), revert(false)); r.Result != engine.Changed || h.content(site) != theirs {
					t.Errorf("%s: %d of %d bytes are back\n%s", r.Result, len(h.content(site)), len(theirs),
						summarize(r))
				}
				if h.exists(state.ContentsDir) {
					t.Errorf("%s is left: %q", state.ContentsDir, h.contents())
				}
			})
		})
	}
}

// TestHostileTooLarge: what could not be read again is refused before anything changes.
func TestHostileTooLarge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		many := strings.Split(oneSite, "locations:")[0] + "locations:\n"
		for i := range 14000 {
			many += fmt.Sprintf("      - {path: /a%d, backend: '127.0.0.1:3000'}\n", i)
		}
		theirs := func(t testing.TB) *fakeHost {
			h := withNginx(t)
			h.write(site, comment(host.MaxFile+4096))
			return h
		}
		for name, tt := range map[string]struct {
			c    config.Config
			host func(testing.TB) *fakeHost
			say  string
		}{
			"a site of many locations": {parse(t, many), withNginx, "divide the site"},
			"a file of theirs":         {basic(t), theirs, "move it elsewhere"},
		} {
			h := tt.host(t)
			before := h.snapshot()
			for _, act := range []func(config.Config) *engine.Report{h.plan, h.apply} {
				r := act(tt.c)
				err := fmt.Sprint(r.Err())
				if r.Result != engine.Failed || !strings.Contains(err, tt.say) || !strings.Contains(err, site) {
					t.Errorf("%s: %s, %v; want one that names %s and says %q", name, r.Result, err, site, tt.say)
				}
				h.untouched(before)
			}
		}
	})
}

// TestHostileWrittenIsRead holds for every file that the agent writes: it can be read, or is refused before it is
// written.
func TestHostileWrittenIsRead(t *testing.T) {
	f := &host.Files{Root: hosttest.StateRoot(t), Seam: &host.Seam{}}
	for _, n := range []int{0, host.MaxFile + 1, host.MaxRead + 1} {
		content := make([]byte, n)
		if err := f.Write("/run/x", content, 0o600); (err != nil) != (n > host.MaxRead) {
			t.Fatalf("%d bytes: %v", n, err)
		}
		if have, err := f.Read("/run/x"); err != nil || n <= host.MaxRead && !bytes.Equal(have.Content, content) {
			t.Errorf("%d bytes were written: %d are read, %v", n, len(have.Content), err)
		}
	}
}

// TestHostileManyContents: not one of them is large, and all of them would make a ledger that 1.0.0 could not read.
func TestHostileManyContents(t *testing.T) {
	f := &host.Files{Root: hosttest.StateRoot(t), Seam: &host.Seam{}}
	l, err := state.ReadLedger(f)
	if err != nil {
		t.Fatal(err)
	}
	var entries []state.Entry
	for i := range 70 {
		content := []byte(fmt.Sprint(i) + comment(60<<10))
		e := state.Entry{Kind: state.KindFile, Name: fmt.Sprintf("/etc/%d", i), Before: state.Digest(content),
			Left:  state.Absent,
			Bytes: content}
		entries = append(entries, e)
	}
	if err := l.Record(entries...); err != nil {
		t.Fatal(err)
	}
	again, err := state.ReadLedger(f)
	if err != nil || again.Version != state.LedgerVersion2 || len(again.Entries) != len(entries) {
		t.Fatalf("%+v, %v", again, err)
	}
	for i, e := range again.Entries {
		if !bytes.Equal(e.Bytes, entries[i].Bytes) {
			t.Errorf("%s: %d bytes, want %d", e.Name, len(e.Bytes), len(entries[i].Bytes))
		}
	}
	// With few entries it is of 1.0.0's form again, and nothing lies beside it.
	if err := again.Keep(again.Entries[:3]); err != nil {
		t.Fatal(err)
	}
	again, err = state.ReadLedger(f)
	if err != nil || again.Version != state.LedgerVersion1 || !bytes.Equal(again.Entries[2].Bytes, entries[2].Bytes) {
		t.Errorf("%+v, %v; want version 1", again, err)
	}
	if left, _ := os.ReadDir(f.Root + state.ContentsDir); len(left) > 0 {
		t.Errorf("%d contents are left that no entry names", len(left))
	}
}

// TestHostileLostContent: a run goes on without what lies beside the ledger; a revert says what it cannot bring back.
func TestHostileLostContent(t *testing.T) {
	for name, harm := range map[string]func(h *fakeHost, path string){
		"removed":   func(h *fakeHost, path string) { h.must(os.Remove(h.path(path))) },
		"cut":       func(h *fakeHost, path string) { h.must(os.Truncate(h.path(path), 10)) },
		"exchanged": func(h *fakeHost, path string) { h.write(path, "# another\n") },
		"a link": func(h *fakeHost, path string) {
			h.must(os.Remove(h.path(path)))
			h.link("/etc/shadow", path)
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := theirLargeFile(t)
				theirs := h.content(site)
				h.apply(basic(t))
				path := state.ContentPath(h.contents()[0])
				harm(h, path)
				if r := h.apply(basic(t)); r.Result != engine.Unchanged ||
					!strings.Contains(fmt.Sprint(h.notices), path) {
					t.Errorf("apply: %s, notices %q; want one that names %s", r.Result, h.notices, path)
				}
				h.apply(parse(t, strings.Replace(oneSite, "/ws/", "/socket/", 1))) // the ledger is written anew
				before := h.snapshot()
				r := h.run(basic(t), revert(false))
				if r.Result != engine.Failed || !strings.Contains(r.Err().Error(), path) {
					t.Errorf("revert: %s, %v; want a failure that names %s", r.Result, r.Err(), path)
				}
				h.untouched(before)
				h.must(os.RemoveAll(h.path(path)))
				h.write(path, theirs) // from a backup
				if r := h.run(basic(t), revert(false)); r.Result != engine.Changed || h.content(site) != theirs {
					t.Errorf("revert with the backup: %s\n%s", r.Result, summarize(r))
				}
			})
		})
	}
}
