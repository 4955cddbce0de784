package provision

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"wsprovision/provision/config"
	"wsprovision/provision/engine"
	"wsprovision/provision/host"
	"wsprovision/provision/state"
	"wsprovision/provision/stepnames"
)

// manySites is a configuration of n sites that share port 80, each with a backend of its own port of ten.
func manySites(t testing.TB, n int) config.Config {
	c := basic(t)
	one := c.Sites[0]
	c.Sites = nil
	for i := range n {
		s := one
		s.Name = fmt.Sprintf("site%04d", i)
		s.ServerNames = []string{fmt.Sprintf("ws%04d.example.com", i)}
		s.Locations = append([]config.Location(nil), one.Locations...)
		c.Sites = append(c.Sites, s)
	}
	return c
}

// TestHostileManySites: a plan costs in proportion to its sites, and reads every file of nginx's configuration once.
func TestHostileManySites(t *testing.T) {
	cost := map[int]float64{}
	for _, n := range []int{1, 100, 1000} {
		h := withNginx(t)
		c := manySites(t, n)
		var run *Run
		cost[n] = testing.AllocsPerRun(1, func() {
			run = h.newRun(c)
			report, err := run.Plan(t.Context())
			h.must(err)
			h.must(report.Err())
		})
		// nginx.conf, the neighbour's file and what many sites share are there besides, without the sites and with
		// them.
		if got := run.survey.Surveyed.Reader.Tokenized; got > n+4 {
			t.Errorf("%d sites: %d files were tokenized, want each once", n, got)
		}
	}
	if cost[1000] > 12*cost[100] {
		t.Errorf("a plan of 100 sites takes %.0f allocations, one of 1000 takes %.0f", cost[100], cost[1000])
	}
}

// A run that is ended does not go on judging sites.
func TestHostileManySitesEnd(t *testing.T) {
	h := withNginx(t)
	run := h.newRun(manySites(t, 100))
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("terminated"))
	report, err := run.Plan(ctx)
	h.must(err)
	if s := step(t, report, stepnames.Validate); s.Status != engine.Failed || !strings.Contains(s.Error, "terminated") {
		t.Errorf("%s: %s", s.Status, s.Error)
	}
}

func BenchmarkPlan(b *testing.B) {
	for _, n := range []int{1, 100, 1000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			h := withNginx(b)
			c := manySites(b, n)
			b.ReportAllocs()
			for b.Loop() {
				if r := h.plan(c); r.Result == engine.Failed {
					b.Fatal(summarize(r))
				}
			}
		})
	}
}

// What all sites share is read, and written, as often for many sites as for few: nginx's configuration, the policy's
// rules for labels, the ledger.
func TestManySitesApply(t *testing.T) {
	shared := []string{host.NginxConf, "/etc/selinux/targeted/contexts/files/file_contexts"}
	took := func(n int) map[string]int {
		h := withNginx(t)
		opened := h.opens(func() { h.must(h.apply(manySites(t, n)).Err()) })
		count := map[string]int{}
		for _, name := range shared {
			count["reads of "+name] = opened[name]
		}
		for _, p := range h.points {
			if p == "before install "+state.LedgerPath {
				count["writes of the ledger"]++
			}
		}
		return count
	}
	few, many := took(2), took(20)
	if d := cmp.Diff(few, many); d != "" || few["writes of the ledger"] == 0 {
		t.Errorf("two sites and twenty (-two +twenty):\n%s", d)
	}
}
