package backend

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"syscall"
	"time"

	"wsprovision/provision/diagnose/cause"
	"wsprovision/provision/diagnose/facts"
	"wsprovision/provision/diagnose/server"
	"wsprovision/provision/host"
	"wsprovision/provision/plaintext"
	"wsprovision/provision/websocket/handshake"
)

// unresponsive are the backends of which nginx got no connection: all that it may ask, where those are known, or the
// one of its log.
func unresponsive(ctx context.Context, e *facts.Evidence) []string {
	all := facts.Backends(e)
	number, address, _ := facts.FailedCall(e)
	if refuses := facts.Refusing(ctx, e); len(all) > 0 && len(refuses) == len(all) {
		return refuses
	}
	if number == int(syscall.ECONNREFUSED) && address != "" {
		return []string{address}
	}
	return nil
}

// BackendIsOfAnotherFamily: it listens on the loopback, or everywhere, of the other family, as Node.js does for
// "localhost".
func BackendIsOfAnotherFamily(ctx context.Context, e *facts.Evidence) *cause.Diagnosis {
	for _, address := range unresponsive(ctx, e) {
		at, err := netip.ParseAddrPort(address)
		if err != nil || len(host.Taking(e.Sockets, at)) > 0 {
			continue
		}
		wants6 := at.Addr().Unmap().Is6()
		for _, s := range facts.Neighbours(ctx, e, int(at.Port())) {
			local := s.Local.Addr()
			if local.Unmap().Is6() != wants6 && (local.IsLoopback() || local.IsUnspecified()) {
				return otherFamilyOfBackend(e, at, s)
			}
		}
	}
	return nil
}

func otherFamilyOfBackend(e *facts.Evidence, at netip.AddrPort, s host.Socket) *cause.Diagnosis {
	code, have, lack := cause.BackendIPv6Only, "IPv6", "IPv4"
	if at.Addr().Unmap().Is6() {
		code, have, lack = cause.BackendIPv4Only, "IPv4", "IPv6"
	}
	reach := netip.AddrPortFrom(loopbackFor(s.Local.Addr()), s.Local.Port())
	mend := orPassTo(e, cause.Say("have the backend listen on ").Name(lack).Say(" too"), at.String(), reach.String())
	_, _, line := facts.FailedCall(e)
	return cause.New(code, fmt.Sprintf("the backend listens on %s, %s only, and nginx connects to %s", s.Local, have,
		at),
		mend, line, fmt.Sprintf("nothing listens on %s", at))
}

// loopbackFor is where a socket at every address of its family is reached.
func loopbackFor(ip netip.Addr) netip.Addr {
	switch {
	case ip == netip.IPv6Unspecified():
		return netip.IPv6Loopback()
	case ip == netip.IPv4Unspecified():
		return netip.AddrFrom4([4]byte{127, 0, 0, 1})
	}
	return ip
}

// BackendIsDown: nothing listens on any address that nginx may ask.
func BackendIsDown(ctx context.Context, e *facts.Evidence) *cause.Diagnosis {
	if d := socketIsNotThere(ctx, e); d != nil {
		return d
	}
	all := unresponsive(ctx, e)
	if len(all) == 0 {
		return nil
	}
	_, _, line := facts.FailedCall(e)
	evidence := []string{line}
	for _, address := range all {
		text := "nothing listens on " + address
		if near := facts.Nearby(facts.Neighbours(ctx, e, facts.PortOf(address))); near != "" {
			text += "; " + near
		}
		evidence = append(evidence, text)
	}
	if l := e.Location; l != nil && facts.Passed(e) != nil && !slices.ContainsFunc(all, l.PassesTo) {
		p := facts.Passed(e).Directive
		evidence = append(evidence, fmt.Sprintf("the configuration has %s, and %s:%d passes to %s", l.BackendText(),
			p.File,
			p.Line,
			strings.Join(all, " and ")))
	}
	mend := cause.Say("start the backend (systemctl start its unit), so that it listens on ").Name(all[0])
	why := fmt.Sprintf("the backend %s is not running: the connection is refused (111)", all[0])
	if near := nearest(ctx, e, all[0]); near != "" && len(all) == 1 {
		why = fmt.Sprintf("nothing listens on %s: the connection is refused (111); a program listens on %s", all[0],
			near)
		mend = orPassTo(e, mend, all[0], near)
	}
	if len(all) > 1 {
		why = fmt.Sprintf("the backends %s are not running: the connections are refused (111)",
			strings.Join(all, " and "))
	}
	return cause.New(cause.BackendNotRunning, why, mend, evidence...)
}

