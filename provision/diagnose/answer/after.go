package answer

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"wsprovision/provision/diagnose/cause"
	"wsprovision/provision/diagnose/facts"
	"wsprovision/provision/nginx/conf"
	"wsprovision/provision/nginx/files"
	"wsprovision/provision/nginx/head"
	"wsprovision/provision/nginx/route"
	"wsprovision/provision/plaintext"
	"wsprovision/provision/websocket"
)

// UpgradedUnasked: nginx, or the backend, upgrades a request that does not ask for it.
func UpgradedUnasked(_ context.Context, e *facts.Evidence) *cause.Diagnosis {
	if e.Check != "no-upgrade-without-header" {
		return nil
	}
	const why = "plain HTTP without Upgrade is upgraded all the same"
	if p := facts.Passed(e); p != nil {
		f := p.Field("Upgrade")
		if f.Set != nil && !strings.Contains(f.Set.Args[len(f.Set.Args)-1], "$") {
			return cause.New(cause.UpgradedUnasked, why+": nginx sends Upgrade whatever the client asks for",
				facts.InFile(e, f.Set.File, f.Set.Line,
					facts.ReplaceLine(*f.Set, "proxy_set_header Upgrade $http_upgrade;")),
				e.Err.Error(),
				facts.SentAs(e, f))
		}
	}
	return cause.New(cause.UpgradedUnasked, why,
		cause.Say("mend the backend, or what sets Upgrade without regard to the request"),
		e.Err.Error())
}

// BackendDoesNotEcho: the backend answers a message, and not with the same.
func BackendDoesNotEcho(_ context.Context, e *facts.Evidence) *cause.Diagnosis {
	var echo *websocket.EchoError
	if !errors.As(e.Err, &echo) {
		return nil
	}
	return cause.New(cause.BackendNoEcho, "the backend does not send back what it was sent: "+echo.Error(),
		cause.Say("look at the backend; one that is not meant to echo needs no mending"), echo.Error())
}

// ConnectionIsCut: the connection ends while messages are exchanged.
func ConnectionIsCut(_ context.Context, e *facts.Evidence) *cause.Diagnosis {
	var cut *websocket.CloseError
	if !errors.As(e.Err, &cut) || e.Check == facts.Measured {
		return nil
	}
	return cause.New(cause.BackendCutsMessage, "the connection was cut after the handshake: "+cut.Error(),
		cause.Say("the backend's own log says why"), append([]string{cut.Error()}, facts.Relevant(e)...)...)
}

// PingIsNotAnswered: no pong comes for a ping (RFC 6455 section 5.5.3).
func PingIsNotAnswered(_ context.Context, e *facts.Evidence) *cause.Diagnosis {
	if e.Check != "ping" {
		return nil
	}
	return cause.New(cause.BackendNotAnswering, "the backend does not answer a ping: "+e.Err.Error(),
		cause.Say("mend the backend: RFC 6455 section 5.5.2 wants a pong"))
}

// slack is how far from a timeout's end a connection may be cut: nginx's
// timers are exact to milliseconds, a busy machine is not.
const slack = 3 * time.Second

// SilentConnectionIsCut: nginx cuts a silent WebSocket after proxy_read_timeout.
func SilentConnectionIsCut(ctx context.Context, e *facts.Evidence) *cause.Diagnosis {
	var idle *websocket.IdleError
	if !errors.As(e.Err, &idle) {
		return nil
	}
	limit, d := facts.ReadTimeout(e)
	for inner := facts.Inner(ctx, e); inner != nil && !facts.Circle(ctx, inner); inner = facts.Inner(ctx, inner) {
		if l, by := facts.ReadTimeout(inner); l < limit {
			limit, d = l, by
		}
	}
	logged := facts.LastSaid(facts.OfRequest(e), facts.SilentTimeout)
	place := strings.Join(facts.WayOf(e), "; ")
	if d != nil {
		place = fmt.Sprintf("proxy_read_timeout %s in %s:%d", strings.Join(d.Args, " "), d.File, d.Line)
	}
	byNginx := idle.Code == 1006 && (logged != "" || facts.Passed(e) != nil && near(idle.After, limit) ||
		!facts.IsLocal(e) &&
			near(idle.After, time.Minute))
	if byNginx {
		set := fmt.Sprintf("proxy_read_timeout is %s", plaintext.Duration(limit))
		if d == nil {
			set = "proxy_read_timeout is not set and has its default of 60 s"
		}
		if !facts.IsLocal(e) {
			set = "that is the default of nginx's proxy_read_timeout"
		}
		return cause.New(cause.ProxyReadTimeout, fmt.Sprintf("nginx cuts a silent WebSocket after %.0f s: %s",
			idle.After.Seconds(), set),
			editPassing(e, d, cause.Say("set proxy_read_timeout 24h;")), idle.Error(), place, logged)
	}
	return cause.New(cause.BackendClosesIdle,
		"the backend, or something between it and nginx, closes a silent WebSocket: nginx would wait longer",
		cause.Say("raise the backend's idle timeout, or have it send pings"),
		idle.Error(), place, fmt.Sprintf("nginx's proxy_read_timeout there is %s", plaintext.Duration(limit)))
}

func near(a, b time.Duration) bool { return a > b-slack && a < b+slack }

// AnotherNameIsUpgraded: a name that is nobody's is upgraded, although by the configuration the server block that is to
// answer it is not the site's.
func AnotherNameIsUpgraded(_ context.Context, e *facts.Evidence) *cause.Diagnosis {
	if e.Check != "other-host" {
		return nil
	}
	if file, _, _ := facts.Newest(e); file != "" {
		return nil // nginx runs another configuration than the disk's
	}
	evidence := []string{e.Err.Error()}
	mend := cause.Say("have the default server of that address refuse such names (return 444;)")
	unknown := head.Handshake(e.Address, e.Target.TLS != nil, facts.UnknownName, facts.PathSent(e), "")
	if s := route.Follow(e.Tree, route.Host{Look: files.OnDisk(e.Root)}, unknown).Server; s != nil {
		mend = facts.Edit(e, s.File, s.Line,
			cause.Say("have the server block refuse such names (return 444;) in place of passing them on,"))
		evidence = append(evidence, fmt.Sprintf("the default server in %s:%d answers them", s.File, s.Line))
	}
	return cause.New(cause.OtherHostReaches, "a request for another name reaches this site's backend", mend,
		evidence...)
}

// editPassing mends a directive that is in force where the request is passed on, or adds it there.
func editPassing(e *facts.Evidence, d *conf.Directive, what cause.Mend) cause.Mend {
	if d != nil {
		return facts.Edit(e, d.File, d.Line, what)
	}
	if p := facts.Passed(e); p != nil {
		return facts.Edit(e, p.Directive.File, p.Directive.Line, what)
	}
	return what.Say(" in nginx's configuration")
}
