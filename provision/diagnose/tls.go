package diagnose

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
	"time"

	"wsprovision/provision/hostfile"
	"wsprovision/provision/nginx"
	"wsprovision/provision/websocket"
)

// refusedCertificate: TLS did not come about.
func (q *inquiry) refusedCertificate(ctx context.Context) *Diagnosis {
	var failed *websocket.TLSError
	if !errors.As(q.Err, &failed) {
		return nil
	}
	if q.local() && errors.Is(q.gone, nginx.ErrNotRunning) {
		return nil // whoever answers there, listener says it
	}
	var invalid x509.CertificateInvalidError
	var name x509.HostnameError
	var authority x509.UnknownAuthorityError
	var plain tls.RecordHeaderError
	shown := q.shown(failed)
	switch {
	case errors.As(failed, &invalid) && invalid.Reason == x509.Expired:
		return q.expired(failed, shown)
	case errors.As(failed, &name):
		return diagnosis(CertificateWrongName, fmt.Sprintf("the certificate is not for %s", failed.ServerName),
			say("get a certificate that has the name ").name(failed.ServerName).say(", and ").join(q.replace()), shown)
	case errors.As(failed, &authority):
		return diagnosis(CertificateUntrusted, "no authority that this host trusts has signed the certificate, or an "+
			"intermediate certificate is missing from the chain",
			say("put the chain behind the certificate in its file and reload nginx; "+
				"a private authority: verify --ca FILE"),
			shown, failed.Error())
	case q.notNginx(ctx):
		return diagnosis(TLSRefused,
			fmt.Sprintf("what answers on %s is not this host's nginx, and no TLS comes about with it: %s", q.address,
				failed), q.opensslCommand(failed), shown)
	case errors.As(failed, &plain):
		return diagnosis(TLSNotSpoken,
			fmt.Sprintf("nginx does not speak TLS on %s: the listener has no ssl", q.address),
			q.editRoute("listen", say("add ssl to the listener, with ssl_certificate and ssl_certificate_key,")),
			q.place(), failed.Error())
	case failed.Timeout:
		return q.hangs(failed.Error())
	}
	for _, ask := range []func(context.Context) *Diagnosis{q.listener, q.logged} {
		if d := ask(ctx); d != nil {
			return d
		}
	}
	return diagnosis(TLSRefused, "the TLS handshake is refused: "+failed.Error(), q.opensslCommand(failed),
		append([]string{shown}, q.relevant()...)...)
}

// notNginx: the connection went to another host, or to another program of this one.
func (q *inquiry) notNginx(ctx context.Context) bool {
	return !q.local() || !q.nginxPort() || q.strangers(ctx, q.address) != nil
}

func (q *inquiry) opensslCommand(failed *websocket.TLSError) Mend {
	return do("openssl", "s_client", "-connect", q.Target.Address, "-servername", failed.ServerName)
}

func (q *inquiry) shown(failed *websocket.TLSError) string {
	if len(failed.Facts.Chain) == 0 {
		return ""
	}
	c := failed.Facts.Chain[0]
	return fmt.Sprintf("shown: %s for %s, from %s to %s, issued by %s", c.Subject, strings.Join(c.Names, " "),
		c.NotBefore.Format(time.DateOnly), c.NotAfter.Format(time.DateTime), c.Issuer)
}

// certificateFile is the file that nginx shows for the site, "" where the configuration does not tell.
func (q *inquiry) certificateFile() string {
	if d := q.route.Value("ssl_certificate"); d != nil && len(d.Args) == 1 && !strings.Contains(d.Args[0], "$") {
		return d.Args[0]
	}
	if q.Site != nil && q.Site.TLS != nil {
		return q.Site.TLS.Certificate
	}
	return ""
}

func (q *inquiry) replace() Mend {
	file := q.certificateFile()
	if file == "" || !q.local() {
		return say("put it in place of the old one, then systemctl reload nginx")
	}
	return say("put it into ").name(file).say(thenReload)
}

// expired tells a certificate that is out of date from one that was renewed
// and that nginx has not read yet.
func (q *inquiry) expired(failed *websocket.TLSError, shown string) *Diagnosis {
	file := q.certificateFile()
	if q.local() && file != "" && len(failed.Facts.Chain) > 0 {
		if until, ok := notAfter(q.Root + file); ok && until.After(failed.Facts.Chain[0].NotAfter) &&
			until.After(time.Now()) {
			return diagnosis(NginxOlder, fmt.Sprintf("the certificate on the disk was renewed, and nginx still shows "+
				"the expired one, which it read before (%s)", file),
				reload(), shown, fmt.Sprintf("%s is valid until %s", file, until.Format(time.DateTime)))
		}
	}
	cause := "the certificate has expired"
	if len(failed.Facts.Chain) > 0 {
		c := failed.Facts.Chain[0]
		cause = fmt.Sprintf("the certificate expired on %s", c.NotAfter.Format(time.DateOnly))
		if c.NotBefore.After(time.Now()) {
			cause = fmt.Sprintf("the certificate is not valid before %s: is this host's clock right?",
				c.NotBefore.Format(time.DateTime))
		}
	}
	return diagnosis(CertificateExpired, cause, say("renew it, ").join(q.replace()), shown)
}

func notAfter(file string) (time.Time, bool) {
	text, err := hostfile.ReadLinked(context.Background(), file, 1<<20) // certbot's are links
	if err != nil {
		return time.Time{}, false
	}
	block, _ := pem.Decode(text)
	if block == nil || block.Type != "CERTIFICATE" {
		return time.Time{}, false
	}
	c, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return time.Time{}, false
	}
	return c.NotAfter, true
}

// certificateProblem explains what nginx says of a certificate or key when it
// reads its configuration (ngx_event_openssl.c, 1.12 to 1.20).
func (q *inquiry) certificateProblem(m, evidence string) *Diagnosis {
	file, _, _ := strings.Cut(after(m, `"`), `"`)
	if !strings.HasPrefix(file, "/") {
		return nil
	}
	unreadable := do("ls", "-lZ", file).note("put it there, or ").do("restorecon", "-v", file).say(thenServe)
	switch {
	case strings.Contains(m, "key values mismatch"):
		return diagnosis(CertificateKeyMismatch, fmt.Sprintf("the key %s does not belong to the certificate", file),
			say("put the key that the certificate was made for into ").name(file).say(thenServe), evidence)
	case strings.HasPrefix(m, "cannot load certificate key "), strings.HasPrefix(m, "SSL_CTX_use_PrivateKey"):
		return diagnosis(CertificateKeyUnreadable, fmt.Sprintf("nginx cannot read the certificate's key %s: %s", file,
			openSSLReason(m)), unreadable, evidence)
	case strings.HasPrefix(m, "cannot load certificate "), strings.HasPrefix(m, "SSL_CTX_use_certificate"):
		return diagnosis(CertificateUnreadable, fmt.Sprintf("nginx cannot read the certificate %s: %s", file,
			openSSLReason(m)), unreadable, evidence)
	}
	return nil
}

func openSSLReason(m string) string {
	for _, known := range []string{"No such file or directory", "Permission denied", "Is a directory", "bad decrypt",
		"no start line", "bad base64 decode"} {
		if strings.Contains(m, known) {
			return strings.ToLower(known)
		}
	}
	return "OpenSSL does not take it"
}
