//go:build acceptance

package acceptance

import (
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"strings"
	"sync"
	"testing"
	"time"
)

// fault is something that goes wrong on the machine while the agent works there. What is promised after every fault is
// judged for each; the fields say what is promised besides.
type fault struct {
	name string
	from *state // provisioned, if nil: nginx serves /ws/
	// flags describe the site that the run is to bring about; if empty, one under another path: no yum and no semanage.
	flags  string
	make   string // brings the fault about
	unmake string // takes it away
	// run starts /root/agent where something has to happen meanwhile, or the answer goes elsewhere. strike runs it on a
	// session of its own.
	run    string
	strike func(t testing.TB, m *machine) result
	status int      // the exit status wanted
	step   string   // the step that has to fail
	says   []string // what its message, or that of a run which succeeds, has to hold: the cause, and what to do
	// untouched says that nothing may have changed on the host.
	untouched bool
	// varies says that the message differs from run to run, so that the table shows only what is looked for in it.
	varies bool
	// long keeps the row for "make test-all" and "make faults": "make test" has one row of each kind of fault.
	long bool
	// reboots says that the machine went down meanwhile, and nginx with it.
	reboots bool
	// also is a command that has to succeed after the run, with the fault still there.
	also string
}

// allRows runs the rows of tables too that "make test" has no time for.
var allRows = flag.Bool("all-rows", false, "run every row of every table")

// long begins the name of a row of another table that only -all-rows runs; its kind has another row.
const long = "long: "

func runRow(t *testing.T, name string, row func(*testing.T)) {
	name, left := strings.CutPrefix(name, long)
	if left && !*allRows {
		return
	}
	t.Run(name, row)
}

const (
	otherPath = "--server-name ws.example.com --backend 127.0.0.1:3000 --path /socket/"
	// otherPort needs semanage and a second backend.
	otherPort  = "--server-name ws.example.com --backend 127.0.0.1:3001 --path /ws/"
	secondEcho = "systemd-run --unit second wsprovision echo --listen 127.0.0.1:3001; until ss -Hltn 'sport = :3001' " +
		"| grep -q .; do sleep 0.1; done; "
	// noSemanage leaves one package for yum to bring, to a host that serves.
	noSemanage = "rpm -e --nodeps policycoreutils-python; "
	agentFile  = "/root/agent"
	// revertRun is a revert in the place of the apply.
	revertRun = "wsprovision --output json revert"
)

// TestFaults brings every fault about and makes FAULTS.md of what happened.
func TestFaults(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	happened := map[string]string{}
	t.Run("row", func(t *testing.T) {
		for _, s := range sections {
			t.Run(s.title, func(t *testing.T) {
				t.Parallel()
				for _, f := range s.rows {
					if f.long && !*allRows {
						continue
					}
					t.Run(strings.ReplaceAll(f.name, "/", "."), func(t *testing.T) {
						t.Parallel()
						said := f.suffer(t)
						if t.Failed() {
							said = "**not as expected**"
						}
						mu.Lock()
						defer mu.Unlock()
						happened[f.name] = said
						if *updateTable {
							judgeFaultsTable(t, maps.Clone(happened))
						}
					})
				}
			})
		}
	})
	judgeFaultsTable(t, happened)
}

// suffer runs the agent under the fault, and again when it is gone, and returns what happened, in words that are the
// same every time.
func (f fault) suffer(t *testing.T) string {
	if f.from == nil {
		f.from = provisioned
	}
	if f.flags == "" {
		f.flags = otherPath
	}
	m := start(t, f.from)
	m.put(t, agentFile, []byte("#!/bin/sh\nexec wsprovision --output json apply "+f.flags+" \"$@\"\n"), 0o755)
	bare := m.standing(t)
	m.must(t, f.make)
	before := m.standing(t)
	check := func() {}
	if f.untouched {
		check = m.untouched(t, fingerprint)
	}
	res := f.strikes(t, m)
	if f.reboots {
		bare.master, before.master = "", ""
	}
	check()
	m.standsAs(t, before, "with the fault there")
	if f.also != "" {
		m.must(t, f.also)
	}
	said := f.judge(t, res)
	if f.unmake != "" {
		m.must(t, f.unmake)
	}
	m.standsAs(t, bare, "with the fault gone")
	m.noLitter(t)
	m.converges(t, f.flags)
	return said
}

func (f fault) strikes(t testing.TB, m *machine) result {
	t.Helper()
	if f.strike != nil {
		return f.strike(t, m)
	}
	if f.run == "" {
		f.run = agentFile
	}
	return m.try(f.run, nil)
}

// judge compares the run with what was expected of it.
func (f fault) judge(t testing.TB, res result) string {
	t.Helper()
	if res.status != f.status {
		t.Errorf("exit status %d, want %d:\n%s", res.status, f.status, res.output)
	}
	failed, text := failures(res)
	// A signal may end a step, or come between two.
	if failed != f.step && (f.step != "" || f.status == 0) {
		t.Errorf("failed: %q, want %q:\n%s", failed, f.step, res.output)
	}
	if f.step == "" {
		text = res.output
	}
	for _, want := range f.says {
		if !strings.Contains(text, want) {
			t.Errorf("the message does not say %q:\n%s\nof\n%s", want, text, res.output)
		}
	}
	if f.step == "" {
		t.Logf("%v, exit status %d", res.duration.Round(time.Second/10), res.status)
	} else {
		t.Logf("%v, exit status %d, %s: %s", res.duration.Round(time.Second/10), res.status, failed, text)
	}
	if f.step == "" || f.varies {
		return fmt.Sprintf("exit status %d%s", res.status, saying(f.says))
	}
	return fmt.Sprintf("exit status %d, %s: %s", res.status, failed, steady(text))
}

// failures are the names of the steps that failed, and what the first of them says. An answer that went elsewhere has
// none.
func failures(res result) (names, text string) {
	var r report
	if err := json.Unmarshal([]byte(res.stdout), &r); err != nil {
		return "", res.output
	}
	var all []string
	for _, s := range r.Steps {
		if s.Status == "failed" {
			all = append(all, s.Name)
			if text == "" {
				text = s.Error
			}
		}
	}
	return strings.Join(all, ", "), text
}
