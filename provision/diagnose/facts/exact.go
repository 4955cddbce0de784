package facts

import (
	"wsprovision/provision/nginx/outcome"
	"wsprovision/provision/websocket/handshake"

	"net/http"
	"slices"
	"strings"
)

// Exactly is the handshake as nginx passes it on, with what nginx makes of the handshake's own fields, and of its
// method, as far as that is known.
func Exactly(e *Evidence, address string) handshake.Target {
	t, p := AsNginx(e, address), Passed(e)
	for _, name := range HandshakesFields() {
		if values, changed := sentValues(p, name); changed {
			if t.Instead == nil {
				t.Instead = http.Header{}
			}
			t.Instead[http.CanonicalHeaderKey(name)] = values
		}
	}
	if p.Method.Known {
		t.Method = p.Method.Text
	}
	return t
}

// HandshakesFields are those that a handshake has, and that nginx may change.
func HandshakesFields() []string {
	return []string{"Connection", "Upgrade", "Sec-WebSocket-Key", "Sec-WebSocket-Version", "Sec-WebSocket-Protocol"}
}

// sentValues are the lines that a backend gets of a field; changed where nginx sets it, and all are known.
func sentValues(p *outcome.Pass, name string) (values []string, changed bool) {
	values = []string{}
	for _, f := range p.Fields {
		switch {
		case !strings.EqualFold(f.Name, name):
			continue
		case !f.Value.Known || isClients(f):
			return nil, false
		case f.Value.Text != "":
			values = append(values, f.Value.Text)
		}
		changed = changed || f.Set != nil || !strings.HasPrefix(strings.ToLower(name), "sec-")
	}
	return values, changed
}

// isClients: the value is the client's own, which is another one at each handshake.
func isClients(f outcome.SentField) bool {
	return f.Set != nil && slices.ContainsFunc(f.Set.Args, func(a string) bool {
		return strings.Contains(strings.ToLower(a), "$http_sec_websocket_key")
	})
}
