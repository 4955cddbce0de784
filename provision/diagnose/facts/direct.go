package facts

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"wsprovision/provision/host"
	"wsprovision/provision/nginx"
	"wsprovision/provision/nginx/outcome"
	"wsprovision/provision/websocket/handshake"
)

// Patience is how long the diagnosis waits for a backend that takes its connection.
const Patience = 10 * time.Second

// Answers remembers what was asked, so that no question waits for the same answer again.
type Answers struct {
	mu       sync.Mutex
	tested   bool
	problem  *nginx.Problem
	backends map[string]error
	said     []string
}

func (a *Answers) Told() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.said)
}

// Shake makes a handshake with a backend itself, once for every form of it.
func Shake(ctx context.Context, e *Evidence, t handshake.Target) error {
	key := fmt.Sprintf("%s %s %s %q %q %v %s %q", t.Address, t.Host, t.Path, t.Origin, t.Header, t.TLS != nil, t.Method,
		t.Instead)
	e.Asked.mu.Lock()
	defer e.Asked.mu.Unlock()
	if err, known := e.Asked.backends[key]; known {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, Patience)
	defer cancel()
	_, err := e.Probe(ctx, t)
	if e.Asked.backends == nil {
		e.Asked.backends = map[string]error{}
	}
	e.Asked.backends[key] = err
	e.Asked.said = append(e.Asked.said, fmt.Sprintf("%s asked directly for %s: %s", t.Address, t.Path, outcomeOf(err)))
	return err
}

func outcomeOf(err error) string {
	if err == nil {
		return "101"
	}
	return err.Error()
}

// Passed is where the request is passed on to; nil where it is not, or could not be followed.
func Passed(e *Evidence) *outcome.Pass {
	p := e.Way.End.Pass
	if p == nil || p.Scheme != "http" && p.Scheme != "https" {
		return nil
	}
	return p
}

// Backends are those that nginx may ask, at most as many as are asked here.
func Backends(e *Evidence) []string {
	const most = 8
	p := Passed(e)
	if p == nil {
		return nil
	}
	return p.Backends[:min(len(p.Backends), most)]
}

// AsTheClient is the handshake as the client made it, to a backend.
func AsTheClient(e *Evidence, address string) handshake.Target {
	t := e.Target
	t.Address, t.TLS, t.Proxied, t.Pace = address, nil, false, nil
	t.Header = t.Header.Clone()
	if p := Passed(e); p != nil && p.Scheme == "https" {
		t.TLS = host.LocalTLS()
		t.TLS.ServerName = strings.Split(strings.Trim(address, "[]"), ":")[0]
	}
	return t
}

// handshakesOwn are the fields that every handshake has; what becomes of them is judged by themselves.
func handshakesOwn(name string) bool {
	return slices.ContainsFunc([]string{"Upgrade", "Connection", "Sec-WebSocket-Key", "Sec-WebSocket-Version",
		"Sec-WebSocket-Protocol", "Sec-WebSocket-Extensions", "Content-Length"}, func(n string) bool {
		return strings.EqualFold(n, name)
	})
}

// AsNginx is the handshake as nginx passes it on, but for the fields that are named in as the client sent them; and for
// the handshake's own.
func AsNginx(e *Evidence, address string, clients ...string) handshake.Target {
	t, p := AsTheClient(e, address), Passed(e)
	isClients := func(name string) bool {
		return slices.ContainsFunc(clients, func(c string) bool { return strings.EqualFold(c, name) })
	}
	if p.Target.Known && strings.HasPrefix(p.Target.Text, "/") {
		t.Path = p.Target.Text
	}
	for _, name := range ChangedFields(e) {
		if isClients(name) {
			continue
		}
		value := p.Field(name).Value.Text
		switch {
		case strings.EqualFold(name, "Host") && value == "":
			t.Instead = http.Header{"Host": nil}
		case strings.EqualFold(name, "Host"):
			t.Host = value
		case strings.EqualFold(name, "Origin"):
			t.Origin = value
		case value == "":
			t.Header.Del(name)
		default:
			if t.Header == nil {
				t.Header = http.Header{}
			}
			t.Header.Set(name, value)
		}
	}
	return t
}

