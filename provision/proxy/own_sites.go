package proxy

import (
	"fmt"
	"slices"
	"strings"

	"wsprovision/provision/engine"
	"wsprovision/provision/nginx/conf"
	"wsprovision/provision/site"
)

// sayDefault tells where the site becomes the one that answers every unknown
// Host, as the first server of a port does where no default_server is named
// (EPEL's nginx.conf from 1.20.1 on). Where a block of somebody else's loses
// them, a warning has said so.
func (v *Candidate) sayDefault(f *engine.Finding, tree conf.Tree, s site.Site) {
	for _, l := range s.Sockets() {
		if by, ok := tree.DefaultServer(l); ok && by.File == v.SitePath(s.Name) {
			f.Notes = append(f.Notes,
				fmt.Sprintf("%s is the default server on %s: it answers requests for any other name too", s.Name, l))
		}
	}
}

// ours tells the files of the sites and of what they share.
func (v *Candidate) ours(file string) bool {
	name, inFolder := strings.CutPrefix(file, v.SitesDir()+"/")
	return inFolder && (strings.HasPrefix(name, "_wsprovision") || slices.ContainsFunc(v.Config.Sites,
		func(s site.Site) bool { return s.Name+".conf" == name }))
}
