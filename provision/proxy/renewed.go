package proxy

import (
	"bytes"
	"context"

	"wsprovision/provision/certificate"
	"wsprovision/provision/site"
)

// renewed are the files of certificates that nginx has read in an older form: it serves others than they hold. What is
// still to be written it does not serve at all, and a reload that is owed brings them anyway.
func (n *Unit) renewed(ctx context.Context, s ServiceState) []string {
	if n.Where.Offline() || n.Managed.Reverting || !s.Running() || s.Owed || n.Differs() {
		return nil
	}
	var all []string
	asked := map[string]bool{}
	for _, one := range n.Config.Sites {
		if one.TLS == nil || asked[one.TLS.Certificate] || context.Cause(ctx) != nil || !n.NamesCertificate(one) {
			continue
		}
		asked[one.TLS.Certificate] = true
		if n.servesAnother(ctx, one) {
			all = append(all, one.TLS.Certificate)
		}
	}
	return all
}

// NamesCertificate: the site's file is there and has the certificate, which an edit may have taken away.
func (n *Unit) NamesCertificate(s site.Site) bool {
	have, err := n.Files.Read(n.SitePath(s.Name))
	return err == nil && bytes.Contains(have.Content, []byte("\n    ssl_certificate "+s.TLS.Certificate+";\n"))
}

// servesAnother asks nginx by the site's own name. Where nobody answers, or nginx could not load the file, that is told
// elsewhere.
func (n *Unit) servesAnother(ctx context.Context, s site.Site) bool {
	judge := certificate.Host{Root: n.Root}
	file := judge.Chain(ctx, *s.TLS)
	if len(file) == 0 {
		return false
	}
	l := s.Listen[0]
	sent, err := n.Served(ctx, l.Local(), s.ClientName(), l.ProxyProtocol)
	return err == nil && !certificate.Same(file, sent)
}
