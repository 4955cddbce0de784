package verify

import (
	"context"
	"slices"

	"wsprovision/provision/config"
	"wsprovision/provision/diagnose/facts"
	"wsprovision/provision/host"
	"wsprovision/provision/nginx/conf"
	"wsprovision/provision/nginx/render"
	"wsprovision/provision/proxy"
	"wsprovision/provision/site"
	"wsprovision/provision/state"
)

// OwnFile is what a diagnosis says of the site's file; nothing where there is no site.
func OwnFile(ctx context.Context, h *host.Host, c config.Config, site *config.Site) facts.Own {
	if site == nil {
		return facts.Own{}
	}
	files, err := installed(ctx, h, c).Render(c.Sites)
	if err != nil {
		return facts.Own{}
	}
	for _, f := range files {
		if f.Name == site.Name+".conf" {
			return facts.Own{Content: f.Content, Flags: OverSomebodys(h, c, *site)}
		}
	}
	return facts.Own{}
}

// installed is what decides how an apply would write the sites here: the version of nginx, IPv6, and whose the default
// servers are.
func installed(ctx context.Context, h *host.Host, c config.Config) render.Installed {
	i := render.Installed{Build: render.EPEL7, IPv6: host.HasIPv6(h)}
	if text, err := h.Nginx.Describe(ctx); err == nil {
		if b, err := render.ParseBuild(text); err == nil && b.Version != render.EPEL7.Version {
			i.Build = b
		}
	}
	ledger, unread := state.ReadLedger(h.Files)
	if unread != nil || !slices.ContainsFunc(c.Sites, func(s config.Site) bool {
		return s.DefaultServer == site.DefaultReject
	}) {
		return i
	}
	tree, _ := conf.Load(h.Root, host.NginxConf, nil)
	i.Defaults = proxy.DefaultsOfOthers(tree, ledger)
	return i
}

// OverSomebodys is the flag without which an apply refuses what lies in place of the site's file.
func OverSomebodys(h *host.Host, c config.Config, site config.Site) []string {
	have, err := h.Files.Read(h.SitePath(site.Name))
	ledger, unread := state.ReadLedger(h.Files)
	if err != nil || unread != nil || have.Content == nil {
		return nil
	}
	now := state.Digest(have.Content)
	switch e, recorded := ledger.Find(state.KindFile, h.SitePath(site.Name)); {
	case !recorded || e.IsTheirs(now):
		return []string{"--adopt"}
	case !e.IsAgents(now) && c.OnDrift == config.DriftFail:
		return []string{"--on-drift", config.DriftReplace}
	}
	return nil
}
