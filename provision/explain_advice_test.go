package provision

import (
	"crypto/tls"
	"os"
	"strings"
	"testing"

	"wsprovision/provision/diagnose"
	"wsprovision/provision/diagnose/cause"
	"wsprovision/provision/diagnose/facts"
	"wsprovision/provision/state"
	"wsprovision/provision/verify"
	"wsprovision/provision/websocket/handshake"
)

// What does not speak TLS, or is silent, need not be this host's nginx.
func TestTLSOfSomebodyElse(t *testing.T) {
	h := provisioned(t)
	for _, address := range []string{"127.0.0.1:3000", "192.0.2.1:443"} {
		for name, failed := range map[string]*handshake.TLSError{
			"no TLS": {ServerName: "ws.example.com",
				Err: tls.RecordHeaderError{Msg: "first record does not look like a TLS handshake"}},
			"silent": {ServerName: "ws.example.com", Timeout: true, Err: errKilled},
		} {
			s := facts.Symptom{Target: handshake.Target{Address: address, Path: "/", TLS: &tls.Config{}},
				Check: "certificate", Err: failed, Peer: address}
			if d := diagnose.Explain(t.Context(), h.host(Listener{}), basic(t), s); d.Code != cause.TLSRefused ||
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
	v := &verify.Verification{Config: parse(t, oneSite+secure)}
	for url, want := range map[string]string{
		"ws://ws.example.com/ws/": "websocket", "wss://ws.example.com/ws/": "secure",
		"ws://ws.example.com:8080/ws/": "websocket", "ws://ws.example.com:443/ws/": "websocket",
		"ws://other.example.com/": "",
	} {
		v.URL = url
		all, err := v.AimAtURL()
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		if all[0].Site != nil {
			got = all[0].Site.Name
		}
		if got != want || (all[0].Location != nil) != (want != "") {
			t.Errorf("%s: site %q, want %q", url, got, want)
		}
	}
}

// What lies in place of the site's file decides with what an apply takes it over.
func TestClaimOfAnEditedFile(t *testing.T) {
	h, c := provisioned(t), basic(t)
	claims := func(want string) {
		t.Helper()
		if got := strings.Join(verify.OverSomebodys(h.host(Listener{}), c, c.Sites[0]), " "); got != want {
			t.Errorf("flags %q, want %q", got, want)
		}
	}
	claims("")
	h.write(site, h.content(site)+"# by hand\n")
	claims("--on-drift replace")
	h.must(os.Remove(h.path(state.LedgerPath)))
	claims("--adopt")
}
