package state

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"wsprovision/provision/engine"
	"wsprovision/provision/host"
	"wsprovision/provision/hosttest"
	"wsprovision/provision/stepnames"
)

// What was announced is settled by what is there: it is the agent's, it is what stood there before, or it is undone.
func TestSettled(t *testing.T) {
	for name, tt := range map[string]struct {
		before, prior, left, now string
		wantLeft, wantPrior      string
		undone                   bool
	}{
		"brought about":                    {"off", "off", "on", "on", "on", "", false},
		"came to nothing":                  {"off", "off", "on", "off", "off", "", true},
		"the one before still stands":      {"absent", "1", "2", "1", "1", "", false},
		"the second is brought about":      {"absent", "1", "2", "2", "2", "", false},
		"undone by hand":                   {"absent", "1", "2", "absent", "2", "1", true},
		"somebody else's":                  {"absent", "1", "2", "3", "2", "1", false},
		"it was so before":                 {"on", "on", "on", "on", "on", "", false},
		"it was so, and somebody's since":  {"on", "on", "on", "off", "on", "on", false},
		"a revert that came to its end":    {"absent", "1", "absent", "absent", "absent", "", true},
		"a revert that came to nothing":    {"absent", "1", "absent", "1", "1", "", false},
		"it was another before the second": {"on", "off", "on", "on", "on", "", true},
	} {
		e, undone := Entry{Before: tt.before, Prior: tt.prior, Left: tt.left}.settled(tt.now)
		if e.Left != tt.wantLeft || e.Prior != tt.wantPrior || undone != tt.undone || e.Before != tt.before {
			t.Errorf("%s: %+v, undone %v", name, e, undone)
		}
	}
}

