package provision

import (
	"os"
	"slices"
	"strings"
	"testing"

	"wsprovision/provision/config"
	"wsprovision/provision/engine"
	"wsprovision/provision/packages"
	"wsprovision/provision/policy"
	"wsprovision/provision/status"
	"wsprovision/provision/stepnames"
)

// now is the survey of a status; it has to leave the host alone.
func (h *fakeHost) now(c config.Config) status.Now {
	h.t.Helper()
	before, points := h.snapshot(), len(h.points)
	n := Now(h.t.Context(), h.host(Listener{}), c)
	h.untouched(before)
	if len(h.points) > points {
		h.t.Errorf("a survey changed something: %q", h.points[points:])
	}
	return n
}

// What a run left and somebody has undone since is told of, whichever way the host is asked for.
func TestNow(t *testing.T) {
	for name, tt := range map[string]struct {
		spoil func(h *fakeHost)
		step  string // where it is told; "" where all is as asked
		words string
	}{
		"as asked":      {func(*fakeHost) {}, "", ""},
		"nginx stopped": {(*fakeHost).stopNginx, stepnames.Service, "nginx.service"},
		"not at boot":   {func(h *fakeHost) { h.must(os.Remove(h.path(wantsNginx))) }, stepnames.Service, "enabled"},
		"boolean off": {func(h *fakeHost) { h.setRunning(policy.ConnectBoolean, false) }, stepnames.SELinux,
			policy.ConnectBoolean},
		"port unlabelled": {func(h *fakeHost) { h.setLocalPorts(); h.rebuild(true) }, stepnames.SELinux, "3000"},
		"site gone":       {func(h *fakeHost) { h.must(os.Remove(h.path(site))) }, "", "websocket.conf"},
		"site edited":     {func(h *fakeHost) { h.write(site, "# mine\n") }, "", "websocket.conf"},
		"package erased": {func(h *fakeHost) { h.erase([]string{packages.Semanage}) }, stepnames.Packages,
			packages.Semanage},
		"nobody listens": {func(h *fakeHost) {
			h.write("/proc/net/tcp", "  sl  local_address rem_address   st\n")
		}, stepnames.Listening, "0.0.0.0:80"},
	} {
		for _, by := range []string{status.ByConfiguration, status.ByLedger} {
			bubble(t, name+" by the "+by, func(t *testing.T) {
				h := provisioned(t)
				tt.spoil(h)
				h.probes = 0
				c := config.Config{}
				if by == status.ByConfiguration {
					c = basic(t)
				}
				n := h.now(c)
				want := map[bool]status.Condition{true: status.AsAsked, false: status.Differs}[tt.words == ""]
				if n.State != want || n.By != by {
					t.Fatalf("%s by the %s, want %s by the %s: %q %s", n.State, n.By, want, by, n.Differences(), n.Why)
				}
				told := func(s string) bool { return strings.HasPrefix(s, tt.step) && strings.Contains(s, tt.words) }
				if tt.words != "" && !slices.ContainsFunc(n.Differences(), told) {
					t.Errorf("%q does not tell of %s", n.Differences(), name)
				}
				due := tt.words == "" || tt.step == stepnames.Listening
				if proved := h.probes > 0; by == status.ByConfiguration && proved != due {
					t.Errorf("a handshake was made: %v, want %v", proved, due)
				}
			})
		}
	}
}

// A label of a socket's directory is SELinux's, as those of ports are.
func TestNowOfASocket(t *testing.T) {
	h := withSocket(t)
	h.must(h.apply(parse(t, socketSite)).Err())
	h.write(store+"/file_contexts.local", "")
	told := func(s string) bool {
		return strings.HasPrefix(s, stepnames.SELinux) && strings.Contains(s, "/srv/app(/.*)?")
	}
	if n := h.now(config.Config{}); !slices.ContainsFunc(n.Differences(), told) {
		t.Errorf("%s: %q", n.State, n.Differences())
	}
}

func TestNowWithNothingToCompareWith(t *testing.T) {
	bubble(t, "bare", func(t *testing.T) {
		if n := newFakeHost(t).now(config.Config{}); n.State != status.Unseen || n.Why == "" {
			t.Errorf("%+v", n)
		}
	})
	bubble(t, "reverted", func(t *testing.T) {
		h := provisioned(t)
		r, err := NewRevert(h.host(Listener{}), Listener{}, true).Apply(t.Context())
		if err != nil || r.Result == engine.Failed {
			t.Fatalf("revert: %v\n%s", err, summarize(r))
		}
		s := h.status(t)
		if s.State != status.None || strings.Contains(s.Why, "no run") || !strings.Contains(s.Why, "revert") {
			t.Errorf("after a revert: %s (%s)", s.State, s.Why)
		}
	})
}

// Without root what cannot be seen is unknown, and what is seen to differ differs.
func TestNowWithoutRoot(t *testing.T) {
	for name, want := range map[string]status.Condition{"as asked": status.Unseen, "stopped": status.Differs} {
		bubble(t, name, func(t *testing.T) {
			h := provisioned(t)
			if name == "stopped" {
				h.stopNginx()
			}
			h.euid = 1000
			if n := h.now(basic(t)); n.State != want {
				t.Errorf("%s, want %s: %q %q", n.State, want, n.Differences(), n.Unknown)
			}
		})
	}
}
