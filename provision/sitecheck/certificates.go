package sitecheck

import (
	"context"
	"fmt"
	"time"

	multierror "github.com/hashicorp/go-multierror"

	"wsprovision/provision/certificate"
	"wsprovision/provision/engine"
	"wsprovision/provision/host"
	"wsprovision/provision/plaintext"
	"wsprovision/provision/site"
)

// Certificates refuses what nginx could not load of a site's certificate, and warns of what clients would not take.
// Who is not root cannot read keys.
func Certificates(ctx context.Context, h *host.Host, sites []site.Site, f *engine.Finding) error {
	judge := certificate.Host{Root: h.Root, Now: time.Now()}
	if roots, _, err := host.ReadAuthorities(ctx, h.Root+site.SystemCA); err == nil {
		judge.Roots = roots
	}
	var all *multierror.Error
	for _, s := range sites {
		if s.TLS == nil {
			continue
		}
		for _, found := range judge.Check(ctx, *s.TLS, s.ServerNames) {
			if found.Fatal {
				all = multierror.Append(all, fmt.Errorf("site %s: %s", s.Name, found))
			} else {
				f.Warnings = append(f.Warnings, fmt.Sprintf("site %s: %s", s.Name, found))
			}
		}
		all = multierror.Append(all, unreadableByLabel(h, s)...)
	}
	return engine.Lines(all)
}

// unreadableByLabel are the files of a site that the policy keeps from nginx: nginx -t, which runs unconfined, reads
// them all.
func unreadableByLabel(h *host.Host, s site.Site) []error {
	var all []error
	for _, path := range []string{s.TLS.Certificate, s.TLS.Key, s.TLS.ClientCA} {
		label, kept := keptByLabel(h, path, "file", "read")
		if !kept {
			continue
		}
		all = append(all, fmt.Errorf("site %s: SELinux keeps nginx from reading %s (%s), although nginx -t as root "+
			"reads it: keep it below /etc/pki/tls, or give it a label that nginx reads: %s", s.Name, path, label,
			plaintext.Command([]string{"chcon", "-t", "cert_t", path})))
	}
	return all
}