// Whose the thing of an entry is, by what is there now.
func TestIsTheirs(t *testing.T) {
	for name, tt := range map[string]struct {
		entry Entry
		now   string
		want  bool
	}{
		"the agent's":                      {Entry{Before: "1", Left: "2"}, "2", false},
		"edited":                           {Entry{Before: "1", Left: "2"}, "3", false},
		"announced, and never replaced":    {Entry{Before: "1", Prior: "1", Left: "2"}, "1", true},
		"replaced, and announced again":    {Entry{Before: "1", Prior: "2", Left: "3"}, "2", false},
		"there again, and announced again": {Entry{Before: "1", Prior: "2", Left: "3"}, "1", true},
		"there again":                      {Entry{Before: "1", Left: "2"}, "1", false},
		"came after ours was removed":      {Entry{Before: Absent, Left: Absent}, "3", true},
		"ours, to be removed":              {Entry{Before: Absent, Prior: "2", Left: Absent}, "2", false},
	} {
		if got := tt.entry.IsTheirs(tt.now); got != tt.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func report(result engine.Status, steps ...engine.StepReport) engine.Report {
	return engine.Report{Result: result, Steps: steps}
}

func one(name string, status engine.Status, objects ...string) engine.StepReport {
	s := engine.StepReport{Name: name, Status: status, Millis: 10}
	for _, o := range objects {
		c := engine.Change{Object: o}
		if status == engine.Deferred && strings.HasPrefix(o, "later") {
			c.Deferred = "later"
		}
		s.Changes = append(s.Changes, c)
	}
	return s
}

// The later report says how things are; what the earlier one changed stays changed, and what it failed of and the later
// one did without is no failure any more.
func TestMerge(t *testing.T) {
	const a, b = stepnames.Repository, stepnames.Packages
	firstBoot := report(engine.Changed, one(stepnames.FirstBoot, engine.Changed))
	firstBoot.Phase = PhaseFirstBoot
	for name, tt := range map[string]struct {
		earlier, later engine.Report
		want           []string
	}{
		"changed, and then unchanged": {report(engine.Changed, one(a, engine.Changed, "x")),
			report(engine.Unchanged, one(a, engine.Unchanged)), []string{a + " changed [x] 20"}},
		"unchanged both times": {report(engine.Unchanged, one(a, engine.Unchanged)),
			report(engine.Unchanged, one(a, engine.Unchanged)), []string{a + " unchanged [] 20"}},
		"deferred, and then done": {report(engine.Deferred, one(a, engine.Deferred, "x", "later y")),
			report(engine.Changed, one(a, engine.Changed, "later y")), []string{a + " changed [x later y] 20"}},
		"changed, and then failed": {report(engine.Changed, one(a, engine.Changed, "x")),
			report(engine.Failed, one(a, engine.Failed)), []string{a + " failed [x] 20"}},
		"failed, and then unchanged": {report(engine.Failed, one(a, engine.Failed, "x")),
			report(engine.Unchanged, one(a, engine.Unchanged)), []string{a + " unchanged [] 20"}},
		"only the earlier has it": {report(engine.Changed, one(b, engine.Changed, "x")),
			report(engine.Changed, one(a, engine.Changed, "y")), []string{a + " changed [y] 10",
				b + " changed [x] 10"}},
		"only the earlier failed of it": {report(engine.Failed, one(b, engine.Failed), one(stepnames.Site,
			engine.Skipped)),
			report(engine.Changed, one(a, engine.Changed, "y")), []string{a + " changed [y] 10"}},
		"both failed": {report(engine.Failed, one(b, engine.Failed)),
			report(engine.Failed, one(a, engine.Failed)), []string{a + " failed [] 10", b + " failed [] 10"}},
		"the report of the first boot is lost": {report(engine.Deferred, one(a, engine.Deferred, "later x")), firstBoot,
			[]string{a + " changed [later x] 10", stepnames.FirstBoot + " changed [] 10"}},
		"deferred, and no first boot": {report(engine.Deferred, one(a, engine.Deferred, "later x")),
			report(engine.Changed, one(stepnames.FirstBoot, engine.Changed)),
			[]string{a + " deferred [later x] 10", stepnames.FirstBoot + " changed [] 10"}},
	} {
		var got []string
		for _, s := range Merge(tt.earlier, tt.later).Steps {
			var objects []string
			for _, c := range s.Changes {
				objects = append(objects, c.Object)
			}
			got = append(got, s.Name+" "+string(s.Status)+" ["+strings.Join(objects, " ")+"] "+
				map[int64]string{10: "10", 20: "20"}[s.Millis])
		}
		if d := cmp.Diff(tt.want, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
	}
	started := time.Unix(1, 0)
	m := Merge(engine.Report{Started: started, Millis: 3, Resumes: "x"}, engine.Report{Started: time.Unix(2, 0),
		Millis: 4})
	if !m.Started.Equal(started) || m.Millis != 7 || m.Resumes != "x" {
		t.Errorf("%+v", m)
	}
	if m := Merge(engine.Report{Resumes: "x"}, engine.Report{Resumes: "y"}); m.Resumes != "y" {
		t.Errorf("%+v", m)
	}
}

// Two phases are one report; runs on the booted host that finish nothing are not.
func TestNewest(t *testing.T) {
	install, boot, later := report(engine.Deferred), report(engine.Changed), report(engine.Failed)
	install.Phase, boot.Phase = PhaseInstall, PhaseFirstBoot
	for name, tt := range map[string]struct {
		history History
		phase   string
		result  engine.Status
	}{
		"installed": {History{Install: &install}, PhaseInstall, engine.Deferred},
		"booted": {History{Install: &install, Last: &boot}, PhaseInstall + "+" + PhaseFirstBoot,
			engine.Unchanged},
		"run since":           {History{Install: &install, Last: &later}, "", engine.Failed},
		"never installed so":  {History{Last: &later}, "", engine.Failed},
		"a first boot's only": {History{Last: &boot}, PhaseFirstBoot, engine.Changed},
	} {
		if got := tt.history.Newest(); got.Phase != tt.phase || got.Result != tt.result {
			t.Errorf("%s: %s %s", name, got.Phase, got.Result)
		}
	}
	if (&History{}).Newest() != nil {
		t.Error("there is a report of nothing")
	}
}

func TestLastFailedAt(t *testing.T) {
	failed := report(engine.Failed, one(stepnames.Platform, engine.Unchanged), one(stepnames.Packages, engine.Failed))
	good := report(engine.Changed, one(stepnames.Packages, engine.Changed))
	for name, tt := range map[string]struct {
		history History
		step    string
		offline bool
		want    bool
	}{
		"nothing is known":             {History{}, stepnames.Packages, false, false},
		"the last failed":              {History{Last: &failed}, stepnames.Packages, false, true},
		"another step failed":          {History{Last: &failed}, stepnames.Platform, false, false},
		"the last was good":            {History{Install: &failed, Last: &good}, stepnames.Packages, false, false},
		"the installation failed":      {History{Install: &failed}, stepnames.Packages, false, true},
		"offline the install counts":   {History{Install: &good, Last: &failed}, stepnames.Packages, true, false},
		"offline the install's failed": {History{Install: &failed, Last: &good}, stepnames.Packages, true, true},
	} {
		if got := tt.history.LastFailedAt(tt.step, tt.offline); got != tt.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// A first boot pauses while its process is there, in this boot. A process of another name has got its number.
func TestPauses(t *testing.T) {
	for name, tt := range map[string]struct {
		boot, comm string
		mark       *Mark
		want       bool
	}{
		"no mark":         {"one", "wsprovision\n", nil, false},
		"it pauses":       {"one", "wsprovision\n", &Mark{PID: 7, Boot: "one"}, true},
		"another boot":    {"two", "wsprovision\n", &Mark{PID: 7, Boot: "one"}, false},
		"another process": {"one", "sshd\n", &Mark{PID: 7, Boot: "one"}, false},
		"no process":      {"one", "wsprovision\n", &Mark{PID: 8, Boot: "one"}, false},
	} {
		root := t.TempDir()
		for path, content := range map[string]string{"/proc/sys/kernel/random/boot_id": tt.boot + "\n",
			"/proc/7/comm": tt.comm} {
			if err := os.MkdirAll(root+path[:strings.LastIndexByte(path, '/')], 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(root+path, []byte(content), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if got := Pauses(&host.Host{Root: root}, tt.mark); got != tt.want {
			t.Errorf("%s: %v", name, got)
		}
	}
	m := Mark{Command: "apply", Started: time.Unix(0, 0).UTC(), Boot: "one"}
	if got := m.Ended("one"); got != "apply of 1970-01-01T00:00:00Z was interrupted: it was killed" {
		t.Error(got)
	}
	if got := m.Ended("two"); !strings.HasSuffix(got, "the machine went down") {
		t.Error(got)
	}
}

// A history that cannot be used is told, and stands for an empty one of this agent's.
func TestHistoryUnread(t *testing.T) {
	for content, want := range map[string]string{"": "", `{"history_version":1,"defaults":2}`: "",
		"{":                     "read " + HistoryPath,
		`{"history_version":2}`: "a newer agent wrote it"} {
		f := &host.Files{Root: hosttest.StateRoot(t), Seam: &host.Seam{}}
		if content != "" {
			if err := os.MkdirAll(f.Root+host.StateDir, 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(f.Root+HistoryPath, []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		h, err := ReadHistory(f, 5)
		defaults := 5
		if strings.Contains(content, "defaults") {
			defaults = 2
		}
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) || h.Version != 1 ||
			h.Defaults != defaults || h.files != f {
			t.Errorf("%q: %+v, %v", content, h, err)
		}
	}
}

// Reports are found by their names: what is staged, hidden or of another sort is none.
func TestReportIDs(t *testing.T) {
	f := &host.Files{Root: hosttest.StateRoot(t), Seam: &host.Seam{}}
	dir := f.Root + ReportsDir
	if ids, err := ReportIDs(f.Root); ids != nil || err != nil {
		t.Errorf("without the directory: %v, %v", ids, err)
	}
	if err := os.MkdirAll(dir+"/folder.json", 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"b.json", "a.json", ".hidden.json", ".json", "x.txt"} {
		if err := os.WriteFile(dir+"/"+name, []byte("{"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if ids, err := ReportIDs(f.Root); err != nil || !cmp.Equal(ids, []string{"a", "b"}) {
		t.Errorf("%v, %v", ids, err)
	}
	for id, want := range map[string]string{"a": "unexpected end", "c": "not exist", "../x": "not exist",
		"folder": "regular"} {
		if r, err := ReadReport(f, id); r != nil || err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, %v", id, r, err)
		}
	}
}

// A tree without /var/log keeps no report; of many the newest twenty are kept.
func TestKeepReport(t *testing.T) {
	f := &host.Files{Root: hosttest.StateRoot(t), Seam: &host.Seam{}}
	if err := KeepReport(f, &engine.Report{}); err != nil {
		t.Error(err)
	}
	if err := os.MkdirAll(f.Root+"/var/log", 0o755); err != nil {
		t.Fatal(err)
	}
	for i := range 23 {
		if err := KeepReport(f, &engine.Report{Started: time.Unix(int64(i), 0), Command: "apply"}); err != nil {
			t.Fatal(err)
		}
	}
	ids, err := ReportIDs(f.Root)
	if err != nil || len(ids) != 20 || ids[0] != "19700101T000003.000Z" || ids[19] != "19700101T000022.000Z" {
		t.Errorf("%v, %v", ids, err)
	}
	if r, err := ReadReport(f, ids[0]); err != nil || r.Command != "apply" {
		t.Errorf("%+v, %v", r, err)
	}
}
