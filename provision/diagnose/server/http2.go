package server

import (
	"context"
	"fmt"

	"wsprovision/provision/diagnose/cause"
	"wsprovision/provision/diagnose/facts"
)

// HTTP2IsWanted: http2 without ssl has nginx take HTTP/2 alone on the socket (ngx_http_v2_module before 1.25.1), and a
// WebSocket's handshake is HTTP/1.1.
func HTTP2IsWanted(_ context.Context, e *facts.Evidence) *cause.Diagnosis {
	l := e.Way.Listen
	if e.TreeErr != nil || !l.HTTP2 || l.TLS {
		return nil
	}
	for _, b := range e.Tree.Sharing(e.Address) {
		if d := b.Listen; d.HTTP2 {
			return cause.New(cause.AnsweredByNginx, fmt.Sprintf("nginx takes HTTP/2 only on %s, for the listener in "+
				"%s:%d has http2 and no ssl; a WebSocket's handshake is HTTP/1.1", e.Address, d.File, d.Line),
				facts.InFile(e, d.File, d.Line, cause.Say("take http2 out of the listen in ").Line(d.File, d.Line)),
				e.Err.Error())
		}
	}
	return nil
}
