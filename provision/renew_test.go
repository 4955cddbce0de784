package provision

import (
	"os"
	"strings"
	"testing"
	"testing/synctest"

	"wsprovision/provision/engine"
	"wsprovision/provision/state"
)

// renews is a host with a site with TLS, and the hook of an ACME client on it.
func renews(t *testing.T, do func(t *testing.T, h *fakeHost, renew func() *engine.Report)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		h := withNginx(t)
		certificate, key := selfSigned(t)
		h.write("/c.pem", certificate)
		h.write("/k.pem", key)
		h.apply(parse(t, withTLS))
		do(t, h, func() *engine.Report {
			h.reloads, h.starts = 0, 0
			r, err := h.newRun(parse(t, withTLS)).Renew(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			return r
		})
	})
}

// renewed writes another certificate with its key, as certbot does.
func renewed(t *testing.T, h *fakeHost) {
	certificate, key := selfSigned(t)
	h.write("/c.pem", certificate)
	h.write("/k.pem", key)
}

// TestRenewHook: a certificate that is served already is left alone, another one is reloaded once and then served; what
// has drifted elsewhere does not stop it, and stays.
func TestRenewHook(t *testing.T) {
	renews(t, func(t *testing.T, h *fakeHost, renew func() *engine.Report) {
		before := h.snapshot()
		if r := renew(); r.Result != engine.Unchanged || h.reloads != 0 || r.Command != "renew-hook" {
			t.Errorf("nothing renewed: %d reloads: %s", h.reloads, summarize(r))
		}
		h.untouched(before)
		renewed(t, h)
		h.write(site, strings.Replace(h.content(site), "24h", "23h", 1))
		edited := h.content(site)
		if r := renew(); r.Result != engine.Changed || h.reloads != 1 || h.starts != 0 ||
			!strings.Contains(summarize(r), "certificate of ws.example.com at 127.0.0.1:443") {
			t.Errorf("renewed: %d reloads: %s", h.reloads, summarize(r))
		}
		if h.content(site) != edited {
			t.Error("the edit of a file was taken away")
		}
		if r := renew(); r.Result != engine.Unchanged || h.reloads != 0 {
			t.Errorf("again: %d reloads: %s", h.reloads, summarize(r))
		}
	})
}

// TestRenewHookFails: what nginx could not load, or does not take, leaves it with the certificate that it had, and the
// status of the last apply as it was.
func TestRenewHookFails(t *testing.T) {
	for name, tt := range map[string]struct {
		make func(t *testing.T, h *fakeHost)
		want string
	}{
		"another key": {func(t *testing.T, h *fakeHost) {
			h.write("/c.pem", first(selfSigned(t)))
		}, "tls.key: /k.pem is not the key"},
		"a configuration that nginx does not take": {func(t *testing.T, h *fakeHost) {
			renewed(t, h)
			h.write("/etc/nginx/conf.d/other.conf", "server { listen 80; include /etc/nginx/conf.d/other.conf; }\n")
		}, "nginx -t"},
		"a reload that is not taken": {func(t *testing.T, h *fakeHost) {
			renewed(t, h)
			h.web.deaf = true
		}, "goes on with the certificates that it had"},
	} {
		t.Run(name, func(t *testing.T) {
			renews(t, func(t *testing.T, h *fakeHost, renew func() *engine.Report) {
				tt.make(t, h)
				served := string(h.web.certificate)
				r := renew()
				if r.Result != engine.Failed || !strings.Contains(summarize(r), tt.want) {
					t.Errorf("want %q: %s", tt.want, summarize(r))
				}
				if string(h.web.certificate) != served {
					t.Error("nginx serves another certificate")
				}
				history, err := state.ReadHistory(h.newRun(parse(t, withTLS)).Files, 0)
				if err != nil || history.Last == nil || history.Last.Command != "apply" {
					t.Errorf("the last run is not the apply any more: %+v, %v", history.Last, err)
				}
			})
		})
	}
}

// TestRenewHookLeaves: where nginx does not run, or has no site with TLS, nothing is done and nothing has failed.
func TestRenewHookLeaves(t *testing.T) {
	renews(t, func(t *testing.T, h *fakeHost, renew func() *engine.Report) {
		renewed(t, h)
		if err := os.Remove(h.root + site); err != nil {
			t.Fatal(err)
		}
		if r := renew(); r.Result != engine.Unchanged ||
			!strings.Contains(strings.Join(r.Steps[0].Notes, "\n"), "wsprovision apply brings it") {
			t.Errorf("not applied: %s", summarize(r))
		}
		h.stopNginx()
		if r := renew(); r.Result != engine.Unchanged || h.starts != 0 ||
			!strings.Contains(strings.Join(r.Steps[0].Notes, "\n"), "reads the certificates when it starts") {
			t.Errorf("not running: %s", summarize(r))
		}
	})
}
