package diagnose

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"wsprovision/provision/nginx"
	"wsprovision/provision/nginx/route"
	"wsprovision/provision/websocket"
)

// upgradedUnasked: nginx, or the backend, upgrades a request that does not ask for it.
func upgradedUnasked(_ context.Context, e *evidence) *Diagnosis {
	if e.Check != "no-upgrade-without-header" {
		return nil
	}
	const cause = "plain HTTP without Upgrade is upgraded all the same"
	if p := passed(e); p != nil {
		f := p.Field("Upgrade")
		if f.Set != nil && !strings.Contains(f.Set.Args[len(f.Set.Args)-1], "$") {
			return diagnosis(UpgradedUnasked, cause+": nginx sends Upgrade whatever the client asks for",
				inFile(e, f.Set.File, f.Set.Line, replaceLine(*f.Set, "proxy_set_header Upgrade $http_upgrade;")),
				e.Err.Error(),
				sentAs(e, f))
		}
	}
	return diagnosis(UpgradedUnasked, cause,
		say("mend the backend, or what sets Upgrade without regard to the request"),
		e.Err.Error())
}

func backendDoesNotEcho(_ context.Context, e *evidence) *Diagnosis {
	var echo *websocket.EchoError
	if !errors.As(e.Err, &echo) {
		return nil
	}
	return diagnosis(BackendNoEcho, "the backend does not send back what it was sent: "+echo.Error(),
		say("look at the backend; one that is not meant to echo needs no mending"), echo.Error())
}

func connectionIsCut(_ context.Context, e *evidence) *Diagnosis {
	var cut *websocket.CloseError
	if !errors.As(e.Err, &cut) || e.Check == Measured {
		return nil
	}
	return diagnosis(BackendCutsMessage, "the connection was cut after the handshake: "+cut.Error(),
		say("the backend's own log says why"), append([]string{cut.Error()}, relevant(e)...)...)
}

func pingIsNotAnswered(_ context.Context, e *evidence) *Diagnosis {
	if e.Check != "ping" {
		return nil
	}
	return diagnosis(BackendNotAnswering, "the backend does not answer a ping: "+e.Err.Error(),
		say("mend the backend: RFC 6455 section 5.5.2 wants a pong"))
}

// slack is how far from a timeout's end a connection may be cut: nginx's
// timers are exact to milliseconds, a busy machine is not.
const slack = 3 * time.Second

// silentConnectionIsCut: nginx cuts a silent WebSocket after proxy_read_timeout.
func silentConnectionIsCut(_ context.Context, e *evidence) *Diagnosis {
	var idle *websocket.IdleError
	if !errors.As(e.Err, &idle) {
		return nil
	}
	limit, d := readTimeout(e)
	logged := lastSaid(ofRequest(e), silentTimeout)
	place := strings.Join(wayOf(e), "; ")
	if d != nil {
		place = fmt.Sprintf("proxy_read_timeout %s in %s:%d", strings.Join(d.Args, " "), d.File, d.Line)
	}
	byNginx := idle.Code == 1006 && (logged != "" || passed(e) != nil && near(idle.After, limit) || !isLocal(e) &&
		near(idle.After, time.Minute))
	if byNginx {
		set := fmt.Sprintf("proxy_read_timeout is %s", limit)
		if d == nil {
			set = "proxy_read_timeout is not set and has its default of 60 s"
		}
		if !isLocal(e) {
			set = "that is the default of nginx's proxy_read_timeout"
		}
		return diagnosis(ProxyReadTimeout, fmt.Sprintf("nginx cuts a silent WebSocket after %.0f s: %s",
			idle.After.Seconds(), set),
			editPassing(e, d, say("set proxy_read_timeout 24h;")), idle.Error(), place, logged)
	}
	return diagnosis(BackendClosesIdle,
		"the backend, or something between it and nginx, closes a silent WebSocket: nginx would wait longer",
		say("raise the backend's idle timeout, or have it send pings"),
		idle.Error(), place, fmt.Sprintf("nginx's proxy_read_timeout there is %s", limit))
}

// unknownName is a name that nobody's server block has (RFC 6761).
const UnknownName = "other-host.wsprovision.invalid"

func near(a, b time.Duration) bool { return a > b-slack && a < b+slack }

// anotherNameIsUpgraded: a name that is nobody's is upgraded, although by the configuration the server block that is to
// answer it is not the site's.
func anotherNameIsUpgraded(_ context.Context, e *evidence) *Diagnosis {
	if e.Check != "other-host" {
		return nil
	}
	if file, _, _ := newest(e); file != "" {
		return nil // nginx runs another configuration than the disk's
	}
	evidence := []string{e.Err.Error()}
	mend := say("have the default server of that address refuse such names (return 444;)")
	unknown := route.Handshake(e.address, e.Target.TLS != nil, UnknownName, pathSent(e), "")
	if s := route.Follow(e.tree, route.Host{Look: route.OnDisk(e.Root)}, unknown).Server; s != nil {
		mend = edit(e, s.File, s.Line,
			say("have the server block refuse such names (return 444;) in place of passing them on,"))
		evidence = append(evidence, fmt.Sprintf("the default server in %s:%d answers them", s.File, s.Line))
	}
	return diagnosis(OtherHostReaches, "a request for another name reaches this site's backend", mend, evidence...)
}

// readTimeout is for how long a WebSocket may be silent, with the directive that says so; 60 s unless set.
func readTimeout(e *evidence) (time.Duration, *nginx.Directive) {
	p := passed(e)
	if p == nil {
		return time.Minute, nil
	}
	d := e.way.End.InForce("proxy_read_timeout")
	if d == nil {
		return time.Minute, nil
	}
	if span, ok := nginx.ParseSpan(strings.Join(d.Args, "")); ok {
		return span, d
	}
	return time.Minute, d
}

// editPassing mends a directive that is in force where the request is passed on, or adds it there.
func editPassing(e *evidence, d *nginx.Directive, what Mend) Mend {
	if d != nil {
		return edit(e, d.File, d.Line, what)
	}
	if p := passed(e); p != nil {
		return edit(e, p.Directive.File, p.Directive.Line, what)
	}
	return what.say(" in nginx's configuration")
}
