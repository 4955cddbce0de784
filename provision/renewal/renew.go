// Package renewal is for certificates that were renewed: which of them nginx does not serve yet, and the reload that
// mends it.
package renewal

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"wsprovision/provision/certificate"
	"wsprovision/provision/config"
	"wsprovision/provision/engine"
	"wsprovision/provision/host"
	"wsprovision/provision/nginx/conf"
	"wsprovision/provision/nginx/files"
	"wsprovision/provision/nginx/head"
	"wsprovision/provision/nginx/route"
	"wsprovision/provision/proxy"
	"wsprovision/provision/site"
	"wsprovision/provision/sitecheck"
)

// Renewal has nginx read the certificates that were renewed on the disk, and does nothing else: it is what an ACME
// client runs behind a renewal. What has drifted elsewhere it neither looks at nor mends.
type Renewal struct {
	*host.Host
	Config    config.Config
	Candidate *proxy.Candidate
	Unit      *proxy.Unit
	Survey    *proxy.Survey
}

// Check asks the running nginx for each name of a site with TLS at each of its sockets, and compares what it gives with
// the file. Where they differ, the whole configuration has to pass nginx -t before nginx is told.
func (r *Renewal) Check(ctx context.Context) (engine.Finding, error) {
	var f engine.Finding
	if r.Where.Offline() {
		f.Notes = []string{"nginx does not run here: it reads the certificates when it starts"}
		return f, nil
	}
	s, err := r.Unit.State(ctx)
	if err != nil {
		return f, err
	}
	if !s.Running() {
		f.Notes = []string{host.NginxUnit + " does not run: it reads the certificates when it starts"}
		return f, nil
	}
	sites := r.applied(&f)
	err = errors.Join(r.Unit.CheckMaster(ctx, s.State), sitecheck.Certificates(ctx, r.Host, sites, &f))
	if err != nil {
		return f, err
	}
	for _, one := range sites {
		r.compare(ctx, &f, one)
	}
	if len(f.Changes) == 0 || context.Cause(ctx) != nil {
		return f, context.Cause(ctx)
	}
	return f, errors.Join(s.Reloadable(), r.Unit.CheckLogs(), r.Candidate.TestCandidate(ctx, &f, nil))
}

// applied are the sites with TLS whose file on the disk names the certificate.
func (r *Renewal) applied(f *engine.Finding) []site.Site {
	var all []site.Site
	for _, s := range r.Config.Sites {
		switch {
		case s.TLS == nil:
		case r.Unit.NamesCertificate(s):
			all = append(all, s)
		default:
			f.Notes = append(f.Notes, fmt.Sprintf("site %s: %s does not name %s: wsprovision apply brings it", s.Name,
				r.SitePath(s.Name), s.TLS.Certificate))
		}
	}
	if len(all) == 0 {
		f.Notes = append(f.Notes, "no site that nginx has is one with tls: there is nothing to renew")
	}
	return all
}

// compare asks for every name at every socket: which server answers is nginx's choice for each.
func (r *Renewal) compare(ctx context.Context, f *engine.Finding, s site.Site) {
	file := certificate.Host{Root: r.Root}.Chain(ctx, *s.TLS)
	tree, _ := r.Survey.Tree(nil)
	for _, l := range s.Listen {
		for _, name := range s.ServerNames {
			if context.Cause(ctx) != nil {
				return
			}
			name = strings.Replace(name, "*", "wsprovision", 1) // one that a client could send
			if other := r.answersFor(tree, s, l, name); other != "" {
				f.Warnings = append(f.Warnings, fmt.Sprintf("%s at %s is answered by %s, whose certificate is not "+
					"this site's", name, l.Local(), other))
				continue
			}
			sent, err := r.Served(ctx, l.Local(), name, l.ProxyProtocol)
			switch {
			case err != nil:
				f.Changes = append(f.Changes, r.change(s, l, name, "not known: "+err.Error(), file))
			case !certificate.Same(file, sent):
				f.Changes = append(f.Changes, r.change(s, l, name, described(sent), file))
			}
		}
	}
}

func (r *Renewal) change(s site.Site, l site.Listen, name, from string, file []*x509.Certificate) engine.Change {
	return engine.Change{Object: fmt.Sprintf("certificate of %s at %s", name, l.Local()), From: from,
		To: fmt.Sprintf("%s (%s)", described(file), s.TLS.Certificate)}
}

// described is the site's own certificate of a chain.
func described(chain []*x509.Certificate) string {
	if len(chain) == 0 {
		return "none"
	}
	return fmt.Sprintf("serial %x, until %s", chain[0].SerialNumber, chain[0].NotAfter.UTC().Format(time.DateOnly))
}

// answersFor is the file of another server block that nginx chooses for the name, "" where it is the site's, or cannot
// be told.
func (r *Renewal) answersFor(tree conf.Tree, s site.Site, l site.Listen, name string) string {
	at, err := netip.ParseAddrPort(l.Local())
	if err != nil {
		return ""
	}
	request := head.Handshake(at, true, name, "/", "")
	request.Proxied = l.ProxyProtocol
	way := route.Follow(tree, route.Host{Look: files.OnDisk(r.Root)}, request)
	if way.Server == nil || way.Server.File == r.SitePath(s.Name) {
		return ""
	}
	return fmt.Sprintf("%s:%d", way.Server.File, way.Server.Line)
}

// Apply reloads nginx, and proves that it did. Where it does not take the configuration it goes on with the
// certificates that it had.
func (r *Renewal) Apply(ctx context.Context) error {
	s, err := r.Unit.State(ctx)
	if err != nil {
		return err
	}
	units, err := host.Systemd(ctx, r.Host)
	if err != nil {
		return err
	}
	if err := r.Unit.ReloadOnce(ctx, units, s.State.MainPID); err != nil {
		return fmt.Errorf("%w; nginx goes on with the certificates that it had", err)
	}
	return r.Unit.Owed.Settle()
}
