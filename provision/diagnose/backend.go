package diagnose

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"syscall"

	"wsprovision/provision/host"
	"wsprovision/provision/websocket"
)

// unresponsive are the backends of which nginx got no connection: all that it may ask, where those are known, or the
// one of its log.
func unresponsive(ctx context.Context, e *evidence) []string {
	all := backends(e)
	number, address, _ := failedCall(e)
	if refuses := refusing(ctx, e); len(all) > 0 && len(refuses) == len(all) {
		return refuses
	}
	if number == int(syscall.ECONNREFUSED) && address != "" {
		return []string{address}
	}
	return nil
}

// backendIsOfAnotherFamily: it listens on the loopback, or everywhere, of the other family, as Node.js does for
// "localhost".
func backendIsOfAnotherFamily(ctx context.Context, e *evidence) *Diagnosis {
	for _, address := range unresponsive(ctx, e) {
		at, err := netip.ParseAddrPort(address)
		if err != nil || len(host.Taking(e.sockets, at)) > 0 {
			continue
		}
		wants6 := at.Addr().Unmap().Is6()
		for _, s := range host.Listening(e.sockets, at.Port()) {
			local := s.Local.Addr()
			if local.Unmap().Is6() != wants6 && (local.IsLoopback() || local.IsUnspecified()) {
				return otherFamilyOfBackend(e, at, s)
			}
		}
	}
	return nil
}

