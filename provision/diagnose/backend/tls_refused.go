package backend

import (
	"wsprovision/provision/nginx/outcome"
	"wsprovision/provision/websocket/handshake"

	"context"
	"crypto/tls"
	"fmt"
	"net"
	"slices"
	"strings"

	"wsprovision/provision/diagnose/cause"
	"wsprovision/provision/diagnose/facts"
	"wsprovision/provision/host"
	"wsprovision/provision/lazy"
	"wsprovision/provision/nginx"
)

// What nginx says of TLS with a backend (ngx_http_upstream_ssl_handshake).
var (
	verifyFailed    = lazy.Regexp(`^upstream SSL certificate (verify error: \((\d+):(.*)\)|does not match ".*")`)
	handshakeFailed = lazy.Regexp(`^(?:SSL_do_handshake|SSL_read)\(\) failed \(SSL: (.*)\) while ` +
		`(?:SSL handshaking to|reading response header from) upstream$`)
	// otherVersion is OpenSSL's word, 1.0 to 3.0, on two that have no version in common.
	otherVersion = lazy.Regexp(`alert protocol version|unsupported protocol|no protocols available|` +
		`wrong ssl version`)
)

// BackendsTLSFails: TLS with the backend does not come about.
func BackendsTLSFails(ctx context.Context, e *facts.Evidence) *cause.Diagnosis {
	l, p := facts.Failing(e), facts.Passed(e)
	if l == nil || p == nil || p.Scheme != "https" {
		return nil
	}
	if m := verifyFailed().FindStringSubmatch(l.Message); m != nil {
		return distrusted(ctx, e, p, *l, m[2])
	}
	m := handshakeFailed().FindStringSubmatch(l.Message)
	if m == nil {
		return nil
	}
	seen := talk(ctx, e, "")
	switch {
	case otherVersion().MatchString(m[1]):
		return otherVersions(e, p, *l, seen)
	case seen.wantsCertificate && e.Way.End.InForce("proxy_ssl_certificate") == nil:
		return tlsRefused(e, p, *l, "the backend wants a certificate of its client, and nginx shows none",
			cause.Say("add proxy_ssl_certificate and proxy_ssl_certificate_key, with a certificate that the backend "+
				"takes,"), seen)
	case e.Way.End.InForce("proxy_ssl_server_name") == nil && !seen.isTLS:
		return nameless(ctx, e, p, *l)
	}
	return nil
}

// tlsRefused is a mend of the place that passes the request on.
func tlsRefused(e *facts.Evidence, p *outcome.Pass, l nginx.ErrorLine, why string, mend cause.Mend,
	seen conversation) *cause.Diagnosis {
	d := p.Directive
	return cause.New(cause.BackendTLSRefused, why, facts.InFile(e, d.File, d.Line, mend.Say(" in ").Line(d.File,
		d.Line)),
		l.Text, facts.PassedBy(p), seen.String())
}

func otherVersions(e *facts.Evidence, p *outcome.Pass, l nginx.ErrorLine, seen conversation) *cause.Diagnosis {
	const versions = "proxy_ssl_protocols TLSv1.2 TLSv1.3;"
	const why = "nginx and the backend have no version of TLS in common (proxy_ssl_protocols, which has no TLSv1.3 " +
		"unless set, before 1.23.4)"
	if d := e.Way.End.InForce("proxy_ssl_protocols"); d != nil {
		return cause.New(cause.BackendTLSRefused, why, facts.InFile(e, d.File, d.Line, facts.ReplaceLine(*d, versions)),
			l.Text, facts.PassedBy(p), seen.String())
	}
	return tlsRefused(e, p, l, why, cause.Say("add "+versions), seen)
}