// BackendHasNoPort: nginx has no local port for a connection to the backend.
func BackendHasNoPort(_ context.Context, e *facts.Evidence) *cause.Diagnosis {
	number, address, line := facts.FailedCall(e)
	if number != int(syscall.EADDRNOTAVAIL) {
		return nil
	}
	return server.Exhausted(e, "connections from nginx to "+address+" (99: cannot assign requested address)",
		uint16(facts.PortOf(address)), line)
}

// BackendIsBoundAway: nginx is to connect from an address that is none of this host's.
func BackendIsBoundAway(_ context.Context, e *facts.Evidence) *cause.Diagnosis {
	l, p := facts.Failing(e), facts.Passed(e)
	if l == nil || p == nil || !facts.BindFailedFor().MatchString(l.Message) {
		return nil
	}
	d := e.Way.End.InForce("proxy_bind")
	if d == nil {
		return nil
	}
	return cause.New(cause.BackendUnreachable,
		fmt.Sprintf("nginx may not connect to %s from the address that proxy_bind names: it is none of this host's "+
			"(99)",
			strings.Join(p.Backends, " and ")),
		facts.InFile(e, d.File, d.Line, cause.Say("take proxy_bind out of ").Line(d.File, d.Line).
			Say(", or name an address of this host in it")), l.Text, "proxy_bind "+strings.Join(d.Args, " "))
}

// noTLSThere is OpenSSL's word for an answer that is none of TLS's, in what nginx logs of a backend.
const noTLSThere = "wrong version number"

// BackendSpeaksNoTLS: proxy_pass has https, and the backend speaks HTTP.
func BackendSpeaksNoTLS(ctx context.Context, e *facts.Evidence) *cause.Diagnosis {
	l, p := facts.Failing(e), facts.Passed(e)
	if l == nil || p == nil || p.Scheme != "https" || !strings.HasPrefix(l.Message, "SSL_do_handshake() failed") ||
		!strings.Contains(l.Message, noTLSThere) && !strings.Contains(l.Message, "unknown protocol") {
		return nil
	}
	for _, b := range facts.Backends(e) {
		plain := facts.AsTheClient(e, b)
		plain.TLS = nil
		if err := facts.Shake(ctx, e, plain); err == nil {
			return cause.New(cause.BackendSpeaksNoTLS,
				fmt.Sprintf("nginx speaks TLS to the backend %s, which speaks plain HTTP", b),
				facts.InFile(e, p.Directive.File, p.Directive.Line,
					cause.Say("write http:// in place of https:// in proxy_pass in ").
						Line(p.Directive.File, p.Directive.Line)), l.Text, facts.PassedBy(p))
		}
	}
	return nil
}

// BackendIsSilent: it takes the connection, and nothing comes.
func BackendIsSilent(ctx context.Context, e *facts.Evidence) *cause.Diagnosis {
	if l := facts.Failing(e); l != nil && facts.AnswerTimeout().MatchString(l.Message) {
		address := facts.UpstreamOf(e, *l)
		if d := slowBackend(ctx, e, address, l.Text); d != nil {
			return d
		}
		return silentBackend(address, l.Text)
	}
	return nil
}

