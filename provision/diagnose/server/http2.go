package server

import (
	"context"
	"fmt"

	"wsprovision/provision/diagnose/cause"
	"wsprovision/provision/diagnose/facts"
	"wsprovision/provision/nginx/render"
)

// HTTP2IsWanted: http2 without ssl has nginx take HTTP/2 alone on the socket, if it is older than 1.25.1, and a
// WebSocket's handshake is HTTP/1.1. Where nginx does not tell its version, that is not known.
func HTTP2IsWanted(ctx context.Context, e *facts.Evidence) *cause.Diagnosis {
	l := e.Way.Listen
	if e.TreeErr != nil || !l.HTTP2 || l.TLS || !takesHTTP2Alone(ctx, e) {
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

func takesHTTP2Alone(ctx context.Context, e *facts.Evidence) bool {
	text, err := e.Nginx.Describe(ctx)
	if err != nil {
		return false
	}
	build, err := render.ParseBuild(text)
	return err == nil && build.HTTP2Alone()
}