// nameless: with the name in it the backend takes the TLS handshake, and without it does not.
func nameless(ctx context.Context, e *facts.Evidence, p *outcome.Pass, l nginx.ErrorLine) *cause.Diagnosis {
	name, _, _ := strings.Cut(facts.HostSent(e), ":")
	for _, name := range []string{name, hostOf(p)} {
		if name == "" || net.ParseIP(name) != nil {
			continue
		}
		if seen := talk(ctx, e, name); seen.isTLS {
			return tlsRefused(e, p, l, "the backend refuses nginx's TLS handshake, in which no name is: "+
				"proxy_ssl_server_name is off", cause.Say("add proxy_ssl_server_name on; and proxy_ssl_name ").
				Name(name).
				Say(";"), seen)
		}
	}
	return nil
}

func hostOf(p *outcome.Pass) string {
	if len(p.Backends) == 0 {
		return ""
	}
	name, _, _ := net.SplitHostPort(p.Backends[0])
	return name
}

// distrusted: nginx verifies the backend's certificate, and does not take it.
func distrusted(ctx context.Context, e *facts.Evidence, p *outcome.Pass, l nginx.ErrorLine,
	number string) *cause.Diagnosis {
	seen := talk(ctx, e, "")
	why, mend := "nginx does not trust the backend's certificate (proxy_ssl_verify)",
		cause.Say("put the certificate of the authority that signed the backend's into the file of "+
			"proxy_ssl_trusted_certificate").
			Say(facts.ThenReload)
	switch {
	case number == "": // does not match
		why = "the backend's certificate has another name than nginx asks for (proxy_ssl_verify, proxy_ssl_name): " +
			strings.Join(seen.names, " ")
		mend = cause.Say("add proxy_ssl_name with the name in the certificate")
		if len(seen.names) > 0 {
			mend = cause.Say("add proxy_ssl_name ").Name(seen.names[0]).Say(";")
		}
		mend = mend.Say(" in ").Line(p.Directive.File, p.Directive.Line).Say(facts.ThenReload)
	case number == "10": // X509_V_ERR_CERT_HAS_EXPIRED (x509_vfy.h)
		why = "the backend's certificate is out of date, and nginx verifies it (proxy_ssl_verify)"
		mend = cause.Say("renew the backend's certificate, and restart the backend")
	}
	if d := e.Way.End.InForce("proxy_ssl_verify"); d != nil {
		mend = mend.Say("; or take proxy_ssl_verify out of ").Line(d.File, d.Line).Say(facts.ThenReload)
	}
	return cause.New(cause.BackendTLSRefused, why, mend, l.Text, facts.PassedBy(p), seen.String())
}

// conversation is what a backend shows in a TLS handshake of the agent's own.
type conversation struct {
	isTLS, wantsCertificate bool
	version                 string
	names                   []string
	err                     error
}

func (c conversation) String() string {
	switch {
	case c.err != nil && c.wantsCertificate:
		return "asked directly, it wants a certificate: " + c.err.Error()
	case c.err != nil && !c.isTLS:
		return "asked directly: " + c.err.Error()
	case c.isTLS:
		return fmt.Sprintf("asked directly, it speaks %s with a certificate for %s", c.version,
			strings.Join(c.names, " "))
	}
	return ""
}

// talk asks the first backend, with that name in the handshake; "" is none.
func talk(ctx context.Context, e *facts.Evidence, name string) (c conversation) {
	all := facts.Backends(e)
	if len(all) == 0 || !strings.HasPrefix(e.Way.End.Pass.Scheme, "https") {
		return c
	}
	t := facts.AsNginx(e, all[0])
	t.TLS = host.LocalTLS()
	t.TLS.ServerName = "127.0.0.1" // an address is not sent (RFC 6066, section 3)
	if name != "" {
		t.TLS.ServerName = name
	}
	t.TLS.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
		c.wantsCertificate = true
		return &tls.Certificate{}, nil
	}
	var hs handshake.Result
	hs, c.err = e.Probe(ctx, t)
	if hs.TLS != nil {
		c.version, c.isTLS = hs.TLS.Version, hs.TLS.Version != ""
		for _, one := range hs.TLS.Chain[:min(1, len(hs.TLS.Chain))] {
			c.names = slices.Clone(one.Names)
		}
	}
	return c
}
