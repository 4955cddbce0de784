package provision

import (
	"strings"
	"testing"

	"wsprovision/provision/engine"
	"wsprovision/provision/host"
	"wsprovision/provision/hosttest"
	"wsprovision/selinux"
)

// What the agent's own semanage leaves mislabelled, as it does in a unit, is put right; what was so before stays.
func TestLabelsOfALiveTransaction(t *testing.T) {
	const inherited, mine = "system_u:object_r:selinux_config_t:s0", "system_u:object_r:user_tmp_t:s0"
	rewritten := []string{store + "/booleans.local", store + "/policy.kern", "/etc/selinux/targeted/policy/policy.30"}
	foreign := []string{store + "/commit_num", "/etc/selinux/targeted/setrans.conf", "/etc/selinux/config"}
	start := func(t *testing.T) (*fakeHost, selinux.Host) {
		h := newFakeHost(t)
		s := selinux.Host{Root: h.root}
		for _, path := range foreign {
			if !h.exists(path) {
				h.write(path, "")
			}
			if err := s.Contexts().SetFileLabel(path, mine); err != nil {
				hosttest.Unable(t, "no labels can be set here: %v", err)
			}
		}
		h.hook = func(point string) error {
			if strings.HasPrefix(point, "after run semanage import") {
				for _, path := range rewritten {
					if h.exists(path) {
						h.must(s.Contexts().SetFileLabel(path, inherited))
					}
				}
			}
			return nil
		}
		return h, s
	}
	want := func(t *testing.T, s selinux.Host, paths []string, label string) {
		t.Helper()
		for _, path := range paths {
			if got, err := s.Contexts().FileLabel(path); err != nil || host.TypeOf(got) != label {
				t.Errorf("%s: %q, %v, want %s", path, got, err, label)
			}
		}
	}
	bubble(t, "apply, and revert", func(t *testing.T) {
		h, s := start(t)
		if r := h.apply(basic(t)); r.Result != engine.Changed {
			t.Fatal(summarize(r))
		}
		want(t, s, rewritten, "etc_t")
		want(t, s, foreign, "user_tmp_t")
		if _, err := NewRevert(h.host(Listener{}), Listener{}, false).Apply(t.Context()); err != nil {
			t.Fatal(err)
		}
		want(t, s, rewritten[1:], "etc_t")
		want(t, s, foreign, "user_tmp_t")
	})
	bubble(t, "nothing to do", func(t *testing.T) {
		h, s := start(t)
		h.apply(basic(t))
		h.must(s.Contexts().SetFileLabel(store+"/policy.kern", inherited)) // somebody else's semanage, since
		if r := h.apply(basic(t)); r.Result != engine.Unchanged {
			t.Fatal(summarize(r))
		}
		want(t, s, []string{store + "/policy.kern"}, "selinux_config_t")
	})
}
