package server

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
	"time"

	"wsprovision/provision/diagnose/cause"
	"wsprovision/provision/diagnose/facts"
	"wsprovision/provision/hostfile"
	"wsprovision/provision/nginx/conf"
	"wsprovision/provision/websocket/handshake"
)

// CertificateIsExpired: the certificate is expired, or not valid yet.
func CertificateIsExpired(_ context.Context, e *facts.Evidence) *cause.Diagnosis {
	failed := facts.TlsFailure(e)
	var invalid x509.CertificateInvalidError
	if failed == nil || !errors.As(failed, &invalid) || invalid.Reason != x509.Expired {
		return nil
	}
	return expired(e, failed, certificateShown(failed))
}

// CertificateIsAnothers: the certificate has not the name that was asked for.
func CertificateIsAnothers(_ context.Context, e *facts.Evidence) *cause.Diagnosis {
	failed := facts.TlsFailure(e)
	var name x509.HostnameError
	if failed == nil || !errors.As(failed, &name) {
		return nil
	}
	return cause.New(cause.CertificateWrongName, fmt.Sprintf("the certificate is not for %s", failed.ServerName),
		cause.Say("get a certificate that has the name ").Name(failed.ServerName).Say(", and ").Join(replace(e)),
		certificateShown(failed))
}

// SecureNameIsNobodys: the name in the TLS handshake is no server block's, so that the default server shows its own
// certificate, or refuses (ssl_reject_handshake).
func SecureNameIsNobodys(_ context.Context, e *facts.Evidence) *cause.Diagnosis {
	failed := facts.TlsFailure(e)
	if failed == nil || !serverIsKnown(e) || e.Way.ByName || e.Site != nil && facts.Ours(e, e.Way.Server.File) {
		return nil
	}
	s := e.Way.Server
	evidence := []string{failed.Error(), certificateShown(failed), fmt.Sprintf("server block in %s:%d", s.File, s.Line)}
	if d := facts.ServerValue(e, "ssl_reject_handshake"); d != nil && len(d.Args) == 1 && d.Args[0] == "on" {
		return cause.New(cause.ShadowedDefault, fmt.Sprintf("no server block on %s has the name %s, and the default "+
			"server refuses TLS for such names", e.Address, failed.ServerName), facts.Rewrite(e, nameMend(e)),
			append(evidence, fmt.Sprintf("ssl_reject_handshake on in %s:%d", d.File, d.Line))...)
	}
	var name x509.HostnameError
	meant := hasCertificateFor(e, failed.ServerName)
	if !errors.As(failed, &name) || meant == nil {
		return nil
	}
	return cause.New(cause.ShadowedDefault, fmt.Sprintf("no server block on %s has the name %s, so that the default "+
		"server shows its own certificate", e.Address, failed.ServerName), facts.Rewrite(e, cause.Say("add ").
		Name(failed.ServerName).Say(" to the names of the block in ").Line(meant.File, meant.Line).
		Say(", which has a certificate for it").Say(facts.ThenReload)), evidence...)
}

// hasCertificateFor is the block beside the one that answered whose certificate is for the name; nil for none.
func hasCertificateFor(e *facts.Evidence, name string) *conf.Server {
	for _, s := range sharing(e) {
		for _, d := range s.Body {
			if d.Name != "ssl_certificate" || len(d.Args) != 1 {
				continue
			}
			if c := certificateIn(e.Root + d.Args[0]); c != nil && c.VerifyHostname(name) == nil {
				return &s
			}
		}
	}
	return nil
}

// CertificateIsNotTrusted: there is no way from it to an authority that the client trusts, by what the server shows.
func CertificateIsNotTrusted(_ context.Context, e *facts.Evidence) *cause.Diagnosis {
	failed := facts.TlsFailure(e)
	var authority x509.UnknownAuthorityError
	if failed == nil || !errors.As(failed, &authority) {
		return nil
	}
	if chain := failed.Facts.Chain; len(chain) > 0 && chain[0].Subject == chain[0].Issuer {
		return cause.New(cause.CertificateUntrusted,
			"the certificate has signed itself, so that no client trusts it that does not know it",
			cause.Say("get one that an authority has signed; to try this one: verify --ca FILE"),
			certificateShown(failed), failed.Error())
	}
	return cause.New(cause.CertificateUntrusted,
		"no authority that this host trusts has signed the certificate, or an intermediate certificate is missing "+
			"from the chain",
		cause.Say("put the chain behind the certificate in its file").Say(facts.ThenReload).
			Say("; a private authority: verify --ca FILE"), certificateShown(failed), failed.Error())
}

// StrangerSpeaksNoTLS: the connection went to another host, or to another program of this one.
func StrangerSpeaksNoTLS(ctx context.Context, e *facts.Evidence) *cause.Diagnosis {
	failed := facts.TlsFailure(e)
	if failed == nil || facts.IsLocal(e) && NginxPort(e) {
		return nil
	}
	return cause.New(cause.TLSRefused,
		fmt.Sprintf("what answers on %s is not this host's nginx, and no TLS comes about with it: %s", e.Address,
			failed),
		opensslCommand(e, failed), certificateShown(failed))
}

