package diagnose

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"wsprovision/provision/nginx"
	"wsprovision/provision/websocket"
)

// afterwards: the handshake went well, and something that followed did not.
func (q *inquiry) afterwards(ctx context.Context) *Diagnosis {
	var idle *websocket.IdleError
	var echo *websocket.EchoError
	var cut *websocket.CloseError
	switch {
	case errors.As(q.Err, &idle):
		return q.idleCut(idle)
	case q.Check == "other-host":
		return q.everybody(ctx)
	case q.Check == "no-upgrade-without-header":
		return diagnosis(UpgradedUnasked, "plain HTTP without Upgrade is upgraded all the same",
			say("mend the backend, or what sets Upgrade without regard to the request"), q.Err.Error(), q.place())
	case errors.As(q.Err, &echo):
		return diagnosis(BackendNoEcho, "the backend does not send back what it was sent: "+echo.Error(),
			say("look at the backend; one that is not meant to echo needs no mending"), echo.Error())
	case errors.As(q.Err, &cut):
		return diagnosis(BackendCutsMessage, "the connection was cut after the handshake: "+cut.Error(),
			say("the backend's own log says why"), append([]string{cut.Error()}, q.relevant()...)...)
	case q.Check == "ping":
		return diagnosis(BackendNotAnswering, "the backend does not answer a ping: "+q.Err.Error(),
			say("mend the backend: RFC 6455 section 5.5.2 wants a pong"))
	}
	var silent *websocket.ResponseError
	if errors.As(q.Err, &silent) && q.local() && q.gone == nil {
		return q.silence(silent)
	}
	return nil
}

// silence: a connection was taken and nothing came.
func (q *inquiry) silence(silent *websocket.ResponseError) *Diagnosis {
	limit, explain := notEnough, q.connectionsSpent
	if silent.Timeout {
		limit, explain = TooManyFiles, q.openFiles
	}
	line := lastSaid(q.ofNginx(), limit)
	if line == "" {
		return nil
	}
	d := explain()
	d.Evidence = append([]string{line}, d.Evidence...)
	return d
}

// lastSaid is the newest of the lines whose message is that, or "".
func lastSaid(lines []nginx.ErrorLine, message *regexp.Regexp) string {
	for _, l := range slices.Backward(lines) {
		if message.MatchString(l.Message) {
			return l.Text
		}
	}
	return ""
}

// slack is how far from a timeout's end a connection may be cut: nginx's
// timers are exact to milliseconds, a busy machine is not.
const slack = 3 * time.Second

// idleCut: nginx cuts a silent WebSocket after proxy_read_timeout.
func (q *inquiry) idleCut(idle *websocket.IdleError) *Diagnosis {
	limit := q.route.ReadTimeout()
	logged := lastSaid(q.ofRequest(), silentTimeout)
	place := q.place()
	if d := q.route.Value("proxy_read_timeout"); d != nil {
		place = fmt.Sprintf("proxy_read_timeout %s in %s:%d", strings.Join(d.Args, " "), d.File, d.Line)
	}
	byNginx := idle.Code == 1006 && (logged != "" || q.route.Server != nil && near(idle.After, limit) || !q.local() &&
		near(idle.After, time.Minute))
	if byNginx {
		set := fmt.Sprintf("proxy_read_timeout is %s", limit)
		if q.route.Value("proxy_read_timeout") == nil {
			set = "proxy_read_timeout is not set and has its default of 60 s"
		}
		if !q.local() {
			set = "that is the default of nginx's proxy_read_timeout"
		}
		return diagnosis(ProxyReadTimeout, fmt.Sprintf("nginx cuts a silent WebSocket after %.0f s: %s",
			idle.After.Seconds(), set),
			q.editRoute("proxy_read_timeout", say("set proxy_read_timeout 24h;")), idle.Error(), place, logged)
	}
	return diagnosis(BackendClosesIdle,
		"the backend, or something between it and nginx, closes a silent WebSocket: nginx would wait longer",
		say("raise the backend's idle timeout, or have it send pings"),
		idle.Error(), place, fmt.Sprintf("nginx's proxy_read_timeout there is %s", limit))
}

// unknownName is a name that nobody's server block has (RFC 6761).
const UnknownName = "other-host.wsprovision.invalid"

func near(a, b time.Duration) bool { return a > b-slack && a < b+slack }

// everybody: a name that is nobody's is upgraded, although by the configuration the server block that is to answer it
// is not the site's.
func (q *inquiry) everybody(ctx context.Context) *Diagnosis {
	if d := q.older(ctx); d != nil {
		return d
	}
	evidence := []string{q.Err.Error()}
	mend := say("have the default server of that address refuse such names (return 444;)")
	if s := q.tree.Route(q.address, UnknownName, q.Target.Path).Server; s != nil {
		mend = q.edit(s.File, s.Line,
			say("have the server block refuse such names (return 444;) in place of passing them on,"))
		evidence = append(evidence, fmt.Sprintf("the default server in %s:%d answers them", s.File, s.Line))
	}
	return diagnosis(OtherHostReaches, "a request for another name reaches this site's backend", mend, evidence...)
}
