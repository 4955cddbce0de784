package provision

import (
	"context"
	"strings"
	"testing"

	"wsprovision/provision/config"
	"wsprovision/provision/engine"
	"wsprovision/provision/state"
)

// promisedBy is what a plan showed.
func promisedBy(r *engine.Report) map[string][]engine.Change {
	all := map[string][]engine.Change{}
	for _, s := range r.Steps {
		all[s.Name] = s.Changes
	}
	return all
}

// applyAs applies what a plan showed.
func (h *fakeHost) applyAs(c config.Config, plan *engine.Report) *engine.Report {
	h.t.Helper()
	return h.run(c, func(r *Run, ctx context.Context) (*engine.Report, error) {
		return r.ApplyAs(ctx,
			promisedBy(plan))
	})
}

// TestAppliesAsPlanned: what a plan shows of a host is what an apply of it does, also where one step brings what the
// next one reads.
func TestAppliesAsPlanned(t *testing.T) {
	for name, tt := range map[string]struct {
		host func(testing.TB) *fakeHost
		c    func(testing.TB) config.Config
		want engine.Status
	}{
		"bare":                  {func(t testing.TB) *fakeHost { return newFakeHost(t) }, basic, engine.Changed},
		"bare, EPEL's own conf": {stockHost, basic, engine.Changed},
		"bare, one line":        {stockHost, withoutStockLine, engine.Changed},
		"provisioned":           {provisioned, basic, engine.Unchanged},
		"moved":                 {provisioned, moved, engine.Changed},
		"an installer's chroot": {bareOffline, basic, engine.Deferred},
		"a site is gone": {func(t testing.TB) *fakeHost {
			h := provisioned(t)
			h.must(h.host(Listener{}).Files.Remove(site))
			return h
		}, basic, engine.Changed},
	} {
		bubble(t, name, func(t *testing.T) {
			h := tt.host(t)
			plan := h.plan(tt.c(t))
			if r := h.applyAs(tt.c(t), plan); r.Result != tt.want {
				t.Errorf("%s, want %s\n%s\nplanned:\n%s", r.Result, tt.want, summarize(r), summarize(plan))
			}
		})
	}
}

// TestHostileMeanwhile: what has changed on the host since the plan refuses it, and nothing is touched.
func TestHostileMeanwhile(t *testing.T) {
	for name, tt := range map[string]struct {
		meanwhile func(h *fakeHost)
		says      string
	}{
		"an edit by hand": {func(h *fakeHost) { h.write(site, h.content(site)+"# by hand\n") }, "server-block"},
		"somebody made the change": {func(h *fakeHost) { h.apply(moved(h.t)) },
			"the plan has, and it is so no more: file " + site},
		"the site is gone": {func(h *fakeHost) { h.must(h.host(Listener{}).Files.Remove(site)) },
			"the plan has not: file " + site},
	} {
		bubble(t, name, func(t *testing.T) {
			h := provisioned(t)
			plan := h.plan(moved(t))
			tt.meanwhile(h)
			before := h.snapshot()
			r := h.applyAs(moved(t), plan)
			if r.Result != engine.Failed || !strings.Contains(r.Err().Error(), tt.says) || r.Differs() {
				t.Errorf("%s, want %q\n%s", r.Result, tt.says, summarize(r))
			}
			h.untouched(before)
		})
	}
}

// The journal is told of a run by the ID under which its report is kept, and of all attempts of a first boot by one.
func TestRunHasTheIDOfItsReport(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		h := newFakeHost(t)
		run := h.newRun(basic(t))
		var told []string
		run.on.Began = func(command, id string) { told = append(told, command+" "+id) }
		if _, err := run.Apply(t.Context()); err != nil {
			t.Fatal(err)
		}
		ids, err := state.ReportIDs(h.root)
		if err != nil || len(ids) != 1 || len(told) != 1 || told[0] != "apply "+ids[0] {
			t.Errorf("told %q, kept %q, %v", told, ids, err)
		}
	})
}
