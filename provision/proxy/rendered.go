package proxy

import (
	"context"
	"os"
	"path/filepath"
	"slices"

	"wsprovision/provision/host"
	"wsprovision/provision/managed"
	"wsprovision/provision/nginx/conf"
	"wsprovision/provision/nginx/render"
	"wsprovision/provision/site"
	"wsprovision/provision/state"
)

// rendered are the files of the sites, and what they share.
func (p *Sites) rendered() ([]managed.Want, error) {
	installed := render.Installed{Build: p.build(), IPv6: host.HasIPv6(p.Host)}
	if slices.ContainsFunc(p.Config.Sites, func(s site.Site) bool { return s.DefaultServer == site.DefaultReject }) {
		installed.Defaults = p.foreignDefaults()
	}
	if p.Config.Connections > 0 {
		if err := p.capacity(&installed); err != nil {
			return nil, err
		}
	}
	files, err := installed.Render(p.Config.Sites)
	var all []managed.Want
	for _, f := range files {
		all = append(all, managed.Want{Path: filepath.Join(p.SitesDir(), f.Name), Content: f.Content, Mode: SiteMode})
	}
	return all, err
}

// build is what the installed nginx can, asked once in a survey.
func (p *Sites) build() render.Build {
	m := p.Survey.memory()
	if m.build == nil {
		b := p.Build()
		m.build = &b
	}
	return *m.build
}

func (p *Sites) isOurs(file string) bool {
	_, ours := p.Ledger.Find(state.KindFile, file)
	return ours
}

// foreignDefaults are the sockets that have a default_server in a file of somebody else's. Of a tree that cannot be
// read whole, what was read counts: nginx -t refuses a second one.
func (p *Sites) foreignDefaults() []string {
	tree, _ := p.Survey.Tree(nil)
	return DefaultsOfOthers(tree, p.Ledger)
}

// DefaultsOfOthers are the sockets whose default_server is in a file that is not the agent's.
func DefaultsOfOthers(tree conf.Tree, ledger *state.Ledger) []string {
	var all []string
	for _, s := range tree.Servers() {
		if _, ours := ledger.Find(state.KindFile, s.File); ours {
			continue
		}
		for _, l := range s.Listen {
			if l.Default && l.Unix == "" && !l.UDP {
				all = append(all, site.Listen{Address: l.Address, Port: l.Port}.Socket())
			}
		}
	}
	return all
}

// BuildOf is what the installed nginx can. EPEL 7's last is known by its version in rpm; another is asked. One that is
// not there yet, or does not answer, which nginx -t tells of, counts as EPEL 7's.
func BuildOf(ctx context.Context, h *host.Host, version func(context.Context) string) render.Build {
	if _, err := os.Stat(h.Root + h.Nginx.Program); err != nil ||
		version(ctx) == render.EPEL7.Version.String() {
		return render.EPEL7
	}
	text, err := h.Nginx.Describe(ctx)
	if err != nil {
		return render.EPEL7
	}
	b, err := render.ParseBuild(text)
	if err != nil {
		return render.EPEL7
	}
	return b
}
