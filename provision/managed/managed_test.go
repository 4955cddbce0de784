package managed

import (
	"errors"
	"io/fs"
	"os"
	"strings"
	"testing"

	"wsprovision/provision/config"
	"wsprovision/provision/host"
	"wsprovision/provision/hosttest"
	"wsprovision/provision/state"
)

// files are the agent's files of a host that has none.
func files(t *testing.T) *Files {
	t.Helper()
	f := &host.Files{Root: hosttest.StateRoot(t), Seam: &host.Seam{}}
	for _, dir := range []string{"/etc/nginx", host.StateDir} {
		if err := os.MkdirAll(f.Root+dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return &Files{Host: &host.Host{Root: f.Root, Files: f, Seam: f.Seam}, Ledger: state.NewLedger(f)}
}

func (m *Files) write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(m.Root+path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

// A line is exchanged where it stands exactly once, as a whole line.
func TestEdited(t *testing.T) {
	for name, tt := range map[string]struct {
		content string
		lines   []Line
		want    string
	}{
		"one":             {"a\nb\nc\n", []Line{{"k", "b", "# b"}}, "a\n# b\nc\n"},
		"two":             {"a\nb\n", []Line{{"k", "a", "x"}, {"l", "b", "y"}}, "x\ny\n"},
		"none":            {"a\n", nil, "a\n"},
		"not there":       {"a\n", []Line{{"k", "b", "x"}}, ""},
		"twice":           {"b\nb\n", []Line{{"k", "b", "x"}}, ""},
		"a part":          {"ab\n", []Line{{"k", "b", "x"}}, ""},
		"the second only": {"a\nb\n", []Line{{"k", "a", "x"}, {"l", "c", "y"}}, ""},
	} {
		if got := string(Edited([]byte(tt.content), tt.lines)); got != tt.want {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
	}
}

// What a line is now is said in the words of its entry: as the agent left it, as it found it, or that it is gone.
func TestPresentLine(t *testing.T) {
	e := state.Entry{Kind: state.KindLine, Name: "k", Before: "listen 80;", Prior: "listen 81;", Left: "# listen 80;"}
	for content, want := range map[string]string{"# listen 80;\n": e.Left, "listen 80;\n": e.Before,
		"listen 81;\n": e.Prior, "# listen 80;\nlisten 80;\n": e.Left, "listen 82;\n": state.Absent, "": state.Absent} {
		m := files(t)
		m.write(t, host.NginxConf, content)
		if got, err := m.PresentLine(e); err != nil || got != want {
			t.Errorf("%q: %q, %v, want %q", content, got, err, want)
		}
	}
	e.Prior = "" // which no empty line is
	m := files(t)
	m.write(t, host.NginxConf, "\n\n")
	if got, err := m.PresentLine(e); err != nil || got != state.Absent {
		t.Errorf("empty lines: %q, %v", got, err)
	}
	m = files(t)
	if err := os.Mkdir(m.Root+host.NginxConf, 0o755); err != nil {
		t.Fatal(err)
	}
	if got, err := m.PresentLine(e); err == nil {
		t.Errorf("a directory: %q", got)
	}
}

// A line goes back to what nginx last took of it; what else was edited stays. A line that somebody has taken away or
// written twice is theirs to mend.
func TestLinesBack(t *testing.T) {
	const before, left = "listen 80;", "# listen 80;"
	for name, tt := range map[string]struct {
		now, proven, want string
		fails             bool
	}{
		"back":                {left + "\nx\n", before + "\n", before + "\nx\n", false},
		"it is back already":  {before + "\n", before + "\n", before + "\n", false},
		"nginx took the last": {left + "\n", left + "\n", left + "\n", false},
		"nginx took neither":  {left + "\n", "y\n", left + "\n", false},
		"written twice":       {left + "\n" + left + "\n", before + "\n", left + "\n" + left + "\n", true},
		"taken away":          {"x\n", before + "\n", "x\n", true},
	} {
		m := files(t)
		m.write(t, host.NginxConf, tt.now)
		m.Ledger.Entries = []state.Entry{{Kind: state.KindLine, Name: "k", Before: before, Left: left},
			{Kind: state.KindFile, Name: "/etc/other", Before: state.Absent, Left: "x"}}
		back, err := m.PutBack(state.Proven{Path: host.NginxConf, Content: []byte(tt.proven)})
		if (err != nil) != tt.fails || back == tt.fails || m.content(t, host.NginxConf) != tt.want {
			t.Errorf("%s: %v, %v, %q", name, back, err, m.content(t, host.NginxConf))
		}
	}
}

func (m *Files) content(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(m.Root + path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	return string(b)
}

// What but the content is wrong with a file: its mode, its owner, its group unless it is the directory's, and the type
// of its label.
func TestAttributes(t *testing.T) {
	const label, other = "system_u:object_r:httpd_config_t:s0", "unconfined_u:object_r:etc_t:s0"
	same := host.File{Content: []byte("x"), Mode: 0o644}
	for name, tt := range map[string]struct {
		change func(have *host.File, f *File)
		want   string
	}{
		"nothing":             {func(*host.File, *File) {}, ""},
		"the mode":            {func(h *host.File, _ *File) { h.Mode = 0o600 }, "mode 0600"},
		"the owner":           {func(h *host.File, _ *File) { h.UID = 7 }, "uid 7, gid 0"},
		"a directory's group": {func(h *host.File, _ *File) { h.GID = 7 }, ""},
		"another group":       {func(h *host.File, f *File) { f.Owner.GID = 7 }, "uid 0, gid 0"},
		"the group wanted":    {func(h *host.File, f *File) { f.Owner.GID, h.GID = 7, 7 }, ""},
		"the label":           {func(h *host.File, f *File) { h.Label, f.label = other, label }, other},
		"another user of it": {func(h *host.File, f *File) { h.Label, f.label = "u:r:httpd_config_t:s0", label },
			""},
		"no label to be had":    {func(h *host.File, f *File) { h.Label = other }, ""},
		"no label is told":      {func(_ *host.File, f *File) { f.label = label }, ""},
		"the mode and the user": {func(h *host.File, _ *File) { h.Mode, h.UID = 0, 7 }, "mode 0000, uid 7, gid 0"},
	} {
		f := File{Want: Want{Path: "/x", Content: []byte("x"), Mode: 0o644}, Have: same}
		tt.change(&f.Have, &f)
		if got := f.attributes(); got != tt.want || f.Differs() != (tt.want != "") {
			t.Errorf("%s: %q, differs %v; want %q", name, got, f.Differs(), tt.want)
		}
		if f.Kept = true; f.Differs() {
			t.Errorf("%s: what is kept differs", name)
		}
	}
	if f := (File{Have: host.File{Mode: 0o600}}); f.Differs() {
		t.Error("no file, where none is wanted, differs")
	}
	if f := (File{Want: Want{Content: []byte{}}}); !f.Differs() {
		t.Error("an empty file that is not there does not differ")
	}
}

// Whose a file is.
func TestJudge(t *testing.T) {
	agents, before, edit := "agent's", "before", "edited"
	entry := &state.Entry{Kind: state.KindFile, Name: "/x", Before: state.Digest([]byte(before)),
		Left: state.Digest([]byte(agents))}
	made := &state.Entry{Kind: state.KindFile, Name: "/x", Before: state.Absent, Left: state.Digest([]byte(agents))}
	announced := &state.Entry{Kind: state.KindFile, Name: "/x", Before: state.Digest([]byte(before)),
		Left: state.Digest([]byte(agents)), Prior: state.Digest([]byte(before))}
	removed := &state.Entry{Kind: state.KindFile, Name: "/x", Before: state.Absent, Left: state.Absent}
	for name, tt := range map[string]struct {
		have, want                    string // "" is no file
		entry                         *state.Entry
		drift                         string
		reverting                     bool
		foreign, drifted, kept, found bool
	}{
		"as wanted":                     {have: agents, want: agents, entry: made},
		"as wanted, and not known":      {have: agents, want: agents, found: true},
		"nothing, where none is wanted": {},
		"to be written":                 {want: agents},
		"somebody's":                    {have: "x", want: agents, foreign: true},
		"the one before is back":        {have: before, want: agents, entry: entry, drifted: true},
		"never replaced":                {have: before, want: agents, entry: announced, foreign: true},
		"came after ours was removed":   {have: "x", want: agents, entry: removed, foreign: true},
		"edited":                        {have: edit, want: "new", entry: made, drifted: true},
		"edited, and kept": {have: edit, want: "new", entry: made, drift: config.DriftKeep,
			drifted: true, kept: true},
		"edited, and not asked for": {have: edit, entry: made, drifted: true, kept: true},
		"ours, and not asked for":   {have: agents, entry: made},
		"ours, to be another":       {have: agents, want: "new", entry: made},
		"removed, to be another":    {want: "new", entry: made},
		"a revert of ours":          {have: agents, want: before, entry: entry, reverting: true},
		"a revert of an edit": {have: edit, want: before, entry: entry, reverting: true, drifted: true,
			kept: true},
		"a revert of what was removed":    {want: before, entry: entry, reverting: true, drifted: true, kept: true},
		"a revert of what is not known":   {have: "x", want: before, reverting: true},
		"a revert of what is back":        {have: before, want: before, entry: entry, reverting: true},
		"a revert of what is as it is to": {have: agents, want: agents, reverting: true},
	} {
		m := files(t)
		m.Reverting, m.Config.OnDrift = tt.reverting, tt.drift
		if tt.entry != nil {
			m.Ledger.Entries = []state.Entry{*tt.entry}
		}
		f := File{Want: Want{Path: "/x"}}
		if tt.have != "" {
			f.Have.Content = []byte(tt.have)
		}
		if tt.want != "" {
			f.Content = []byte(tt.want)
		}
		m.Judge(&f)
		if f.Foreign != tt.foreign || f.drifted != tt.drifted || f.Kept != tt.kept || f.found != tt.found {
			t.Errorf("%s: foreign %v, drifted %v, kept %v, found %v", name, f.Foreign, f.drifted, f.Kept, f.found)
		}
	}
}

// What is too large to be put away, or is lost, is refused where it would be replaced, and only there.
func TestFits(t *testing.T) {
	large := make([]byte, host.MaxFile+1)
	lost := errors.New("lost")
	for name, tt := range map[string]struct {
		file File
		want string
	}{
		"small":          {File{Foreign: true, Have: host.File{Content: large[:host.MaxFile]}}, ""},
		"large":          {File{Foreign: true, Have: host.File{Content: large}}, "puts away at most"},
		"large, of ours": {File{Have: host.File{Content: large}}, ""},
		"lost":           {File{Want: Want{Lost: lost, Content: []byte("x")}}, "lost"},
		"lost, and there": {File{Want: Want{Lost: lost, Content: []byte("x")},
			Have: host.File{Content: []byte("x")}}, ""},
		"lost, none is there": {File{Want: Want{Lost: lost}}, ""},
	} {
		err := tt.file.fits()
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A file of ours that nobody asks for goes; what was there before the agent came, or is somebody's by now, does not.
func TestObsolete(t *testing.T) {
	digest := func(s string) string { return state.Digest([]byte(s)) }
	for name, tt := range map[string]struct {
		content string
		entry   state.Entry
		want    int
	}{
		"ours":             {"a", state.Entry{Before: state.Absent, Left: digest("a")}, 1},
		"ours, edited":     {"b", state.Entry{Before: state.Absent, Left: digest("a")}, 1},
		"as it was before": {"b", state.Entry{Before: digest("b"), Left: digest("a")}, 0},
		"gone":             {"", state.Entry{Before: state.Absent, Left: digest("a")}, 0},
		"a run died before its removal": {"a", state.Entry{Before: state.Absent, Left: state.Absent,
			Prior: digest("a")}, 1},
		"somebody's since its removal": {"c", state.Entry{Before: state.Absent, Left: state.Absent,
			Prior: digest("a")}, 0},
	} {
		m := files(t)
		if tt.content != "" {
			m.write(t, "/etc/x", tt.content)
		}
		tt.entry.Kind, tt.entry.Name = state.KindFile, "/etc/x"
		if got, err := m.Obsolete(tt.entry); err != nil || len(got) != tt.want {
			t.Errorf("%s: %v, %v", name, got, err)
		}
		m.Ledger.Entries = []state.Entry{tt.entry}
		for all, want := range map[string]int{"/etc/x": 1, "/etc/y": 1 + tt.want} {
			got, err := m.AddObsolete([]Want{{Path: all}}, func(string) bool { return true })
			if err != nil || len(got) != want {
				t.Errorf("%s: beside %s: %v, %v", name, all, got, err)
			}
		}
		if got, err := m.AddObsolete(nil, func(string) bool { return false }); err != nil || len(got) != 0 {
			t.Errorf("%s: of another sort: %v, %v", name, got, err)
		}
	}
}

// What lies staged is found by the ledger's entries of files and lines; a directory in its place is no file of ours.
func TestStaged(t *testing.T) {
	m := files(t)
	m.Ledger.Entries = []state.Entry{{Kind: state.KindFile, Name: "/etc/x"}, {Kind: state.KindLine, Name: "k"},
		{Kind: state.KindPort, Name: "/etc/port"}, {Kind: state.KindFile, Name: "/etc/none"}}
	for _, path := range []string{"/etc/x", host.NginxConf, "/etc/port", "/etc/foreign"} {
		m.write(t, host.Staging(path), "")
	}
	got, err := m.Staged()
	if want := host.Staging("/etc/x") + " " + host.Staging(host.NginxConf); err != nil || strings.Join(got,
		" ") != want {
		t.Errorf("%q, %v, want %q", got, err, want)
	}
	if err := os.Mkdir(m.Root+host.Staging("/etc/none"), 0o755); err != nil {
		t.Fatal(err)
	}
	if got, err := m.Staged(); err == nil || !strings.Contains(err.Error(), "is a directory: remove it") {
		t.Errorf("%q, %v", got, err)
	}
}

// What somebody has written since a file was judged is not replaced by that judgement.
func TestPutOfWhatWasChangedMeanwhile(t *testing.T) {
	m := files(t)
	m.write(t, "/etc/x", "judged")
	f, err := m.File(Want{Path: "/etc/x", Content: []byte("new"), Mode: 0o644})
	if err != nil {
		t.Fatal(err)
	}
	m.write(t, "/etc/x", "by hand")
	if err := m.Put(f); err == nil || m.content(t, "/etc/x") != "by hand" || len(m.Ledger.Entries) != 0 {
		t.Errorf("%v, %q, %v", err, m.content(t, "/etc/x"), m.Ledger.Entries)
	}
	m.write(t, "/etc/x", "judged")
	if err := m.Put(f); err != nil || m.content(t, "/etc/x") != "new" || len(m.Ledger.Entries) != 1 {
		t.Errorf("%v, %q, %v", err, m.content(t, "/etc/x"), m.Ledger.Entries)
	}
}
