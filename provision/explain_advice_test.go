package provision

import (
	"crypto/tls"
	"net/netip"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"wsprovision/provision/host"
	"wsprovision/provision/nginx"
	"wsprovision/provision/websocket"
	"wsprovision/systemd"
)

// pasteable: advice that begins with a program is a command line for bash, and what else there is to say is a comment.
func pasteable(t testing.TB, d Diagnosis) {
	t.Helper()
	program, _, _ := strings.Cut(d.Mend.String(), " ")
	if !slices.Contains([]string{"df", "du", "echo", "firewall-cmd", "ip", "load_policy", "ls", "mkdir", "nginx",
		"openssl", "semanage", "setsebool", "ss", "sysctl", "systemctl", "wsprovision"}, program) {
		return
	}
	command, _, _ := strings.Cut(d.Mend.String(), " # ")
	if out, err := exec.Command("bash", "-n", "-c", d.Mend.String()).CombinedOutput(); err != nil ||
		strings.Contains(command, ", ") {
		t.Errorf("%s: cannot be pasted: %s\n%s", d.Code, d.Mend, out)
	}
}

// TestAdviceIsPasteable is about what a fake host does not come to.
func TestAdviceIsPasteable(t *testing.T) {
	_, q := asked(t)
	q.address, q.site = netip.MustParseAddrPort("[::1]:80"), &q.config.Sites[0]
	q.tree, _ = nginx.Load(q.Root, host.NginxConf, nil)
	for _, d := range []*Diagnosis{q.openFiles(), q.noSpace(logSpace), q.hangs(), q.otherFamily(),
		q.exhausted("x", 3000, ""),
		q.notSyntax(t.Context(), problemOf("bind() to 0.0.0.0:80 failed (98: Address already in use)")),
		q.certificateProblem(`cannot load certificate "/etc/nginx/c.pem": BIO_new_file() failed (No such file or directory)`, "")} {
		pasteable(t, *d)
		serves := d.Code != OpenFilesSpent && d.Code != NginxHangs // which nothing less mends
		if serves && strings.Contains(d.Mend.String(), "systemctl restart") {
			t.Errorf("%s: cuts every WebSocket: %s", d.Code, d.Mend)
		}
	}
}

// asked is an inquiry about the one site of a provisioned host.
func asked(t *testing.T) (*fakeHost, *inquiry) {
	h := provisioned(t)
	c := basic(t)
	return h, &inquiry{Host: h.host(Listener{}), config: c,
		symptom: symptom{site: &c.Sites[0], location: &c.Sites[0].Locations[0]}}
}

// Where the agent's file is as configured, an apply would change nothing.
func TestAdviceOnWhatIsConfigured(t *testing.T) {
	h, q := asked(t)
	if got := q.edit(site, 5, say("set proxy_read_timeout 24h;")).String(); !strings.Contains(got,
		"by way of the site's configuration") ||
		!strings.HasSuffix(got, q.applyCommand().String()) {
		t.Errorf("as configured: %s", got)
	}
	h.write(site, h.content(site)+"# by hand\n")
	if got := q.edit(site, 5, say("set proxy_read_timeout 24h;")); got != q.applyCommand() ||
		!strings.HasSuffix(got.String(), " --on-drift replace") {
		t.Errorf("edited by hand: %s", got)
	}
	h.must(os.Remove(h.path(ledgerPath)))
	if got := q.applyCommand().String(); !strings.HasSuffix(got, " --adopt") {
		t.Errorf("not the agent's: %s", got)
	}
	if got := q.noLocation().Mend; got != q.applyCommand() {
		t.Errorf("a path that is configured: %s", got)
	}
	if q.location = nil; !strings.Contains(q.noLocation().Mend.String(), "ask for a path that is configured") {
		t.Errorf("a path that is not: %s", q.noLocation().Mend)
	}
}

// What does not speak TLS, or is silent, need not be this host's nginx.
func TestTLSOfSomebodyElse(t *testing.T) {
	h, _ := asked(t)
	for _, address := range []string{"127.0.0.1:3000", "192.0.2.1:443"} {
		for name, failed := range map[string]*websocket.TLSError{
			"no TLS": {ServerName: "ws.example.com",
				Err: tls.RecordHeaderError{Msg: "first record does not look like a TLS handshake"}},
			"silent": {ServerName: "ws.example.com", Timeout: true, Err: errKilled},
		} {
			s := symptom{target: websocket.Target{Address: address, Path: "/", TLS: &tls.Config{}},
				check: "certificate", err: failed, peer: address}
			if d := explain(t.Context(), h.host(Listener{}), basic(t), s); d.Code != TLSRefused ||
				strings.Contains(d.Mend.String(), "restart") {
				t.Errorf("%s at %s: %s", name, address, d)
			}
		}
	}
}

// A name may have a site with TLS and one without.
func TestSiteOfURL(t *testing.T) {
	secure := strings.NewReplacer("sites:\n", "", "websocket", "secure", "listen: 80",
		"listen: 443\n    tls: {certificate: /c.pem, key: /k.pem}").Replace(oneSite)
	v := &Verification{Config: parse(t, oneSite+secure)}
	for url, want := range map[string]string{
		"ws://ws.example.com/ws/": "websocket", "wss://ws.example.com/ws/": "secure",
		"ws://ws.example.com:8080/ws/": "websocket", "ws://ws.example.com:443/ws/": "websocket",
		"ws://other.example.com/": "",
	} {
		v.URL = url
		all, err := v.aimAtURL()
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		if all[0].site != nil {
			got = all[0].site.Name
		}
		if got != want || (all[0].location != nil) != (want != "") {
			t.Errorf("%s: site %q, want %q", url, got, want)
		}
	}
}

// The client tries one address after the other; the one that answered counts.
func TestDialledIsWhoAnswered(t *testing.T) {
	_, q := asked(t)
	q.target.Address = "[::1]:80"
	if got := q.dialled(t.Context()); got != netip.MustParseAddrPort("[::1]:80") {
		t.Errorf("nobody answered: %s", got)
	}
	q.peer = "127.0.0.1:80"
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
