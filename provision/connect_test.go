package provision

import (
	"strings"
	"testing"

	"wsprovision/provision/config"
	"wsprovision/provision/engine"
	"wsprovision/provision/policy"
	"wsprovision/provision/state"
	"wsprovision/provision/stepnames"
	"wsprovision/selinux"
)

const byLabel = "selinux:\n  connect: label\n"

func labelOnly(t testing.TB) config.Config { t.Helper(); return parse(t, oneSite+byLabel) }

// connects is how the boolean stands: running, stored, and recorded.
func (h *fakeHost) connectBoolean() (running, stored, recorded bool) {
	_, recorded = h.localBooleans()[policy.ConnectBoolean]
	return h.running(policy.ConnectBoolean), h.stored().booleans[policy.ConnectBoolean], recorded
}

// With selinux.connect: label the ports are labelled and the boolean stays off, where another rule of the policy is
// enough; what the agent had turned on before goes back, and nobody else's does.
func TestConnectByLabel(t *testing.T) {
	bubble(t, "a bare host, and back", func(t *testing.T) {
		h := newFakeHost(t)
		r := h.apply(labelOnly(t))
		if on, stored, _ := h.connectBoolean(); r.Result != engine.Changed || on || stored ||
			h.web.ports.typeOf(3000) != policy.HTTPPortType {
			t.Fatalf("%s, running %v, stored %v\n%s", r.Result, on, stored, summarize(r))
		}
		if notes := strings.Join(step(t, r, stepnames.SELinux).Notes, "\n"); !strings.Contains(notes,
			"by the boolean "+selinux.HTTPGracefulShutdown) {
			t.Errorf("the notes do not say what allows it: %s", notes)
		}
		h.unchanged(labelOnly(t))
		h.apply(basic(t))
		if on, stored, _ := h.connectBoolean(); !on || !stored {
			t.Errorf("after going over to boolean: running %v, stored %v", on, stored)
		}
	})
	bubble(t, "going over gives the boolean back", func(t *testing.T) {
		h := provisioned(t)
		s := step(t, h.plan(labelOnly(t)), stepnames.SELinux)
		if len(s.Changes) != 2 || len(s.Warnings) == 0 {
			t.Errorf("planned: %v %v", s.Changes, s.Warnings)
		}
		h.apply(labelOnly(t))
		if on, stored, recorded := h.connectBoolean(); on || stored || recorded {
			t.Errorf("running %v, stored %v, recorded %v", on, stored, recorded)
		}
		if _, known := h.ledger().Find(state.KindBoolean, policy.ConnectBoolean); known {
			t.Error("the ledger still knows the boolean")
		}
		h.unchanged(labelOnly(t))
	})
	bubble(t, "in an installer's chroot", func(t *testing.T) {
		h := bareOffline(t)
		h.apply(labelOnly(t))
		if _, stored, _ := h.connectBoolean(); stored || h.stored().typeOf(3000) != policy.HTTPPortType {
			t.Errorf("stored %v, port %s", stored, h.stored().typeOf(3000))
		}
	})
	bubble(t, "an administrator's boolean is left on", func(t *testing.T) {
		h := newFakeHost(t)
		h.setLocalBoolean(policy.ConnectBoolean, true)
		h.setRunning(policy.ConnectBoolean, true)
		h.rebuild(true)
		h.apply(basic(t))
		r := h.apply(labelOnly(t))
		if on, stored, _ := h.connectBoolean(); !on || !stored || r.Result != engine.Unchanged {
			t.Errorf("%s, running %v, stored %v\n%s", r.Result, on, stored, summarize(r))
		}
	})
	bubble(t, "only the running value was the agent's", func(t *testing.T) {
		h := newFakeHost(t)
		h.setLocalBoolean(policy.ConnectBoolean, true)
		h.rebuild(true)
		h.setRunning(policy.ConnectBoolean, false)
		h.apply(basic(t))
		h.apply(labelOnly(t))
		if on, stored, _ := h.connectBoolean(); on || !stored {
			t.Errorf("running %v, stored %v, want off and on", on, stored)
		}
	})
}

// What the policy does not allow is refused before anything is changed, with what to do.
func TestHostileConnectByLabel(t *testing.T) {
	for name, break_ := range map[string]func(h *fakeHost){
		"off at the next boot": func(h *fakeHost) {
			h.setLocalBoolean(selinux.HTTPGracefulShutdown, false)
			h.rebuild(false)
		},
		"off now": func(h *fakeHost) { h.setRunning(selinux.HTTPGracefulShutdown, false) },
		"the policy has no such one": func(h *fakeHost) {
			delete(h.policy.booleans, selinux.HTTPGracefulShutdown)
			h.rebuild(true)
		},
	} {
		bubble(t, name, func(t *testing.T) {
			h := newFakeHost(t)
			break_(h)
			h.fails(labelOnly(t), stepnames.SELinux, "setsebool -P "+selinux.HTTPGracefulShutdown+" on")
		})
		bubble(t, name+", with the blanket boolean on", func(t *testing.T) {
			h := provisioned(t)
			break_(h)
			h.fails(labelOnly(t), stepnames.SELinux, "setsebool -P "+selinux.HTTPGracefulShutdown+" on")
		})
	}
}
