package proxy

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"wsprovision/provision/site"
	"wsprovision/provision/sitecheck"
)

// outdated is a file of authorities that was changed since nginx read it. What nginx has of it nothing that it serves
// shows: the times are the evidence.
type outdated struct {
	path          string
	changed, read time.Time
}

func (o outdated) String() string {
	return fmt.Sprintf("%s as it was before %s (nginx read it at %s)", o.path, o.changed.Format(time.DateTime),
		o.read.Format(time.DateTime))
}

// olderText says what nginx runs with.
func (s ServiceState) olderText() string {
	var all []string
	if len(s.Renewed) > 0 {
		all = append(all, "other certificates than those in "+sitecheck.Listed(s.Renewed))
	}
	for _, o := range s.Outdated {
		all = append(all, o.String())
	}
	return strings.Join(all, "; ")
}

// outdated are those of the sites' files. One whose time is still to come is not judged: the clock was set back since,
// and a reload would be followed by another at each apply until then.
func (n *Unit) outdated(ctx context.Context, s ServiceState) (all []outdated) {
	if n.Where.Offline() || n.Managed.Reverting || !s.Running() || s.Owed || n.Differs() {
		return nil
	}
	files := n.authorities()
	if len(files) == 0 || context.Cause(ctx) != nil {
		return nil
	}
	read, known := n.readAt(ctx, s)
	for _, path := range files {
		changed, err := n.LastChanged(n.Root + path)
		if known && err == nil && !changed.Before(read) && !changed.After(time.Now()) {
			all = append(all, outdated{path, changed, read})
		}
	}
	return all
}

// authorities are the files that nginx reads for its sites when it is started or reloaded, and never shows.
func (n *Unit) authorities() (all []string) {
	for _, s := range n.Config.Sites {
		for _, path := range authorities(s) {
			if !slices.Contains(all, path) && n.names(s, path) {
				all = append(all, path)
			}
		}
	}
	return all
}

// authorities are those of a site.
func authorities(s site.Site) (all []string) {
	if s.TLS != nil && s.TLS.ClientCA != "" {
		all = append(all, s.TLS.ClientCA)
	}
	for _, l := range s.Locations {
		if trust := l.Trust(); l.HTTPS() && !trust.Unverified {
			all = append(all, trust.CA)
		}
	}
	return all
}

// names: the site's file is there and names the other one, which an edit may have taken away.
func (n *Unit) names(s site.Site, path string) bool {
	have, err := n.Files.Read(n.SitePath(s.Name))
	return err == nil && bytes.Contains(have.Content, []byte(" "+path+";\n"))
}

// tick is the unit of a process's start: USER_HZ, 100 a second on every architecture of RHEL.
const tick = 10 * time.Millisecond

// readAt is when the oldest worker that takes connections began: the master has read the configuration before. One that
// is younger may have come in the place of one that died, without a new reading.
func (n *Unit) readAt(ctx context.Context, s ServiceState) (at time.Time, known bool) {
	m, err := n.Nginx.Master(ctx, s.State.MainPID)
	boot, bootErr := n.BootTime()
	if err != nil || bootErr != nil {
		return at, false
	}
	var start uint64
	for _, w := range m.Workers {
		if !w.ShuttingDown && (start == 0 || w.Start < start) {
			start = w.Start
		}
	}
	return boot.Add(time.Duration(start) * tick), start > 0
}
