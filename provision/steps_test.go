package provision

import (
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"
)

// bubble runs a test whose waits take no time.
func bubble(t *testing.T, name string, f func(t *testing.T)) {
	t.Run(name, func(t *testing.T) { synctest.Test(t, f) })
}

func TestBareHost(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		h := newFakeHost(t)
		before := h.snapshot()
		r := h.plan(basic(t))
		if r.Result != Planned {
			t.Errorf("plan: %s, want planned\n%s", r.Result, summarize(r))
		}
		h.untouched(before)
		r = h.apply(basic(t))
		want := map[string]Status{StepPlatform: Unchanged, StepRepository: Changed, StepPackages: Changed, StepSELinux: Changed,
			StepValidate: Unchanged, StepSite: Changed, StepService: Changed, StepProof: Unchanged}
		if d := cmp.Diff(want, statuses(r)); d != "" {
			t.Errorf("statuses (-want +got):\n%s\n%s", d, summarize(r))
		}
		t.Log(summarize(r))
		for _, p := range h.points {
			t.Log(p)
		}
		t.Log(h.ran)
		h.unchanged(basic(t))
	})
}
