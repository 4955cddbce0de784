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

// tlsFailure is how TLS failed with whoever is meant to speak it; nil where it did not, or where this host's nginx does
// not run, so that somebody else answered.
func tlsFailure(e *evidence) *websocket.TLSError {
	var failed *websocket.TLSError
	if !errors.As(e.Err, &failed) || isLocal(e) && errors.Is(e.gone, nginx.ErrNotRunning) {
		return nil
	}
	return failed
}

func certificateIsExpired(_ context.Context, e *evidence) *Diagnosis {
	failed := tlsFailure(e)
	var invalid x509.CertificateInvalidError
	if failed == nil || !errors.As(failed, &invalid) || invalid.Reason != x509.Expired {
		return nil
	}
	return expired(e, failed, certificateShown(failed))
}

func certificateIsAnothers(_ context.Context, e *evidence) *Diagnosis {
	failed := tlsFailure(e)
	var name x509.HostnameError
	if failed == nil || !errors.As(failed, &name) {
		return nil
	}
	return diagnosis(CertificateWrongName, fmt.Sprintf("the certificate is not for %s", failed.ServerName),
		say("get a certificate that has the name ").name(failed.ServerName).say(", and ").join(replace(e)),
		certificateShown(failed))
}

// certificateIsNotTrusted: there is no way from it to an authority that the client trusts, by what the server shows.
func certificateIsNotTrusted(_ context.Context, e *evidence) *Diagnosis {
	failed := tlsFailure(e)
	var authority x509.UnknownAuthorityError
	if failed == nil || !errors.As(failed, &authority) {
		return nil
	}
	if chain := failed.Facts.Chain; len(chain) > 0 && chain[0].Subject == chain[0].Issuer {
		return diagnosis(CertificateUntrusted,
			"the certificate has signed itself, so that no client trusts it that does not "+
				"know it", say("get one that an authority has signed; to try this one: verify --ca FILE"),
			certificateShown(failed), failed.Error())
	}
	return diagnosis(CertificateUntrusted, "no authority that this host trusts has signed the certificate, or an "+
		"intermediate certificate is missing from the chain",
		say("put the chain behind the certificate in its file").say(thenReload).
			say("; a private authority: verify --ca FILE"), certificateShown(failed), failed.Error())
}

// strangerSpeaksNoTLS: the connection went to another host, or to another program of this one.
func strangerSpeaksNoTLS(ctx context.Context, e *evidence) *Diagnosis {
	failed := tlsFailure(e)
	if failed == nil || isLocal(e) && nginxPort(e) {
		return nil
	}
	return diagnosis(TLSRefused,
		fmt.Sprintf("what answers on %s is not this host's nginx, and no TLS comes about with it: %s", e.address,
			failed),
		opensslCommand(e, failed), certificateShown(failed))
}

func listenerSpeaksNoTLS(_ context.Context, e *evidence) *Diagnosis {
	failed := tlsFailure(e)
	var plain tls.RecordHeaderError
	if failed == nil || !errors.As(failed, &plain) {
		return nil
	}
	what := say("add ssl to the listener, with ssl_certificate and ssl_certificate_key,")
	mend, evidence := what.say(" in nginx's configuration"), ""
	if s := e.way.Server; s != nil {
		mend = edit(e, s.File, e.way.Listen.Line, what)
		evidence = fmt.Sprintf("%s:%d listens on %s", s.File, e.way.Listen.Line, e.address)
	}
	return diagnosis(TLSNotSpoken, fmt.Sprintf("nginx does not speak TLS on %s: the listener has no ssl", e.address),
		mend,
		evidence, failed.Error())
}

func tlsIsRefused(_ context.Context, e *evidence) *Diagnosis {
	failed := tlsFailure(e)
	if failed == nil {
		return nil
	}
	return diagnosis(TLSRefused, "the TLS handshake is refused: "+failed.Error(), opensslCommand(e, failed),
		append([]string{certificateShown(failed)}, relevant(e)...)...)
}

func opensslCommand(e *evidence, failed *websocket.TLSError) Mend {
	return do("openssl", "s_client", "-connect", e.Target.Address, "-servername", failed.ServerName)
}

func certificateShown(failed *websocket.TLSError) string {
	if len(failed.Facts.Chain) == 0 {
		return ""
	}
	c := failed.Facts.Chain[0]
	return fmt.Sprintf("shown: %s for %s, from %s to %s, issued by %s", c.Subject, strings.Join(c.Names, " "),
		c.NotBefore.Format(time.DateOnly), c.NotAfter.Format(time.DateTime), c.Issuer)
}

// certificateFile is the file that nginx shows for the site, "" where the configuration does not tell.
func certificateFile(e *evidence) string {
	if d := serverValue(e, "ssl_certificate"); d != nil && len(d.Args) == 1 && !strings.Contains(d.Args[0], "$") {
		return d.Args[0]
	}
	if e.Site != nil && e.Site.TLS != nil {
		return e.Site.TLS.Certificate
	}
	return ""
}

func replace(e *evidence) Mend {
	file := certificateFile(e)
	if file == "" || !isLocal(e) {
		return say("put it in place of the old one, then systemctl reload nginx")
	}
	return say("put it into ").name(file).say(thenReload)
}

// expired tells a certificate that is out of date from one that was renewed
// and that nginx has not read yet.
func expired(e *evidence, failed *websocket.TLSError, shown string) *Diagnosis {
	file := certificateFile(e)
	if isLocal(e) && file != "" && len(failed.Facts.Chain) > 0 {
		if until, ok := notAfter(e.Root + file); ok && until.After(failed.Facts.Chain[0].NotAfter) &&
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
	return diagnosis(CertificateExpired, cause, say("renew it, ").join(replace(e)), shown)
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
func certificateProblem(m, evidence string) *Diagnosis {
	file, _, _ := strings.Cut(after(m, `"`), `"`)
	if !strings.HasPrefix(file, "/") {
		return nil
	}
	unreadable := do("ls", "-lZ", file).note("put it there, or ").do("restorecon", "-v", file).say(thenServe)
	switch {
	case strings.Contains(m, "key values mismatch"):
		return diagnosis(CertificateKeyMismatch, fmt.Sprintf("the key %s does not belong to the certificate", file),
			say("put the key that the certificate was made for into ").name(file).
				say(", and see that the site's certificate is the first in its file").say(thenServe), evidence)
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
