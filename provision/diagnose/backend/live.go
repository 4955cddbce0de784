package backend

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"wsprovision/provision/diagnose/cause"
	"wsprovision/provision/diagnose/facts"
	"wsprovision/provision/lazy"
	"wsprovision/provision/nginx/conf"
)

// noneLive is nginx's word where it may ask no server of a group (ngx_http_upstream_connect).
var noneLive = lazy.Regexp(`^no live upstreams while connecting to upstream$`)

// EveryServerIsDown: the configuration says down of each server of the group.
func EveryServerIsDown(_ context.Context, e *facts.Evidence) *cause.Diagnosis {
	l, p := facts.Failing(e), facts.Passed(e)
	if l == nil || p == nil || !noneLive().MatchString(l.Message) || p.Upstream == "" || len(p.Backends) > 0 {
		return nil
	}
	d := serverWith(e, p.Upstream, "down")
	if d == nil {
		return nil
	}
	return cause.New(cause.BackendUnreachable,
		fmt.Sprintf("every server of the group %s is marked down in nginx's configuration", p.Upstream),
		cause.Say("take down out of ").Name(facts.Written(*d)).Say(" in ").Line(d.File, d.Line).Say(facts.ThenReload),
		l.Text, facts.PassedBy(p))
}

// serverWith is the first server of a group that has the parameter; nil for none.
func serverWith(e *facts.Evidence, group, parameter string) *conf.Directive {
	for _, s := range serversOf(e, group) {
		if slices.Contains(s.Args, parameter) {
			return &s
		}
	}
	return nil
}

// serversOf are the lines of a group that name its servers.
func serversOf(e *facts.Evidence, group string) (all []conf.Directive) {
	for _, d := range e.Tree.Section() {
		if d.Name != "upstream" || len(d.Args) != 1 || !strings.EqualFold(d.Args[0], group) {
			continue
		}
		for _, s := range d.Body {
			if s.Name == "server" && len(s.Args) > 0 {
				all = append(all, s)
			}
		}
	}
	return all
}

// ServersAreLeftOut: nginx asks none of a group's servers, because each has failed before (max_fails) or has as many
// connections as max_conns lets it have, and a server of it is well by now.
func ServersAreLeftOut(ctx context.Context, e *facts.Evidence) *cause.Diagnosis {
	l, p := facts.Failing(e), facts.Passed(e)
	if l == nil || p == nil || !noneLive().MatchString(l.Message) {
		return nil
	}
	b := facts.Accepting(ctx, e, true)
	if b == "" {
		return nil
	}
	evidence := append([]string{l.Text, facts.PassedBy(p)}, e.Asked.Told()...)
	if limited := limitedServers(e, p.Upstream); len(limited) > 0 {
		return limitedOrFailed(e, p.Upstream, b, limited, evidence)
	}
	return cause.New(cause.BackendUnreachable, fmt.Sprintf("nginx asks no server of the group %s: each has failed "+
		"within its fail_timeout (10 s unless set), and %s takes the handshake by now", p.Upstream, b),
		facts.Reload().Note("or wait for the fail_timeout to pass"), evidence...)
}

// limitedServer is a server's line with max_conns, and the most connections to its port that were seen.
type limitedServer struct {
	conf.Directive
	limit, seen int
}

func (s limitedServer) String() string {
	return fmt.Sprintf("%d connections to %s were seen, max_conns lets it have %d", s.seen, s.Args[0], s.limit)
}

// limitedServers are those that max_conns limits; 0 is no limit (ngx_http_upstream_module).
func limitedServers(e *facts.Evidence, group string) (all []limitedServer) {
	for _, s := range serversOf(e, group) {
		for _, arg := range s.Args[1:] {
			text, has := strings.CutPrefix(arg, "max_conns=")
			if limit, err := strconv.Atoi(text); has && err == nil && limit > 0 {
				all = append(all, limitedServer{s, limit, connectionsTo(e, facts.PortOf(s.Args[0]))})
			}
		}
	}
	return all
}

// connectionsTo is the most that was seen of connections from this host to a port.
func connectionsTo(e *facts.Evidence, port int) int {
	before, now := e.Peak.Ports[uint16(port)], facts.PortsTo(e.Sockets)[uint16(port)]
	return max(before.Taken-before.Waiting, now.Taken-now.Waiting)
}

// limitedOrFailed names max_conns only where as many connections were seen. Who has failed before the check began has
// no line among those that are read, so that else no cause is named.
func limitedOrFailed(e *facts.Evidence, group, well string, limited []limitedServer,
	evidence []string) *cause.Diagnosis {
	for _, s := range limited {
		evidence = append(evidence, s.String())
	}
	for _, s := range limited {
		if s.seen >= s.limit {
			return cause.New(cause.LimitedByNginx,
				fmt.Sprintf("nginx asks no server of the group %s: max_conns lets no more than %d connections to %s, "+
					"%d were seen, and %s takes the handshake", group, s.limit, s.Args[0], s.seen, well),
				cause.Say("raise max_conns in ").Name(facts.Written(s.Directive)).Say(" in ").Line(s.File, s.Line).
					Say(", or take it out").Say(facts.ThenReload), evidence...)
		}
	}
	return cause.New(cause.BackendUnreachable, fmt.Sprintf("nginx asks no server of the group %s, and %s takes the "+
		"handshake: fewer connections were seen than max_conns lets it have, and whether a server has failed within "+
		"its fail_timeout is not known", group, well),
		cause.Say("look for connect() failed and for upstream timed out in nginx's error log, before this"),
		evidence...)
}