func otherFamilyOfBackend(e *evidence, at netip.AddrPort, s host.Socket) *Diagnosis {
	code, have, lack := BackendIPv6Only, "IPv6", "IPv4"
	if at.Addr().Unmap().Is6() {
		code, have, lack = BackendIPv4Only, "IPv4", "IPv6"
	}
	reach := netip.AddrPortFrom(loopbackFor(s.Local.Addr()), s.Local.Port())
	mend := say("have the backend listen on ").name(lack).say(" too, or give the site the backend ").
		name(reach.String())
	if p := passed(e); p != nil && !ours(e, p.Directive.File) {
		mend = say("have the backend listen on ").name(lack).say(" too, or pass to ").name(reach.String()).say(" in ").
			line(p.Directive.File, p.Directive.Line).say(thenReload)
	}
	_, _, line := failedCall(e)
	return diagnosis(code, fmt.Sprintf("the backend listens on %s, %s only, and nginx connects to %s", s.Local, have,
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

// backendIsDown: nothing listens on any address that nginx may ask.
func backendIsDown(ctx context.Context, e *evidence) *Diagnosis {
	if d := socketIsNotThere(e); d != nil {
		return d
	}
	all := unresponsive(ctx, e)
	if len(all) == 0 {
		return nil
	}
	_, _, line := failedCall(e)
	evidence := []string{line}
	for _, address := range all {
		text := "nothing listens on " + address
		if near := nearby(e, PortOf(address)); near != "" {
			text += "; " + near
		}
		evidence = append(evidence, text)
	}
	if l := e.Location; l != nil && passed(e) != nil && !slices.ContainsFunc(all, l.PassesTo) {
		p := passed(e).Directive
		evidence = append(evidence, fmt.Sprintf("the configuration has %s, and %s:%d passes to %s", l.BackendText(),
			p.File,
			p.Line,
			strings.Join(all, " and ")))
	}
	mend := say("start the backend (systemctl start its unit), so that it listens on ").name(all[0])
	cause := fmt.Sprintf("the backend %s is not running: the connection is refused (111)", all[0])
	if len(all) > 1 {
		cause = fmt.Sprintf("the backends %s are not running: the connections are refused (111)",
			strings.Join(all, " and "))
	}
	return diagnosis(BackendNotRunning, cause, mend, evidence...)
}

// nearby says where that port is taken on another address.
func nearby(e *evidence, port int) string {
	var at []string
	for _, s := range host.Listening(e.sockets, uint16(port)) {
		at = append(at, s.Local.String())
	}
	if len(at) == 0 {
		return ""
	}
	return "somebody listens on " + strings.Join(at, " and ")
}

// backendHasNoPort: nginx has no local port for a connection to the backend.
func backendHasNoPort(_ context.Context, e *evidence) *Diagnosis {
	number, address, line := failedCall(e)
	if number != int(syscall.EADDRNOTAVAIL) {
		return nil
	}
	return exhausted(e, "connections from nginx to "+address+" (99: cannot assign requested address)",
		uint16(PortOf(address)), line)
}

// backendIsBoundAway: nginx is to connect from an address that is none of this host's.
func backendIsBoundAway(_ context.Context, e *evidence) *Diagnosis {
	l, p := failing(e), passed(e)
	if l == nil || p == nil || !bindFailedFor.MatchString(l.Message) {
		return nil
	}
	d := e.way.End.InForce("proxy_bind")
	if d == nil {
		return nil
	}
	return diagnosis(BackendUnreachable,
		fmt.Sprintf("nginx may not connect to %s from the address that proxy_bind names: it is none of this host's (99)",
			strings.Join(p.Backends, " and ")),
		inFile(e, d.File, d.Line, say("take proxy_bind out of ").line(d.File, d.Line).
			say(", or name an address of this host in it")), l.Text, "proxy_bind "+strings.Join(d.Args, " "))
}

// backendIsUnreachable: there is no way to it.
func backendIsUnreachable(_ context.Context, e *evidence) *Diagnosis {
	number, address, line := failedCall(e)
	if l := failing(e); l != nil && connectTimeout.MatchString(l.Message) {
		number, address, line = int(syscall.ETIMEDOUT), upstreamOf(e, *l), l.Text
	}
	switch syscall.Errno(number) {
	case syscall.ENETUNREACH, syscall.ETIMEDOUT, syscall.EHOSTUNREACH:
	default:
		return nil
	}
	mend := say("look for a route to it, and for a firewall in between")
	if at, err := netip.ParseAddrPort(address); err == nil {
		mend = do("ip", "route", "get", at.Addr().String())
	}
	return diagnosis(BackendUnreachable,
		fmt.Sprintf("the backend %s cannot be reached from this host: no route, or a firewall in between", address),
		mend, line)
}

// backendHasNoName: nginx cannot resolve it.
func backendHasNoName(_ context.Context, e *evidence) *Diagnosis {
	l := failing(e)
	if l == nil {
		return nil
	}
	m := unresolvable.FindStringSubmatch(l.Message)
	if m == nil {
		return nil
	}
	if name := m[2]; name != "" {
		return withoutResolver(e, name, l.Text)
	}
	d := upstreamName(m[1])
	d.Evidence = append([]string{l.Text}, d.Evidence...)
	return d
}

// withoutResolver: a name in a variable is resolved when it is needed, by the servers that resolver names
// (ngx_http_upstream_init_request).
func withoutResolver(e *evidence, name, line string) *Diagnosis {
	mend := say("name a resolver")
	if p := passed(e); p != nil {
		mend = say("put resolver and the address of a name server (see /etc/resolv.conf) before proxy_pass, or "+
			"pass to an ").
			say("address in place of the name, in ").line(p.Directive.File, p.Directive.Line).say(thenReload)
	} else {
		mend = mend.say(": put resolver and the address of a name server (see /etc/resolv.conf) into the location, " +
			"or pass to ").
			say("an address in place of the name").say(thenReload)
	}
	return diagnosis(UpstreamUnresolved, fmt.Sprintf("proxy_pass has a variable, so that nginx resolves %q for every "+
		"request, and no resolver is set: /etc/hosts is not asked", name), mend, line)
}

// noTLSThere is OpenSSL's word for an answer that is none of TLS's, in what nginx logs of a backend.
const noTLSThere = "wrong version number"

// backendSpeaksNoTLS: proxy_pass has https, and the backend speaks HTTP.
func backendSpeaksNoTLS(ctx context.Context, e *evidence) *Diagnosis {
	l, p := failing(e), passed(e)
	if l == nil || p == nil || p.Scheme != "https" || !strings.HasPrefix(l.Message, "SSL_do_handshake() failed") ||
		!strings.Contains(l.Message, noTLSThere) && !strings.Contains(l.Message, "unknown protocol") {
		return nil
	}
	for _, b := range backends(e) {
		plain := asTheClient(e, b)
		plain.TLS = nil
		if err := shake(ctx, e, plain); err == nil {
			return diagnosis(BackendSpeaksNoTLS,
				fmt.Sprintf("nginx speaks TLS to the backend %s, which speaks plain HTTP", b),
				inFile(e, p.Directive.File, p.Directive.Line,
					say("write http:// in place of https:// in proxy_pass in ").
						line(p.Directive.File, p.Directive.Line)), l.Text, passedBy(p))
		}
	}
	return nil
}

// backendIsSilent: it takes the connection, and nothing comes.
func backendIsSilent(_ context.Context, e *evidence) *Diagnosis {
	if l := failing(e); l != nil && answerTimeout.MatchString(l.Message) {
		return silentBackend(upstreamOf(e, *l), l.Text)
	}
	return nil
}

// backendNeverAnswers: nor does it answer directly.
func backendNeverAnswers(ctx context.Context, e *evidence) *Diagnosis {
	if statusOf(e) != nil {
		return nil
	}
	for _, b := range backends(e) {
		var unanswered *websocket.ResponseError
		if err := shake(ctx, e, asTheClient(e, b)); errors.As(err, &unanswered) && unanswered.Timeout {
			return silentBackend(b, e.asked.told()...)
		}
	}
	return nil
}

func silentBackend(address string, evidence ...string) *Diagnosis {
	return diagnosis(BackendNotAnswering, fmt.Sprintf("the backend %s takes the connection and does not answer",
		address),
		say("look at the backend's own log, and restart it"), evidence...)
}

// backendIsNoWebSocket: what listens there answers otherwise than a WebSocket server, or than HTTP.
func backendIsNoWebSocket(ctx context.Context, e *evidence) *Diagnosis {
	for _, b := range backends(e) {
		err := shake(ctx, e, asNginx(e, b))
		var unanswered *websocket.ResponseError
		switch {
		case isUnlike(err):
			return diagnosis(NotAWebSocket, fmt.Sprintf("what listens on %s answers 101 and is no WebSocket server", b),
				whoListens(b), e.asked.told()...)
		case errors.As(err, &unanswered) && !unanswered.Timeout && len(unanswered.Got) == 0 && nginxFailed(e):
			return diagnosis(BackendRefused, fmt.Sprintf("the backend %s closes the connection without an answer", b),
				say("the backend's own log says why"), e.asked.told()...)
		case errors.As(err, &unanswered) && !unanswered.Timeout && nginxFailed(e):
			return diagnosis(NotAWebSocket, fmt.Sprintf("what listens on %s does not speak HTTP", b), whoListens(b),
				e.asked.told()...)
		}
	}
	return nil
}

func whoListens(address string) Mend {
	return do("ss", "-ltnp", fmt.Sprintf("sport = :%d", PortOf(address))).
		note("names the program: start the backend there")
}
