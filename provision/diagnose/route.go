package diagnose

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"wsprovision/provision/host"
	"wsprovision/provision/websocket"
)

// routed: which server block and location took the request, by nginx's own
// rules, where that is not the one that should.
func (q *inquiry) routed(context.Context) *Diagnosis {
	var silent *websocket.ResponseError
	if !q.local() || q.treeErr != nil || q.gone != nil || q.status() == nil && !errors.As(q.Err, &silent) {
		return nil
	}
	s := q.route.Server
	switch {
	case s == nil:
		return q.unrouted()
	case q.Site != nil && !q.ours(s.File):
		return q.shadowed()
	case q.route.Location == nil:
		return q.noLocation()
	case q.passed || q.route.Value("proxy_pass") != nil:
		return nil
	case q.Site == nil && !q.route.ByName:
		return q.nobodysName()
	}
	return q.noLocation()
}

// unrouted: something answers where the configuration has no listener.
func (q *inquiry) unrouted() *Diagnosis {
	if file, _, _ := q.newest(); file != "" {
		return nil // older says it
	}
	return q.noListener()
}

func (q *inquiry) noLocation() *Diagnosis {
	path := q.Target.Path
	what := fmt.Sprintf("nginx passes nothing to a backend under %s: no location with proxy_pass matches it", path)
	mend := say("ask for a path that is configured, or add a location for ").name(path)
	if q.Location != nil {
		mend = q.applyCommand()
	}
	return diagnosis(PathNotFound, what, mend, q.place())
}

// shadowed: the site's own block is not the one that answers.
func (q *inquiry) shadowed() *Diagnosis {
	if d := q.notIncluded(); d != nil {
		return d
	}
	s, l := q.route.Server, q.route.Listen
	theirs := fmt.Sprintf("%s:%d", s.File, s.Line)
	if !q.listensHere() {
		if d := q.otherFamily(); d != nil {
			return d
		}
		return diagnosis(ShadowedListen,
			fmt.Sprintf("the server block in %s listens on %s itself, so that what comes to that address never "+
				"reaches %s", theirs, q.address, host.SitePath(q.Site.Name)),
			say("give the site that address too (key listen) or take it from ").line(s.File, l.Line).
				say("; then nginx -t && systemctl reload nginx"), "listen in "+fmt.Sprintf("%s:%d", s.File, l.Line))
	}
	if q.route.ByName {
		return diagnosis(ShadowedServerName,
			fmt.Sprintf("another server block has the name %s on the same address, and comes first: nginx ignores "+
				"the one in %s", q.host(), host.SitePath(q.Site.Name)),
			say("take the name out of ").line(s.File, s.Line).say(thenReload),
			fmt.Sprintf("server_name in the block at %s", theirs))
	}
	return q.nobodysName()
}

// nobodysName: the request fell to the default server.
func (q *inquiry) nobodysName() *Diagnosis {
	s := q.route.Server
	why := "it comes first"
	if q.route.Listen.Default {
		why = "it has default_server"
	}
	mend := say("use one of the names in server_name, or add ").name(q.host()).say(" to the site's")
	if q.Site != nil {
		mend = q.applyCommand()
	}
	evidence := []string{fmt.Sprintf("server block in %s:%d", s.File, s.Line)}
	for _, other := range q.tree.Servers() {
		if q.ours(other.File) {
			evidence = append(evidence, fmt.Sprintf("server_name in %s:%d: %q", other.File, other.Line, other.Names))
		}
	}
	return diagnosis(ShadowedDefault,
		fmt.Sprintf("no server block on %s has the name %s, so that the default server answers (%s)", q.address,
			q.host(), why), mend, evidence...)
}

// notIncluded: the site's file is there, or should be, and nginx does not read it.
func (q *inquiry) notIncluded() *Diagnosis {
	if q.Site == nil || q.treeErr != nil || q.tree.Included(host.SitePath(q.Site.Name)) {
		return nil
	}
	path := host.SitePath(q.Site.Name)
	if have, err := q.Files.Read(path); err == nil && have.Content == nil {
		return diagnosis(NotIncluded, fmt.Sprintf("the site's file %s is not there", path), q.applyCommand(),
			q.filesRead())
	}
	return diagnosis(NotIncluded, fmt.Sprintf("%s is not included by %s", path, host.NginxConf),
		say("add \"include "+host.ConfDir+"/*.conf;\" to the http block of "+host.NginxConf).say(thenReload), q.filesRead())
}

// filesRead are the files that nginx's configuration consists of.
func (q *inquiry) filesRead() string {
	var names []string
	for _, f := range q.tree.Files() {
		names = append(names, f.Path)
	}
	if len(names) > 10 {
		names = append(names[:10], "…")
	}
	return "nginx reads " + strings.Join(names, " ")
}

// listensHere reports whether the site's block shares the socket that took the request.
func (q *inquiry) listensHere() bool {
	want, ok := socketOf(q.route.Listen)
	if !ok {
		return false
	}
	for _, s := range q.tree.Servers() {
		for _, l := range s.Listen {
			if a, ok := socketOf(l); ok && q.ours(s.File) && a == want {
				return true
			}
		}
	}
	return false
}
