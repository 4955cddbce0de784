package proxy

import (
	"fmt"
	"slices"
	"strings"

	"wsprovision/provision/config"
	"wsprovision/provision/engine"
	"wsprovision/provision/nginx/conf"
	"wsprovision/provision/plaintext"
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

func (v *Candidate) sayKeys(f *engine.Finding) {
	f.Notes = append(f.Notes, keyNotes(v.Config, v.Reverting)...)
	f.Warnings = append(f.Warnings, v.keyWarnings()...)
}

// keyWarnings say which keys let somebody else in.
func (v *Candidate) keyWarnings() []string {
	var all []string
	for _, s := range v.Config.Sites {
		for _, l := range s.Locations {
			if l.BackendTLS != nil && l.BackendTLS.Unverified && !v.Reverting {
				all = append(all, s.Name+" "+l.Path+
					": whoever answers for the backend is taken for it, and can read and change what is sent: "+
					"backend_tls.verify is false")
			}
		}
	}
	return all
}

// mostNamed bounds the locations that a note names.
const mostNamed = 5

// keyNotes say what follows from keys, or from their absence, that nobody would look for.
func keyNotes(c config.Config, reverting bool) []string {
	if reverting {
		return nil
	}
	var notes, open []string
	for _, s := range c.Sites {
		for _, l := range s.Locations {
			at := s.Name + " " + l.Path
			if l.WebSocket && len(l.AllowedOrigins) == 0 {
				open = append(open, at)
			}
			notes = append(notes, locationNotes(l, at)...)
		}
	}
	if len(open) > 0 {
		notes = append(notes, fmt.Sprintf("pages of any site can open a WebSocket at %s: allowed_origins names "+
			"those that may, and any that it is meant so", listed(open)))
	}
	return notes
}

func locationNotes(l site.Location, at string) []string {
	var notes []string
	if l.Heartbeat > 0 {
		notes = append(notes, fmt.Sprintf("%s: with a heartbeat of %s a silent connection is closed after %s", at,
			plaintext.Duration(l.Heartbeat), plaintext.Duration(l.ReadTimeout)))
	}
	if l.Snippet != "" {
		notes = append(notes, at+": what the snippet does is not checked, but for its syntax by nginx -t")
	}
	return notes
}

func listed(all []string) string {
	if len(all) > mostNamed {
		return fmt.Sprintf("%s and %d more", strings.Join(all[:mostNamed], ", "), len(all)-mostNamed)
	}
	return strings.Join(all, ", ")
}
