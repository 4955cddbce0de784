package provision

import (
	"strings"
	"testing"

	"wsprovision/provision/engine"
	"wsprovision/provision/host"
	"wsprovision/provision/stepnames"
)

// flaw is something that is known to fail before anything is changed, and the words by which it is told.
type flaw struct {
	spoil func(h *fakeHost)
	site  string // a further site of the configuration
	words string
}

// flaws are all of them that a host without nginx can have.
func flaws() map[string]flaw {
	more := func(name, listen, backend string) string {
		return "  - name: " + name + "\n    server_name: " + name + ".example.com\n    listen: " + listen +
			"\n    locations:\n      - path: /\n        backend: " + backend + "\n"
	}
	tls := func(name string) string {
		files := "    tls:\n      certificate: /etc/pki/" + name + ".pem\n      key: /etc/pki/" + name + ".key\n"
		return strings.Replace(more(name, "8443", "127.0.0.1:3000"), "    locations", files+"    locations", 1)
	}
	taken := func(port int) func(*fakeHost) {
		return func(h *fakeHost) { h.web.taken = append(h.web.taken, port) }
	}
	nothing := func(*fakeHost) {}
	return map[string]flaw{
		"a port of ours is taken":              {taken(8080), more("taken", "8080", "127.0.0.1:3000"), "8080"},
		"a port of EPEL's nginx.conf is taken": {taken(80), "", ":80"},
		"a name without an address": {func(h *fakeHost) { h.names = map[string]string{"no.such.invalid": ""} },
			more("unknown", "80", "no.such.invalid:3000"), "no.such.invalid"},
		"a certificate that is not there": {nothing, tls("one"), "/etc/pki/one.pem is not there"},
		"a key that is not there":         {nothing, tls("two"), "/etc/pki/two.key is not there"},
		"somebody's file": {func(h *fakeHost) { h.write(host.ConfDir+"/theirs.conf", "# mine\n") },
			more("theirs", "80", "127.0.0.1:3000"), "theirs.conf is not the agent's"},
		"no IPv6, and EPEL's listen": {(*fakeHost).hasNoIPv6, "", "nginx.stock_ipv6: remove"},
		"sockets that collide": {func(h *fakeHost) {
			h.write(host.ConfDir+"/a.conf", "server {\n    listen 8090;\n}\n")
			h.write(host.ConfDir+"/b.conf", "server {\n    listen [::]:8090 ipv6only=off;\n}\n")
		}, "", "8090"},
	}
}

// TestBareHostIsJudgedBefore: each flaw alone, and all of them at once, leave a bare host untouched in one run.
func TestBareHostIsJudgedBefore(t *testing.T) {
	judge := func(t *testing.T, flaws map[string]flaw) {
		h := stockHost(t)
		text := "sites:\n  - name: websocket\n    server_name: ws.example.com\n    listen: 8009\n    locations:\n" +
			"      - path: /ws/\n        backend: 127.0.0.1:3000\nselinux:\n  label_listen_ports: true\n"
		for _, f := range flaws {
			f.spoil(h)
			text = strings.Replace(text, "selinux:", f.site+"selinux:", 1)
		}
		c := parse(t, text)
		before := h.snapshot()
		r := h.apply(c)
		h.untouched(before)
		if r.Result != engine.Failed || h.count("yum")+h.count("semanage") > 0 {
			t.Fatalf("%s, and %q was run\n%s", r.Result, h.ran, summarize(r))
		}
		for name, f := range flaws {
			if said := r.Err().Error(); !strings.Contains(said, f.words) {
				t.Errorf("%s is not told of by %q:\n%s", name, f.words, said)
			}
		}
	}
	for name, f := range flaws() {
		bubble(t, name, func(t *testing.T) { judge(t, map[string]flaw{name: f}) })
	}
	bubble(t, "all at once", func(t *testing.T) { judge(t, flaws()) })
}

// What has no flaw goes through, also over files that somebody has left in conf.d, and over a port that only another
// nginx.conf than EPEL's would bind.
func TestBareHostWithoutFlaw(t *testing.T) {
	bubble(t, "files in conf.d", func(t *testing.T) {
		h := stockHost(t)
		h.write(host.ConfDir+"/other.conf", "server {\n    listen 8080;\n    server_name other.example.com;\n}\n")
		if r := h.apply(basic(t)); r.Result != engine.Changed {
			t.Errorf("%s\n%s", r.Result, summarize(r))
		}
	})
	bubble(t, "an nginx.conf that was left", func(t *testing.T) {
		h := stockHost(t)
		h.write(host.NginxConf, strings.Replace(confOfEPEL, "listen 80;", "listen 8090;", 1))
		h.web.taken = []int{80}
		c := parse(t, strings.Replace(oneSite, "listen: 80", "listen: 8080", 1))
		if s := step(t, h.plan(c), stepnames.Validate); s.Status == engine.Failed {
			t.Errorf("%s", s.Error)
		}
	})
}
