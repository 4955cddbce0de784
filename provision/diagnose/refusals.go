package diagnose

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"wsprovision/provision/websocket"
)

// refuser is a backend that answers by itself what came through nginx, and its answer; "" where there is none.
func refuser(ctx context.Context, e *evidence) (string, *websocket.StatusError) {
	for _, b := range backends(e) {
		err := shake(ctx, e, asNginx(e, b))
		var status *websocket.StatusError
		if sameAnswer(e, err) && errors.As(err, &status) {
			return b, status
		}
	}
	return "", nil
}

// originIsRefused: with another Origin, or with one at all, or with none, the backend would take the handshake.
func originIsRefused(ctx context.Context, e *evidence) *Diagnosis {
	b, status := refuser(ctx, e)
	if b == "" || status.Code/100 != 4 { // Rails' Action Cable has 404 for it
		return nil
	}
	if e.Target.Origin == "" {
		return originIsWanted(ctx, e, b, status)
	}
	for _, origin := range []string{"", pageOf(e)} {
		other := asNginx(e, b)
		other.Origin = origin
		if origin == e.Target.Origin || shake(ctx, e, other) != nil {
			continue
		}
		return diagnosis(OriginRefused, fmt.Sprintf("the backend %s refuses the Origin %s (%d)", b, e.Target.Origin,
			status.Code), say("allow that origin in the backend's own configuration"),
			fmt.Sprintf("%s asked directly with the Origin %q: 101", b, origin))
	}
	return nil
}

func originIsWanted(ctx context.Context, e *evidence, backend string, status *websocket.StatusError) *Diagnosis {
	other := asNginx(e, backend)
	other.Origin = pageOf(e)
	if shake(ctx, e, other) != nil {
		return nil
	}
	return diagnosis(OriginRefused, fmt.Sprintf("the backend %s refuses a handshake without an Origin (%d)", backend,
		status.Code), say("have the client send one, as browsers do; verify --origin ").name(other.Origin).say(" does"),
		fmt.Sprintf("%s asked directly with the Origin %s: 101", backend, other.Origin))
}

// pageOf is the origin of the site's own pages.
func pageOf(e *evidence) string {
	return strings.TrimSuffix("http"+strings.TrimPrefix(e.Target.String(), "ws"), pathSent(e))
}

// backendHasNotThePath: it has a WebSocket at the path with, or without, its last slash; or nothing there at all.
func backendHasNotThePath(ctx context.Context, e *evidence) *Diagnosis {
	b, status := refuser(ctx, e)
	if b == "" || status.Code/100 != 4 {
		return nil
	}
	asked := asNginx(e, b)
	if other := otherSlash(asked); other.Path != "" && shake(ctx, e, other) == nil {
		return diagnosis(PathNotFound, fmt.Sprintf("the backend %s has no WebSocket at %s, but at %s", b, asked.Path,
			other.Path), say("use ").name(other.Path).say(" as the path of the location"), e.asked.told()...)
	}
	if status.Code != http.StatusNotFound {
		return nil
	}
	return diagnosis(PathNotFound, fmt.Sprintf("the backend %s itself has nothing at %s (404)", b, asked.Path),
		say("use the path that the backend serves; the backend's own log says why"), e.asked.told()...)
}

// otherSlash is the path without its last slash, or with one; the path is empty where there is no other.
func otherSlash(t websocket.Target) websocket.Target {
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

// backendRefuses: it gives the same answer without nginx in between.
func backendRefuses(ctx context.Context, e *evidence) *Diagnosis {
	b, status := refuser(ctx, e)
	if b == "" {
		return nil
	}
	cause := fmt.Sprintf("the backend %s itself refuses the handshake at %s (%d)", b, asNginx(e, b).Path, status.Code)
	if to := status.Header.Get("Location"); to != "" {
		cause = fmt.Sprintf("the backend %s itself redirects to %q (%d)", b, to, status.Code)
	}
	return diagnosis(BackendRefused, cause, say("the backend's own log says why"), e.asked.told()...)
}
