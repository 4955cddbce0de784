package backend

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"wsprovision/provision/diagnose/cause"
	"wsprovision/provision/diagnose/facts"
	"wsprovision/provision/websocket/handshake"
)

// refuser is a backend that answers by itself what came through nginx, and its answer; "" where there is none.
func refuser(ctx context.Context, e *facts.Evidence) (string, *handshake.StatusError) {
	for _, b := range facts.Backends(e) {
		if OwnSocket(e, b) != "" {
			continue // nginx's own answer, or that of who is behind it
		}
		err := facts.Shake(ctx, e, facts.AsNginx(e, b))
		var status *handshake.StatusError
		if facts.SameAnswer(e, err) && errors.As(err, &status) {
			return b, status
		}
	}
	return "", nil
}

// OwnSocket says of a backend that it is a socket of the file system that nginx itself listens on; "" where it is none.
// What becomes of the request there is not followed.
func OwnSocket(e *facts.Evidence, backend string) string {
	path, isSocket := strings.CutPrefix(backend, "unix:")
	for _, s := range e.Tree.Servers() {
		for _, l := range s.Listen {
			if isSocket && l.Unix == strings.TrimSuffix(path, ":") {
				return fmt.Sprintf("nginx itself listens on %s, by %s:%d: what becomes of the request there is not "+
					"followed",
					backend, l.File, l.Line)
			}
		}
	}
	return ""
}

// OriginIsRefused: with another Origin, or with one at all, or with none, the backend would take the handshake.
func OriginIsRefused(ctx context.Context, e *facts.Evidence) *cause.Diagnosis {
	b, status := refuser(ctx, e)
	if b == "" || status.Code/100 != 4 { // Rails' Action Cable has 404 for it
		return nil
	}
	if e.Target.Origin == "" {
		return originIsWanted(ctx, e, b, status)
	}
	for _, origin := range []string{"", pageOf(e)} {
		other := facts.AsNginx(e, b)
		other.Origin = origin
		if origin == e.Target.Origin || facts.Shake(ctx, e, other) != nil {
			continue
		}
		return cause.New(cause.OriginRefused,
			fmt.Sprintf("the backend %s refuses the Origin %s (%d)", b, e.Target.Origin,
				status.Code), cause.Say("allow that origin in the backend's own configuration"),
			fmt.Sprintf("%s asked directly with the Origin %q: 101", b, origin))
	}
	return nil
}

func originIsWanted(ctx context.Context, e *facts.Evidence, backend string,
	status *handshake.StatusError) *cause.Diagnosis {
	other := facts.AsNginx(e, backend)
	other.Origin = pageOf(e)
	if facts.Shake(ctx, e, other) != nil {
		return nil
	}
	return cause.New(cause.OriginRefused, fmt.Sprintf("the backend %s refuses a handshake without an Origin (%d)",
		backend,
		status.Code),
		cause.Say("have the client send one, as browsers do; verify --origin ").Name(other.Origin).Say(" does"),
		fmt.Sprintf("%s asked directly with the Origin %s: 101", backend, other.Origin))
}

// pageOf is the origin of the site's own pages.
func pageOf(e *facts.Evidence) string {
	return strings.TrimSuffix("http"+strings.TrimPrefix(e.Target.String(), "ws"), facts.PathSent(e))
}

// BackendHasNotThePath: it has a WebSocket at the path with, or without, its last slash; or nothing there at all.
func BackendHasNotThePath(ctx context.Context, e *facts.Evidence) *cause.Diagnosis {
	b, status := refuser(ctx, e)
	if b == "" || status.Code/100 != 4 {
		return nil
	}
	asked := facts.AsNginx(e, b)
	if other := otherSlash(asked); other.Path != "" && facts.Shake(ctx, e, other) == nil {
		return cause.New(cause.PathNotFound, fmt.Sprintf("the backend %s has no WebSocket at %s, but at %s", b,
			asked.Path,
			other.Path), cause.Say("use ").Name(other.Path).Say(" as the path of the location"), e.Asked.Told()...)
	}
	if status.Code != http.StatusNotFound {
		return nil
	}
	return cause.New(cause.PathNotFound, fmt.Sprintf("the backend %s itself has nothing at %s (404)", b, asked.Path),
		cause.Say("use the path that the backend serves; the backend's own log says why"), e.Asked.Told()...)
}

// otherSlash is the path without its last slash, or with one; the path is empty where there is no other.
func otherSlash(t handshake.Target) handshake.Target {
	path, query, hasQuery := strings.Cut(t.Path, "?")
	if path == "/" {
		t.Path = ""
		return t
	}
	if t.Path = strings.TrimSuffix(path, "/"); t.Path == path {
		t.Path += "/"
	}
	if hasQuery {
		t.Path += "?" + query
	}
	return t
}

// BackendRefuses: it gives the same answer without nginx in between.
func BackendRefuses(ctx context.Context, e *facts.Evidence) *cause.Diagnosis {
	b, status := refuser(ctx, e)
	if b == "" {
		return nil
	}
	why := fmt.Sprintf("the backend %s itself refuses the handshake at %s (%d)", b, facts.AsNginx(e, b).Path,
		status.Code)
	if to := status.Header.Get("Location"); to != "" {
		why = fmt.Sprintf("the backend %s itself redirects to %q (%d)", b, to, status.Code)
	}
	return cause.New(cause.BackendRefused, why, cause.Say("the backend's own log says why"), e.Asked.Told()...)
}