// ChangedFields are those that a backend gets otherwise than the client sends them, as far as that is known.
func ChangedFields(e *Evidence) []string {
	p := Passed(e)
	var all []string
	for _, f := range p.Fields {
		if !handshakesOwn(f.Name) && f.Value.Known && f.Value.Text != ClientsField(e, f.Name) {
			all = append(all, f.Name)
		}
	}
	for name := range e.Target.Header {
		if f := p.Field(name); f.Value.Known && f.Value.Text == "" {
			all = append(all, name)
		}
	}
	if f := p.Field("Origin"); e.Target.Origin != "" && f.Value.Known && f.Value.Text == "" {
		all = append(all, "Origin")
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// ClientsField is what the client itself sends in a field.
func ClientsField(e *Evidence, name string) string {
	switch http.CanonicalHeaderKey(name) {
	case "Host":
		return HostSent(e)
	case "Origin":
		return e.Target.Origin
	case "User-Agent":
		if e.Target.Header.Get(name) == "" {
			return handshake.UserAgent
		}
	}
	return e.Target.Header.Get(name)
}

// SameAnswer: a backend answers directly what came through nginx, or what an error_page of nginx's was put in the place
// of (proxy_intercept_errors).
func SameAnswer(e *Evidence, err error) bool {
	var status *handshake.StatusError
	through := StatusOf(e)
	if through == nil || !errors.As(err, &status) {
		return false
	}
	return status.Code == through.Code && !isReplaced(e, status.Code) || slices.ContainsFunc(
		outcome.Makers(e.Way, Seen(e)), func(end outcome.End) bool {
			return IsOfBackend(end) && end.Cause.Status == status.Code
		})
}

// isReplaced: nginx shows another answer where the backend's is this.
func isReplaced(e *Evidence, code int) bool {
	return slices.ContainsFunc(e.Way.May, func(end outcome.End) bool {
		return IsOfBackend(end) && end.Cause.Status == code && end.Answer != nil && end.Answer.Status != code
	})
}

// IsOfBackend: the request came to this end because of what a backend did, and not by a rule of nginx's.
func IsOfBackend(end outcome.End) bool {
	return end.Cause != nil && strings.HasSuffix(end.Cause.Directive.Name, "_pass")
}

func isRefused(err error) bool {
	var dial *handshake.DialError
	return errors.As(err, &dial) && (errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, syscall.ENOENT))
}

// Refusing are the backends at which nothing listens.
func Refusing(ctx context.Context, e *Evidence) (all []string) {
	for _, b := range Backends(e) {
		if isRefused(Shake(ctx, e, AsTheClient(e, b))) {
			all = append(all, b)
		}
	}
	slices.Sort(all)
	return all
}

// Accepting is a backend that upgrades the client's own handshake, asked for the path as nginx passes it on or, where
// anyPath is true, as the client has it; "" where there is none.
func Accepting(ctx context.Context, e *Evidence, anyPath bool) string {
	for _, b := range Backends(e) {
		t := AsTheClient(e, b)
		if p := Passed(e); p.Target.Known && !anyPath {
			t.Path = p.Target.Text
		}
		if Shake(ctx, e, t) == nil {
			return b
		}
	}
	return ""
}

// Tested is nginx -t's complaint that keeps nginx from starting and from reloading; nil where there is none.
func Tested(ctx context.Context, e *Evidence) *nginx.Problem {
	e.Asked.mu.Lock()
	defer e.Asked.mu.Unlock()
	if e.Asked.tested {
		return e.Asked.problem
	}
	e.Asked.tested = true
	problems, err := e.Nginx.Test(ctx, nil)
	if err != nil {
		return nil
	}
	for _, p := range problems {
		// What nginx only warns of keeps nobody from starting.
		if p.KeepsFromStarting() {
			e.Asked.problem = &p
			return &p
		}
	}
	return nil
}

// PortOf is the port of an address; 0 where it has none.
func PortOf(address string) int {
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		return 0
	}
	n, err := strconv.Atoi(port)
	if err != nil || n < 1 || n > 65535 {
		return 0
	}
	return n
}
