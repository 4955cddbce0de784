package render

import (
	"strconv"
	"strings"
	"time"

	"wsprovision/provision/site"
)

// intermediateCiphers are those of Mozilla's Server Side TLS, guideline 5.7, intermediate
// (ssl-config.mozilla.org/guidelines/5.7.json), without its DHE suites: nginx offers none without ssl_dhparam.
var intermediateCiphers = []string{"ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-RSA-AES128-GCM-SHA256",
	"ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-RSA-AES256-GCM-SHA384", "ECDHE-ECDSA-CHACHA20-POLY1305",
	"ECDHE-RSA-CHACHA20-POLY1305"}

// tls writes the certificate and what the guideline has beside it.
func (w *writer) tls() {
	t := w.TLS
	if t == nil {
		return
	}
	if t.HTTP2 && w.Build.http2Directive() {
		w.line("http2 on;")
	}
	w.line("ssl_certificate %s;", t.Certificate)
	w.line("ssl_certificate_key %s;", t.Key)
	w.line("ssl_protocols %s;", strings.Join(w.Build.Protocols(t.Profile), " "))
	if t.Profile != site.ProfileModern {
		w.line("ssl_ciphers %s;", strings.Join(intermediateCiphers, ":"))
	}
	w.line("ssl_prefer_server_ciphers off;")
	w.sessions()
	if t.HSTS > 0 {
		w.line("add_header %s;", hsts(t))
	}
}

func hsts(t *TLS) string {
	return "Strict-Transport-Security max-age=" + seconds(t.HSTS) + " always"
}

// sessions are kept by one cache for all sites; 10m hold some 40 000. Where clients need a certificate, none is
// resumed:
// a session of one server could be taken to another of the same socket (CVE-2025-23419). Tickets are off for all, as
// nginx does not change their key.
func (w *writer) sessions() {
	w.line("ssl_session_tickets off;")
	if w.TLS.ClientCA == "" {
		w.line("ssl_session_cache shared:wsprovision:10m;")
		w.line("ssl_session_timeout 1d;")
		return
	}
	w.line("ssl_session_cache off;")
	w.line("ssl_client_certificate %s;", w.TLS.ClientCA)
	w.line("ssl_verify_client on;")
	w.line("ssl_verify_depth 3;")
}

func seconds(d time.Duration) string { return strconv.FormatInt(int64(d/time.Second), 10) }
