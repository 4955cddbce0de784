//go:build acceptance

package acceptance

import (
	"strings"
	"testing"
)

const (
	// plainSite is what a host has before its first certificate.
	plainSite = `  - name: secure
    server_name: wss.example.com
    acme_webroot: /var/lib/acme
    locations: [{path: /ws/, backend: "127.0.0.1:3000", allowed_origins: any}]
`
	secureSite = `  - name: secure
    server_name: wss.example.com
    acme_webroot: /var/lib/acme
    default_server: reject
    tls:
      certificate: /etc/pki/site/wss.pem
      key: /etc/pki/site/wss.key
      redirect: true
      hsts: 8760h
      http2: true
    locations: [{path: /ws/, backend: "127.0.0.1:3000", allowed_origins: any}]
`
	clientsSite = `  - name: clients
    server_name: clients.example.com
    listen: 8443
    tls:
      certificate: /etc/pki/site/clients.pem
      key: /etc/pki/site/clients.key
      profile: modern
      client_ca: /etc/pki/site/ca.pem
    locations: [{path: /ws/, backend: "127.0.0.1:3000", allowed_origins: any}]
`
	challenge = "http://wss.example.com/.well-known/acme-challenge/token"
)

// TestSiteTLS takes a site from plain HTTP to its first certificate, and on to a renewed one.
func TestSiteTLS(t *testing.T) {
	t.Parallel()
	m := start(t, labelled)
	before := m.untouched(t, sitesBefore)
	m.must(t, "echo 127.0.0.1 wss.example.com clients.example.com nobody.example.com >>/etc/hosts; mkdir -p "+
		"/var/lib/acme/.well-known/acme-challenge && echo proof >/var/lib/acme/.well-known/acme-challenge/token")
	m.writeSites(t, plainSite)
	m.applies(t, 2)
	m.prints(t, map[string]string{
		"curl -s " + challenge:                 "proof", // before there is a certificate
		upgrades("http://wss.example.com/ws/"): "101",
	})
	m.must(t, pki+"issue wss wss.example.com; issue clients clients.example.com; issue client somebody")
	m.refusesCertificates(t)
	m.writeSites(t, secureSite, clientsSite)
	m.applies(t, 2)
	m.servesTLS(t)
	m.applies(t, 0)
	m.renews(t)
	m.must(t, "wsprovision revert")
	before()
}

// sitesBefore is what a revert of sites has to bring back: files, labels, ports and the unit. nginx itself runs on.
const sitesBefore = "find /etc/nginx -type f | sort | xargs sha256sum; semanage port -l -C; semanage fcontext -l -C; " +
	"getsebool httpd_can_network_connect; systemctl is-enabled nginx; ss -Hltn | awk '$4 !~ " +
	"/:(22|80|3[0-9]+|800[12]|8600)$/ { print $4 }' | sort"

// refusesCertificates: what nginx could not load is named before anything is changed, all of it in one run, also what
// SELinux alone keeps from it.
func (m *machine) refusesCertificates(t testing.TB) {
	t.Helper()
	m.must(t, "cd /etc/pki/site && cp wss.pem home.pem && chcon -t user_home_t home.pem")
	other := func(name, certificate, key string) string {
		s := strings.NewReplacer("secure", name, "wss.example.com", name+".example.com", "wss.pem", certificate,
			"wss.key",
			key, "    acme_webroot: /var/lib/acme\n", "", "    default_server: reject\n", "")
		return s.Replace(secureSite)
	}
	m.writeSites(t, plainSite, other("missing", "wss.pem", "gone.key"), other("home", "home.pem", "wss.key"),
		other("mixed", "wss.pem", "client.key"))
	check := m.untouched(t, fingerprint)
	m.applies(t, 1, "tls.key: /etc/pki/site/gone.key is not there",
		"SELinux keeps nginx from reading /etc/pki/site/home.pem", "user_home_t",
		"tls.key: /etc/pki/site/client.key is not the key of /etc/pki/site/wss.pem")
	check()
}

func (m *machine) servesTLS(t testing.TB) {
	t.Helper()
	const secure, clients = "https://wss.example.com/ws/", "https://clients.example.com:8443/ws/"
	const certified = "--cert /etc/pki/site/client.pem --key /etc/pki/site/client.key "
	m.prints(t, map[string]string{
		"curl -s " + challenge: "proof", // beside the redirect
		"curl -s -o /dev/null -w '%{http_code} %{redirect_url}' 'http://wss.example.com/ws/x?a=b'": "308 " +
			"https://wss.example.com/ws/x?a=b",
		upgrades(secure): "101",
		"echo hello | wsprovision connect --ca /etc/pki/site/ca.pem wss://wss.example.com/ws/": "Echo: hello",
		"curl -si --http1.1 --cacert /etc/pki/site/ca.pem " + secure + " | sed -n 's/^Strict-Transport-Security: " +
			"//p' | " +
			"tr -d '\\r'": "max-age=31536000",
		"curl -s -o /dev/null -w '%{http_version}' --http2 --cacert /etc/pki/site/ca.pem " + secure: "2",
		upgrades("--tls-max 1.2 " + secure):               "101",
		upgrades(clients):                                 "400", // a certificate is wanted
		upgrades(certified + clients):                     "101",
		upgrades("--tls-max 1.2 " + certified + clients):  "000", // modern is TLS 1.3 alone
		asks("http://nobody.example.com/") + "; echo /$?": "000/52",
		"openssl s_client -connect 127.0.0.1:443 -servername nobody.example.com </dev/null 2>&1 | grep -c 'alert " +
			"number 112'": "1", // unrecognized_name
	})
}

// renews puts another certificate in the place of the one that nginx serves.
func (m *machine) renews(t testing.TB) {
	t.Helper()
	const served = "openssl s_client -connect 127.0.0.1:443 -servername wss.example.com </dev/null 2>/dev/null | " +
		"openssl x509 -noout -serial"
	m.must(t, pki+"issue wss wss.example.com")
	const onDisk = "openssl x509 -noout -serial -in /etc/pki/site/wss.pem"
	if old, renewed := m.must(t, served), m.must(t, onDisk); old == renewed {
		t.Fatalf("the certificate was not renewed: %s", old)
	}
	m.applies(t, 2, "other certificates than those in /etc/pki/site/wss.pem")
	if now, renewed := m.must(t, served), m.must(t, onDisk); now != renewed {
		t.Errorf("after the apply %s is served, and %s lies on the disk", now, renewed)
	}
	m.applies(t, 0)
}
