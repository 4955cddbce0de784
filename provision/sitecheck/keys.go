package sitecheck

import (
	"fmt"
	"strings"

	"wsprovision/provision/plaintext"
	"wsprovision/provision/site"
)

// Warnings say which keys let somebody else in.
func Warnings(sites []site.Site) []string {
	var all []string
	for _, s := range sites {
		for _, l := range s.Locations {
			if l.BackendTLS != nil && l.BackendTLS.Unverified {
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

// Notes say what follows from keys, or from their absence, that nobody would look for.
func Notes(sites []site.Site) []string {
	var notes, open []string
	for _, s := range sites {
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
			"those that may, and any that it is meant so", Listed(open)))
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

// Listed names the first of many, and says how many more there are.
func Listed(all []string) string {
	if len(all) > mostNamed {
		return fmt.Sprintf("%s and %d more", strings.Join(all[:mostNamed], ", "), len(all)-mostNamed)
	}
	return strings.Join(all, ", ")
}
