package server

import (
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"wsprovision/provision/config"
	"wsprovision/provision/diagnose/cause"
	"wsprovision/provision/diagnose/facts"
	"wsprovision/provision/host"
	"wsprovision/provision/hosttest"
	"wsprovision/provision/nginx"
	"wsprovision/provision/nginx/conf"
	"wsprovision/systemd"
)

// evidenceOf is the evidence about the one site of a host that has nothing but the files given.
func evidenceOf(t *testing.T, files map[string]string) *facts.Evidence {
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
			Backends: []config.Backend{{Host: "127.0.0.1", Port: 3000}}}}}}}
	e := &facts.Evidence{Host: h, Config: c,
		Symptom: facts.Symptom{Site: &c.Sites[0], Location: &c.Sites[0].Locations[0]},
		Asked:   &facts.Answers{}}
	e.Tree, e.TreeErr = conf.Load(h.Root, host.NginxConf, nil)
	return e
}

func TestAdviceIsPasteable(t *testing.T) {
	e := evidenceOf(t, nil)
	e.Address = netip.MustParseAddrPort("[::1]:80")
	for _, d := range []*cause.Diagnosis{openFiles(e, ""), noSpace(e, "x"), hangs(e), Exhausted(e, "x", 3000, ""),
		bindInUse("bind() to 0.0.0.0:80 failed (98: Address already in use)", ""),
		certificateProblem(`cannot load certificate "/etc/nginx/c.pem": BIO_new_file() failed (No such file or `+
			`directory)`, "")} {
		hosttest.Pasteable(t, string(d.Code), d.Mend.String())
		serves := d.Code != cause.OpenFilesSpent && d.Code != cause.NginxHangs // which nothing less mends
		if serves && strings.Contains(d.Mend.String(), "systemctl restart") {
			t.Errorf("%s: cuts every WebSocket: %s", d.Code, d.Mend)
		}
	}
}

// Where the agent's file is as configured, an apply would change nothing.
func TestAdviceOnWhatIsConfigured(t *testing.T) {
	path := host.ConfDir + "/websocket.conf"
	e := evidenceOf(t, map[string]string{path: "read_timeout 1h;\n"})
	e.Own = facts.Own{Content: []byte("read_timeout 1h;\n"), Flags: []string{"--on-drift", "replace"}}
	if got := facts.Edit(e, path, 5, cause.Say("set proxy_read_timeout 24h;")).String(); !strings.Contains(got,
		"by way of the site's configuration") || !strings.HasSuffix(got, facts.ApplyCommand(e).String()) {
		t.Errorf("as configured: %s", got)
	}
	e.Own.Content = []byte("read_timeout 24h;\n")
	if got := facts.Edit(e, path, 5, cause.Say("set proxy_read_timeout 24h;")); got != facts.ApplyCommand(e) ||
		!strings.HasSuffix(got.String(), " --on-drift replace") {
		t.Errorf("edited by hand: %s", got)
	}
	// What somebody else has put there, an apply would take out.
	e = evidenceOf(t, map[string]string{path: "listen 443 ssl; # managed by Certbot\n"})
	e.Own.Content = []byte("as it should be\n")
	if got := facts.Edit(e, path, 1, cause.Say("add x")).String(); !strings.HasPrefix(got, "add x in "+path+":1") {
		t.Errorf("with another's lines: %s", got)
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
			e := evidenceOf(t, map[string]string{host.NginxConf: tt.conf})
			e.Site.ServerNames = []string{tt.name}
			if d := configProblem(t.Context(), e, problem); d == nil || !strings.HasPrefix(d.Mend.String(), tt.want) {
				t.Errorf("%v, want %q", d, tt.want)
			}
		})
	}
}

// The client tries one address after the other; the one that answered counts.
func TestDialledIsWhoAnswered(t *testing.T) {
	e := evidenceOf(t, nil)
	e.Target.Address = "[::1]:80"
	if got := facts.Dialled(t.Context(), e.Symptom); got != netip.MustParseAddrPort("[::1]:80") {
		t.Errorf("nobody answered: %s", got)
	}
	e.Peer = "127.0.0.1:80"
	if got := facts.Dialled(t.Context(), e.Symptom); got != netip.MustParseAddrPort("127.0.0.1:80") {
		t.Errorf("the other family answered: %s", got)
	}
}

func TestUnitRefused(t *testing.T) {
	for result, want := range map[string]bool{"exit-code": true, "start-limit": true, "timeout": false,
		"signal": false, "success": false} {
		if got := (facts.UnitFacts{State: systemd.State{Active: "failed", Result: result}}).Refused(); got != want &&
			result != "success" {
			t.Errorf("%s: %v, want %v", result, got, want)
		}
	}
}
