package provision

import (
	"slices"
	"strings"
	"testing"

	"wsprovision/provision/nginx"
)

// The proof of apply says of its failures what verify would.
func TestProofIsExplained(t *testing.T) {
	for _, tt := range []struct {
		name string
		make func(h *fakeHost)
		want Status
		code Code // "" is none
	}{
		{"all is well", func(*fakeHost) {}, Unchanged, ""},
		{"backend down", func(h *fakeHost) { h.web.backends["127.0.0.1:3000"] = false }, Unchanged, ""},
		{"nginx runs another configuration", func(h *fakeHost) { h.web.tree = nginx.Tree{} }, Failed, NginxOlder},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := provisioned(t)
			tt.make(h)
			before := h.snapshot()
			s := step(t, h.apply(basic(t)), StepProof)
			h.untouched(before)
			if s.Status != tt.want || !strings.Contains(s.Error, string(tt.code)) || tt.want != Failed && s.Error != "" {
				t.Errorf("%s, %q, want %s because of %q", s.Status, s.Error, tt.want, tt.code)
			}
			if tt.name == "backend down" && !slices.ContainsFunc(s.Warnings, func(w string) bool { return strings.Contains(w, "is not running yet") }) {
				t.Errorf("warnings %q", s.Warnings)
			}
		})
	}
}
