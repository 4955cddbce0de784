package diagnose

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"wsprovision/provision/host"
	"wsprovision/provision/nginx"
	"wsprovision/provision/nginx/route"
	"wsprovision/provision/websocket"
)

// patience is how long the diagnosis waits for a backend that takes its connection.
const patience = 10 * time.Second

// answers remembers what was asked, so that no question waits for the same answer again.
type answers struct {
	mu       sync.Mutex
	tested   bool
	problem  *nginx.Problem
	backends map[string]error
	said     []string
}

func (a *answers) told() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.said)
}

// shake makes a handshake with a backend itself, once for every form of it.
func shake(ctx context.Context, e *evidence, t websocket.Target) error {
	key := fmt.Sprintf("%s %s %s %q %q %v", t.Address, t.Host, t.Path, t.Origin, t.Header, t.TLS != nil)
	e.asked.mu.Lock()
	defer e.asked.mu.Unlock()
	if err, known := e.asked.backends[key]; known {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	_, err := e.Probe(ctx, t)
	if e.asked.backends == nil {
		e.asked.backends = map[string]error{}
	}
	e.asked.backends[key] = err
	e.asked.said = append(e.asked.said, fmt.Sprintf("%s asked directly for %s: %s", t.Address, t.Path, outcomeOf(err)))
	return err
}

func outcomeOf(err error) string {
	if err == nil {
		return "101"
	}
	return err.Error()
}

// passed is where the request is passed on to; nil where it is not, or could not be followed.
func passed(e *evidence) *route.Pass {
	p := e.way.End.Pass
	if p == nil || p.Scheme != "http" && p.Scheme != "https" {
		return nil
	}
	return p
}

// backends are those that nginx may ask, at most as many as are asked here.
func backends(e *evidence) []string {
	const most = 8
	p := passed(e)
	if p == nil {
		return nil
	}
	return p.Backends[:min(len(p.Backends), most)]
}

// asTheClient is the handshake as the client made it, to a backend.
func asTheClient(e *evidence, address string) websocket.Target {
	t := e.Target
	t.Address, t.TLS = address, nil
	t.Header = t.Header.Clone()
	if p := passed(e); p != nil && p.Scheme == "https" {
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

// asNginx is the handshake as nginx passes it on, but for the fields that are named in as the client sent them; and for
// the handshake's own.
func asNginx(e *evidence, address string, clients ...string) websocket.Target {
	t, p := asTheClient(e, address), passed(e)
	isClients := func(name string) bool {
		return slices.ContainsFunc(clients, func(c string) bool { return strings.EqualFold(c, name) })
	}
	if p.Target.Known && strings.HasPrefix(p.Target.Text, "/") {
		t.Path = p.Target.Text
	}
	for _, name := range changedFields(e) {
		if isClients(name) {
			continue
		}
		value := p.Field(name).Value.Text
		switch {
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

// changedFields are those that a backend gets otherwise than the client sends them, as far as that is known.
func changedFields(e *evidence) []string {
	p := passed(e)
	var all []string
	for _, f := range p.Fields {
		if !handshakesOwn(f.Name) && f.Value.Known && f.Value.Text != clientsField(e, f.Name) {
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

func clientsField(e *evidence, name string) string {
	switch http.CanonicalHeaderKey(name) {
	case "Host":
		return hostSent(e)
	case "Origin":
		return e.Target.Origin
	case "User-Agent":
		if e.Target.Header.Get(name) == "" {
			return websocket.UserAgent
		}
	}
	return e.Target.Header.Get(name)
}

// sameAnswer: a backend answers directly what came through nginx.
func sameAnswer(e *evidence, err error) bool {
	var status *websocket.StatusError
	through := statusOf(e)
	return through != nil && errors.As(err, &status) && status.Code == through.Code
}

func isRefused(err error) bool {
	var dial *websocket.DialError
	return errors.As(err, &dial) && errors.Is(err, syscall.ECONNREFUSED)
}

// refusing are the backends at which nothing listens.
func refusing(ctx context.Context, e *evidence) (all []string) {
	for _, b := range backends(e) {
		if isRefused(shake(ctx, e, asTheClient(e, b))) {
			all = append(all, b)
		}
	}
	slices.Sort(all)
	return all
}

// accepting is a backend that upgrades the client's own handshake, asked for the path as nginx passes it on or, where
// anyPath is true, as the client has it; "" where there is none.
func accepting(ctx context.Context, e *evidence, anyPath bool) string {
	for _, b := range backends(e) {
		t := asTheClient(e, b)
		if p := passed(e); p.Target.Known && !anyPath {
			t.Path = p.Target.Text
		}
		if shake(ctx, e, t) == nil {
			return b
		}
	}
	return ""
}

// tested is nginx -t's complaint that keeps nginx from starting and from reloading; nil where there is none.
func tested(ctx context.Context, e *evidence) *nginx.Problem {
	e.asked.mu.Lock()
	defer e.asked.mu.Unlock()
	if e.asked.tested {
		return e.asked.problem
	}
	e.asked.tested = true
	problems, err := e.Nginx.Test(ctx, nil)
	if err != nil {
		return nil
	}
	for _, p := range problems {
		// What nginx only warns of keeps nobody from starting.
		if p.Fatal() && !strings.HasPrefix(p.Message, "conflicting server name ") {
			e.asked.problem = &p
			return &p
		}
	}
	return nil
}
