package diagnose

import (
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"wsprovision/provision/config"
	"wsprovision/provision/host"
	"wsprovision/provision/hosttest"
	"wsprovision/provision/nginx"
	"wsprovision/systemd"
)

// asked is an inquiry about the one site of a host that has nothing but the files given.
func asked(t *testing.T, files map[string]string) *inquiry {
	t.Helper()
	h := &host.Host{Root: t.TempDir(), Seam: &host.Seam{}}
	h.Files = &host.Files{Root: h.Root, Seam: h.Seam}
	for name, text := range files {
		path := h.Root + name
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	c := config.Config{Sites: []config.Site{{Name: "websocket", ServerNames: []string{"ws.example.com"},
		Listen: []config.Listen{{Port: 80}}, Locations: []config.Location{{Path: "/ws/", WebSocket: true,
			Backend: config.Backend{Host: "127.0.0.1", Port: 3000}}}}}}
	q := &inquiry{Host: h, config: c, Symptom: Symptom{Site: &c.Sites[0], Location: &c.Sites[0].Locations[0]}}
	q.tree, q.treeErr = nginx.Load(h.Root, host.NginxConf, nil)
	return q
}

func TestAdviceIsPasteable(t *testing.T) {
	q := asked(t, nil)
	q.address = netip.MustParseAddrPort("[::1]:80")
	for _, d := range []*Diagnosis{q.openFiles(), q.noSpace("x"), q.hangs(), q.exhausted("x", 3000, ""),
		bindInUse("bind() to 0.0.0.0:80 failed (98: Address already in use)", ""),
		q.certificateProblem(`cannot load certificate "/etc/nginx/c.pem": BIO_new_file() failed (No such file or `+
			`directory)`, "")} {
		hosttest.Pasteable(t, string(d.Code), d.Mend.String())
		serves := d.Code != OpenFilesSpent && d.Code != NginxHangs // which nothing less mends
		if serves && strings.Contains(d.Mend.String(), "systemctl restart") {
			t.Errorf("%s: cuts every WebSocket: %s", d.Code, d.Mend)
		}
	}
}

// Where the agent's file is as configured, an apply would change nothing.
func TestAdviceOnWhatIsConfigured(t *testing.T) {
	path := host.SitePath("websocket")
	q := asked(t, map[string]string{path: "as configured"})
	q.Own = Own{Content: []byte("as configured"), Flags: []string{"--on-drift", "replace"}}
	if got := q.edit(path, 5, say("set proxy_read_timeout 24h;")).String(); !strings.Contains(got,
		"by way of the site's configuration") || !strings.HasSuffix(got, q.applyCommand().String()) {
		t.Errorf("as configured: %s", got)
	}
	q.Own.Content = []byte("as it should be")
	if got := q.edit(path, 5, say("set proxy_read_timeout 24h;")); got != q.applyCommand() ||
		!strings.HasSuffix(got.String(), " --on-drift replace") {
		t.Errorf("edited by hand: %s", got)
	}
	if got := q.noLocation().Mend; got != q.applyCommand() {
		t.Errorf("a path that is configured: %s", got)
	}
	if q.Location = nil; !strings.Contains(q.noLocation().Mend.String(), "ask for a path that is configured") {
		t.Errorf("a path that is not: %s", q.noLocation().Mend)
	}
}

// Who sets the size of the name hash's buckets decides what mends them.
func TestBucketsThatAreTooSmall(t *testing.T) {
	problem := nginx.Problem{Level: "emerg", Message: "could not build server_names_hash, you should increase " +
		host.NamesBucket + ": 64"}
	long := strings.Repeat("a", 60) + ".example.com"
	plain := "events {}\nhttp {\n    include conf.d/*.conf;\n}\n"
	set := strings.Replace(plain, "http {", "http {\n    "+host.NamesBucket+" 64;", 1)
	for name, tt := range map[string]struct{ name, conf, want string }{
		"ours is lost":     {long, plain, "wsprovision apply"},
		"another's name":   {"ws.example.com", plain, "set " + host.NamesBucket},
		"somebody sets it": {long, set, "set " + host.NamesBucket},
	} {
		t.Run(name, func(t *testing.T) {
			q := asked(t, map[string]string{host.NginxConf: tt.conf})
			q.Site.ServerNames = []string{tt.name}
			if d := q.problem(t.Context(), problem); d == nil || !strings.HasPrefix(d.Mend.String(), tt.want) {
				t.Errorf("%v, want %q", d, tt.want)
			}
		})
	}
}

// The client tries one address after the other; the one that answered counts.
func TestDialledIsWhoAnswered(t *testing.T) {
	q := asked(t, nil)
	q.Target.Address = "[::1]:80"
	if got := q.dialled(t.Context()); got != netip.MustParseAddrPort("[::1]:80") {
		t.Errorf("nobody answered: %s", got)
	}
	q.Peer = "127.0.0.1:80"
	if got := q.dialled(t.Context()); got != netip.MustParseAddrPort("127.0.0.1:80") {
		t.Errorf("the other family answered: %s", got)
	}
}

func TestUnitRefused(t *testing.T) {
	for result, want := range map[string]bool{"exit-code": true, "start-limit": true, "timeout": false,
		"signal": false, "success": false} {
		if got := (unitFacts{state: systemd.State{Active: "failed", Result: result}}).refused(); got != want &&
			result != "success" {
			t.Errorf("%s: %v, want %v", result, got, want)
		}
	}
}
