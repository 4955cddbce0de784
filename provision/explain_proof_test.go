package provision

import (
	"context"
	"slices"
	"strings"
	"testing"

	"wsprovision/provision/diagnose/cause"
	"wsprovision/provision/engine"
	"wsprovision/provision/nginx/conf"
	"wsprovision/provision/stepnames"
	"wsprovision/provision/verify"
	"wsprovision/provision/websocket/handshake"
)

// The proof of apply and verify reach a location alike, as a client would.
func TestProofReachesLikeAClient(t *testing.T) {
	for _, tt := range []struct{ names, listen, want string }{
		{"ws.example.com", "80", "ws.example.com"},
		{"ws.example.com", "8080", "ws.example.com:8080"},
		{`"*.example.com"`, "80", "wsprovision.example.com"},
		{`["*.example.com", chat.example.com]`, "8080", "chat.example.com:8080"},
	} {
		c := parse(t, strings.NewReplacer("server_name: ws.example.com", "server_name: "+tt.names, "listen: 80",
			"listen: "+tt.listen).Replace(oneSite))
		if got := verify.Reach(c.Sites[0], c.Sites[0].Locations[0], c.Sites[0].Listen[0]); got.Host != tt.want ||
			got.Address != "127.0.0.1:"+tt.listen {
			t.Errorf("%s on %s: Host %s at %s, want %s", tt.names, tt.listen, got.Host, got.Address, tt.want)
		}
	}
}

// A site with a wildcard and a port of its own proves itself on a host.
func TestProofOfAWildcard(t *testing.T) {
	h := newFakeHost(t)
	c := parse(t, strings.NewReplacer("ws.example.com", `"*.example.com"`, "listen: 80",
		"listen: 8008").Replace(oneSite))
	if r := h.apply(c); r.Result != engine.Changed ||
		!slices.ContainsFunc(step(t, r, stepnames.Proof).Notes, func(n string) bool {
			return strings.Contains(n, "ws://wsprovision.example.com:8008/ws/")
		}) {
		t.Errorf("%s", summarize(r))
	}
}

// The proof of apply says of its failures what verify would.
func TestProofIsExplained(t *testing.T) {
	wrongDigest := func(context.Context, handshake.Target) (handshake.Result, error) {
		return handshake.Result{Status: 101},
			&handshake.AcceptError{Key: "x", Want: "the digest", Got: []string{"another"}}
	}
	for _, tt := range []struct {
		name string
		make func(h *fakeHost)
		want engine.Status
		code cause.Code // "" is none
	}{
		{"all is well", func(*fakeHost) {}, engine.Unchanged, ""},
		{"backend down", func(h *fakeHost) { h.web.backends["127.0.0.1:3000"] = false }, engine.Unchanged, ""},
		{"nginx runs another configuration", func(h *fakeHost) {
			h.web.tree = conf.Tree{}
		}, engine.Failed, cause.NginxOlder},
		{"a 101 with a wrong digest", func(h *fakeHost) {
			h.web.answer = wrongDigest
		}, engine.Failed, cause.NotAWebSocket},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := provisioned(t)
			tt.make(h)
			before := h.snapshot()
			s := step(t, h.apply(basic(t)), stepnames.Proof)
			h.untouched(before)
			if s.Status != tt.want || !strings.Contains(s.Error, string(tt.code)) || tt.want != engine.Failed &&
				s.Error != "" {
				t.Errorf("%s, %q, want %s because of %q", s.Status, s.Error, tt.want, tt.code)
			}
			if tt.name == "backend down" && !slices.ContainsFunc(s.Warnings, func(w string) bool {
				return strings.Contains(w, "is not running yet")
			}) {
				t.Errorf("warnings %q", s.Warnings)
			}
		})
	}
}