// slowBackend: asked directly it answers, and nginx does not wait for so long.
func slowBackend(ctx context.Context, e *facts.Evidence, address, line string) *cause.Diagnosis {
	limit, d := facts.ReadTimeout(e)
	if p := facts.Passed(e); p == nil || address == "" || limit >= facts.Patience {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, max(2*limit, 2*time.Second))
	defer cancel()
	begun := time.Now()
	var status *handshake.StatusError
	if err := facts.Shake(ctx, e, facts.AsNginx(e, address)); err != nil && !errors.As(err, &status) {
		return nil
	}
	took := time.Since(begun)
	told := fmt.Sprintf("asked directly it answers after %.1f s", took.Seconds())
	if took < limit-limit/10 {
		return cause.New(cause.BackendNotAnswering,
			fmt.Sprintf("the backend %s took the connection and did not answer "+
				"within %s (proxy_read_timeout)", address, plaintext.Duration(limit)),
			cause.Say("look at the backend's own log: it is slow at "+
				"times"), line, told)
	}
	p := facts.Passed(e).Directive
	mend := cause.Say("add proxy_read_timeout 24h; in ").Line(p.File, p.Line)
	if d != nil {
		p, mend = *d, facts.ReplaceLine(*d, "proxy_read_timeout 24h;")
	}
	return cause.New(cause.ProxyReadTimeout,
		fmt.Sprintf("nginx waits %s for the answer of the backend %s, which takes "+
			"longer: proxy_read_timeout is %s", plaintext.Duration(limit), address, plaintext.Duration(limit)),
		facts.InFile(e, p.File, p.Line, mend), line, told)
}

// BackendNeverAnswers: nor does it answer directly.
func BackendNeverAnswers(ctx context.Context, e *facts.Evidence) *cause.Diagnosis {
	if facts.StatusOf(e) != nil {
		return nil
	}
	for _, b := range facts.Backends(e) {
		var unanswered *handshake.ResponseError
		if err := facts.Shake(ctx, e, facts.AsTheClient(e, b)); errors.As(err, &unanswered) && unanswered.Timeout {
			return silentBackend(b, e.Asked.Told()...)
		}
	}
	return nil
}

func silentBackend(address string, evidence ...string) *cause.Diagnosis {
	return cause.New(cause.BackendNotAnswering, fmt.Sprintf("the backend %s takes the connection and does not answer",
		address),
		cause.Say("look at the backend's own log, and restart it"), evidence...)
}

// unlike is a backend whose 101 is none. What it chooses that the client did not offer ends the handshake (RFC 6455,
// section 4.1).
func unlike(e *facts.Evidence, backend string, err error) *cause.Diagnosis {
	var head *handshake.HeaderError
	if errors.As(err, &head) && len(head.Got) > 0 && slices.Contains([]string{"Sec-WebSocket-Protocol",
		"Sec-WebSocket-Extensions"}, head.Field) {
		return cause.New(cause.NotAWebSocket,
			fmt.Sprintf("the backend %s answers 101 with %s %q, which was not offered: "+
				"clients end such a handshake", backend, head.Field, strings.Join(head.Got, ", ")),
			cause.Say("have the backend choose of what the client offers, and else leave the field out"),
			e.Asked.Told()...)
	}
	return cause.New(cause.NotAWebSocket, fmt.Sprintf("what listens on %s answers 101 and is no WebSocket server",
		backend), facts.WhoListens(backend), e.Asked.Told()...)
}

// BackendIsNoWebSocket: what listens there answers otherwise than a WebSocket server, or than HTTP.
func BackendIsNoWebSocket(ctx context.Context, e *facts.Evidence) *cause.Diagnosis {
	for _, b := range facts.Backends(e) {
		err := facts.Shake(ctx, e, facts.AsNginx(e, b))
		var unanswered *handshake.ResponseError
		switch {
		case facts.IsUnlike(err):
			return unlike(e, b, err)
		case errors.As(err, &unanswered) && !unanswered.Timeout && len(unanswered.Got) == 0 && facts.NginxFailed(e):
			return cause.New(cause.BackendRefused,
				fmt.Sprintf("the backend %s closes the connection without an answer", b),
				cause.Say("the backend's own log says why"), e.Asked.Told()...)
		case errors.As(err, &unanswered) && !unanswered.Timeout && facts.NginxFailed(e):
			return cause.New(cause.NotAWebSocket, fmt.Sprintf("what listens on %s does not speak HTTP", b),
				facts.WhoListens(b),
				e.Asked.Told()...)
		}
	}
	return nil
}
