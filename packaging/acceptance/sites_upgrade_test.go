//go:build acceptance

package acceptance

import (
	"strings"
	"testing"
)

// addsFeatures edits the file of a site that the options of 1.0.0 made, one thing after the other. The WebSockets that
// were open before stay open through all of it.
func (m *machine) addsFeatures(t testing.TB) {
	t.Helper()
	const file, site = "/etc/wsprovision/sites.d/websocket.yaml", " http://ws.example.com/ws/"
	text := string(m.get(t, file))
	m.must(t, "echo 127.0.0.1 ws.example.com >>/etc/hosts; "+pki+"issue ws ws.example.com")
	for _, edit := range []struct{ from, to, check, want string }{
		{"        backend: 127.0.0.1:3000\n", "        backend: [127.0.0.1:3000, 127.0.0.1:8009 backup]\n" +
			"        allowed_origins: https://app.example.com\n        limits: {connections_per_client: 300}\n",
			upgrades("-H 'Origin: https://evil.example.com'" + site), "403"},
		{"    locations:\n", "    default_server: reject\n    trusted_proxies: 127.0.0.2\n    locations:\n",
			asks("-H 'Host: nobody.example.com'"+site) + " || echo /$?", "000/52"},
		{"    listen: \"80\"\n", "    acme_webroot: /var/lib/acme\n    tls: {certificate: /etc/pki/site/ws.pem, " +
			"key: /etc/pki/site/ws.key, redirect: true, hsts: true}\n",
			asks(site) + "; " + upgrades(" https://ws.example.com/ws/"), "308101"},
	} {
		if strings.Count(text, edit.from) != 1 {
			t.Fatalf("%s does not have %q once:\n%s", file, edit.from, text)
		}
		text = strings.Replace(text, edit.from, edit.to, 1)
		m.put(t, file, []byte(text), 0o644)
		m.applies(t, 2)
		m.prints(t, map[string]string{edit.check: edit.want})
	}
	m.applies(t, 0)
	m.crowdAnswers(t, "200")
}
