package provision

import (
	"strings"
	"testing"

	"wsprovision/provision/engine"
	"wsprovision/provision/host"
	"wsprovision/provision/state"
	"wsprovision/provision/stepnames"
)

// TestFirstBootOvertakenByAFailure: what an administrator asked for last is what the first boot goes on with, also
// where his apply failed or was ended.
func TestFirstBootOvertakenByAFailure(t *testing.T) {
	for name, spoil := range map[string]func(h *fakeHost){
		"start fails": func(h *fakeHost) { h.at("before systemd: start nginx", false) },
		"killed":      func(h *fakeHost) { h.at("before systemd: start nginx", true) },
	} {
		bubble(t, name, func(t *testing.T) {
			h := installed(t)
			h.boot()
			h.stopNginx()
			spoil(h)
			if r := h.apply(moved(t)); r.Result != engine.Failed || !h.exists(state.DeferredPath) {
				t.Fatalf("the administrator's apply: %s\n%s", r.Result, summarize(r))
			}
			h.hook = nil
			if _, err := h.firstBoot(3); err != nil || !strings.Contains(h.content(site), "/socket/") ||
				h.exists(state.DeferredPath) {
				t.Errorf("%v\n%s", err, h.content(site))
			}
			h.unchanged(moved(t))
		})
	}
}

// Work is not struck off while files have the wrong labels.
func TestFirstBootWithoutLabels(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		h, s := labelled(t)
		h.at("before label", false)
		if r := h.apply(basic(t)); step(t, r, stepnames.Labels).Status != engine.Failed {
			t.Fatalf("the apply in the chroot: %s\n%s", r.Result, summarize(r))
		}
		h.hook = nil
		h.boot()
		h.at("before label", false)
		if _, err := h.firstBoot(1); err == nil && !h.exists(state.DeferredPath) {
			t.Error("struck off")
		}
		h.hook = nil
		if r := h.apply(basic(t)); r.Result != engine.Changed || h.exists(state.DeferredPath) {
			t.Errorf("%s\n%s", r.Result, summarize(r))
		}
		if label, err := s.Contexts().FileLabel(host.NginxConf); err != nil || host.TypeOf(label) != "httpd_config_t" {
			t.Errorf("%s: %q, %v", host.NginxConf, label, err)
		}
	})
}
