package provision

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"wsprovision/provision/engine"
	"wsprovision/provision/policy"
	"wsprovision/provision/stepnames"
	"wsprovision/selinux"
	"wsprovision/selinux/policydb"
)

// A tree whose policy nobody has built is built, labelled in one transaction, and then as any other.
func TestUnbuiltPolicyOffline(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		h := bareOffline(t)
		h.unbuild()
		before := h.snapshot()
		r := h.plan(basic(t))
		plan := step(t, r, stepnames.SELinux)
		if plan.Status != engine.Changed && plan.Status != engine.Planned || r.Result == engine.Failed {
			t.Errorf("plan: %s\n%s", plan.Status, summarize(r))
		}
		h.untouched(before)
		for _, want := range []string{"SELinux policy targeted", "(persistent)", "(running)", "port tcp/3000"} {
			if !slices.ContainsFunc(plan.Changes, func(c engine.Change) bool {
				return strings.Contains(c.Object, want)
			}) {
				t.Errorf("the plan lacks %q: %v", want, plan.Changes)
			}
		}
		r = h.apply(basic(t))
		if got := step(t, r, stepnames.SELinux); got.Status != engine.Deferred || r.Result != engine.Deferred {
			t.Fatalf("%s\n%s", got.Status, summarize(r))
		}
		var ran []string
		for _, line := range h.ran {
			if strings.HasPrefix(line, "sem") {
				ran = append(ran, line)
			}
		}
		if want := []string{"semodule -B -n -s targeted", "semanage import -N"}; !slices.Equal(ran, want) {
			t.Errorf("ran %q, want %q", ran, want)
		}
		if p := h.stored(); p.typeOf(3000) != policy.HTTPPortType || !p.booleans[policy.ConnectBoolean] {
			t.Error("the store has not what was asked for")
		}
		again := h.apply(basic(t))
		if h.count("semodule")+h.count("semanage") > 0 || step(t, again, stepnames.SELinux).Status == engine.Failed {
			t.Errorf("again: ran %q\n%s", h.ran, summarize(again))
		}
	})
	for name, tt := range map[string]struct {
		local policydb.Port
		want  string // "" where nothing is to be said
	}{
		"a port is somebody's": {policydb.Port{Proto: "tcp", Low: 3000, High: 3000, Type: "ssh_port_t"}, "--adopt"},
		"in somebody's range": {policydb.Port{Proto: "tcp", Low: 2990, High: 3010, Type: "ssh_port_t"},
			"tcp/2990-3010"},
		"the port is recorded so":  {policydb.Port{Proto: "tcp", Low: 3000, High: 3000, Type: policy.HTTPPortType}, ""},
		"the range is recorded so": {policydb.Port{Proto: "tcp", Low: 2990, High: 3010, Type: policy.HTTPPortType}, ""},
	} {
		bubble(t, name, func(t *testing.T) {
			h := bareOffline(t)
			h.setLocalPorts(tt.local)
			h.unbuild()
			if tt.want != "" {
				h.fails(basic(t), stepnames.SELinux, tt.want, "ssh_port_t")
				return
			}
			for _, c := range step(t, h.plan(basic(t)), stepnames.SELinux).Changes {
				if strings.Contains(c.Object, "port tcp/") {
					t.Errorf("a change without need: %s", c)
				}
			}
			if r := h.apply(basic(t)); r.Result != engine.Deferred ||
				!slices.Equal(h.localPorts(), []policydb.Port{tt.local}) {
				t.Errorf("local records %v\n%s", h.localPorts(), summarize(r))
			}
		})
	}
	bubble(t, "it cannot be built", func(t *testing.T) {
		h := bareOffline(t)
		h.unbuild()
		h.hook = func(point string) error {
			if strings.HasPrefix(point, "before run semodule") {
				return errors.New("no semodule")
			}
			return nil
		}
		r := h.apply(basic(t))
		got := step(t, r, stepnames.SELinux)
		for _, want := range []string{"build the SELinux policy targeted", "no semodule", "reinstall selinux-policy-"} {
			if got.Status != engine.Failed || !strings.Contains(got.Error, want) {
				t.Errorf("%s: %q, want %q", got.Status, got.Error, want)
			}
		}
	})
}

// On a live host somebody has taken the policy away: nothing is touched, and what to do is said once.
func TestUnbuiltPolicyLive(t *testing.T) {
	for name, mode := range map[string]selinux.Mode{"enforcing": selinux.Enforcing, "disabled": selinux.Disabled} {
		bubble(t, name, func(t *testing.T) {
			h := newFakeHost(t)
			if mode == selinux.Disabled {
				h.removeSELinux()
				h.laySELinux(mode)
			}
			h.unbuild()
			h.fails(basic(t), stepnames.SELinux, "the SELinux policy targeted is not built", "semodule -B", "run again")
			if text := step(t, h.apply(basic(t)), stepnames.SELinux).Error; strings.Contains(text, "\n") {
				t.Errorf("more than one error: %s", text)
			}
		})
	}
}
