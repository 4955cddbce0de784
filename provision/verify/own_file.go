package verify

import (
	"wsprovision/provision/config"
	"wsprovision/provision/diagnose/facts"
	"wsprovision/provision/host"
	"wsprovision/provision/nginx/render"
	"wsprovision/provision/state"
)

// OwnFile is what a diagnosis says of the site's file; nothing where there is no site.
func OwnFile(h *host.Host, c config.Config, site *config.Site) facts.Own {
	if site == nil {
		return facts.Own{}
	}
	content, err := render.Alone(*site)
	if err != nil {
		return facts.Own{}
	}
	return facts.Own{Content: content, Flags: OverSomebodys(h, c, *site)}
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