// ListenerSpeaksNoTLS: the socket of nginx speaks plain HTTP.
func ListenerSpeaksNoTLS(_ context.Context, e *facts.Evidence) *cause.Diagnosis {
	failed := facts.TlsFailure(e)
	var plain tls.RecordHeaderError
	if failed == nil || !errors.As(failed, &plain) {
		return nil
	}
	what := cause.Say("add ssl to the listener, with ssl_certificate and ssl_certificate_key,")
	mend, evidence := what.Say(" in nginx's configuration"), ""
	if s := e.Way.Server; s != nil {
		mend = facts.Edit(e, s.File, e.Way.Listen.Line, what)
		evidence = fmt.Sprintf("%s:%d listens on %s", s.File, e.Way.Listen.Line, e.Address)
	}
	return cause.New(cause.TLSNotSpoken, fmt.Sprintf("nginx does not speak TLS on %s: the listener has no ssl",
		e.Address),
		mend,
		evidence, failed.Error())
}

// TLSIsRefused: the TLS handshake fails for any other reason.
func TLSIsRefused(_ context.Context, e *facts.Evidence) *cause.Diagnosis {
	failed := facts.TlsFailure(e)
	if failed == nil {
		return nil
	}
	return cause.New(cause.TLSRefused, "the TLS handshake is refused: "+failed.Error(), opensslCommand(e, failed),
		append([]string{certificateShown(failed)}, facts.Relevant(e)...)...)
}

func opensslCommand(e *facts.Evidence, failed *handshake.TLSError) cause.Mend {
	return cause.Do("openssl", "s_client", "-connect", e.Target.Address, "-servername", failed.ServerName)
}

func certificateShown(failed *handshake.TLSError) string {
	if len(failed.Facts.Chain) == 0 {
		return ""
	}
	c := failed.Facts.Chain[0]
	return fmt.Sprintf("shown: %s for %s, from %s to %s, issued by %s", c.Subject, strings.Join(c.Names, " "),
		c.NotBefore.Format(time.DateOnly), c.NotAfter.Format(time.DateTime), c.Issuer)
}

// certificateFile is the file that nginx shows for the site, "" where the configuration does not tell.
func certificateFile(e *facts.Evidence) string {
	if d := facts.ServerValue(e, "ssl_certificate"); d != nil && len(d.Args) == 1 && !strings.Contains(d.Args[0], "$") {
		return d.Args[0]
	}
	if e.Site != nil && e.Site.TLS != nil {
		return e.Site.TLS.Certificate
	}
	return ""
}

func replace(e *facts.Evidence) cause.Mend {
	file := certificateFile(e)
	if file == "" || !facts.IsLocal(e) {
		return cause.Say("put it in place of the old one, then systemctl reload nginx")
	}
	return cause.Say("put it into ").Name(file).Say(facts.ThenReload)
}

// expired tells a certificate that is out of date from one that was renewed
// and that nginx has not read yet.
func expired(e *facts.Evidence, failed *handshake.TLSError, shown string) *cause.Diagnosis {
	file := certificateFile(e)
	if facts.IsLocal(e) && file != "" && len(failed.Facts.Chain) > 0 {
		if until, ok := notAfter(e.Root + file); ok && until.After(failed.Facts.Chain[0].NotAfter) &&
			until.After(time.Now()) {
			return cause.New(cause.NginxOlder,
				fmt.Sprintf("the certificate on the disk was renewed, and nginx still shows the expired one, which "+
					"it read before (%s)", file),
				facts.Reload(), shown, fmt.Sprintf("%s is valid until %s", file, until.Format(time.DateTime)))
		}
	}
	why := "the certificate has expired"
	if len(failed.Facts.Chain) > 0 {
		c := failed.Facts.Chain[0]
		why = fmt.Sprintf("the certificate expired on %s", c.NotAfter.Format(time.DateOnly))
		if c.NotBefore.After(time.Now()) {
			why = fmt.Sprintf("the certificate is not valid before %s: is this host's clock right?",
				c.NotBefore.Format(time.DateTime))
		}
	}
	return cause.New(cause.CertificateExpired, why, cause.Say("renew it, ").Join(replace(e)), shown)
}

func notAfter(file string) (time.Time, bool) {
	c := certificateIn(file)
	if c == nil {
		return time.Time{}, false
	}
	return c.NotAfter, true
}

// certificateIn is the first certificate of a file; nil where it has none that can be read.
func certificateIn(file string) *x509.Certificate {
	text, err := hostfile.ReadLinked(context.Background(), file, 1<<20) // certbot's are links
	if err != nil {
		return nil
	}
	block, _ := pem.Decode(text)
	if block == nil || block.Type != "CERTIFICATE" {
		return nil
	}
	c, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil
	}
	return c
}
