//go:build diagnosis

package diagnosis

import (
	"context"
	"net/http"
	"time"

	ws "github.com/coder/websocket"
)

// What becomes of a WebSocket after its handshake.
func lifetimeRows() []row {
	idle := theURL + " --idle 2s"
	one := func(h http.HandlerFunc) []backend { return []backend{{at: "127.0.0.1:3000", serves: h}} }
	rows := []row{
		{situation: "a second of silence, and proxy_read_timeout is long", verify: theURL + " --idle 1s",
			site: serves(passes("proxy_read_timeout 1h;", headers))},
		{situation: "proxy_read_timeout is shorter than the silence", verify: idle,
			site: serves(passes("proxy_read_timeout 1s;", headers)), want: "proxy-read-timeout",
			cause: "proxy_read_timeout is 1s", says: "proxy_read_timeout 24h;",
			edit: sed("s/proxy_read_timeout 1s/proxy_read_timeout 24h/")},
		{situation: "proxy_read_timeout of http is shorter than the silence", verify: idle,
			site:   serves(passes(headers)),
			before: "sed -i 's/^http {/& proxy_read_timeout 1s;/' /etc/nginx/nginx.conf", want: "proxy-read-timeout",
			cause: "proxy_read_timeout is 1s", says: "/etc/nginx/nginx.conf",
			edit: "sed -i 's/proxy_read_timeout 1s/proxy_read_timeout 24h/' /etc/nginx/nginx.conf"},
		{situation: "the backend ends silent connections", verify: idle, backends: one(closing(time.Second)),
			site: serves(passes(headers)), want: "backend-closes-idle", not: "nginx cuts", noMend: true},
		{situation: "the backend ends each connection at once", backends: one(closing(0)),
			site:   serves(passes(headers)),
			verify: theURL + " --idle 1s", want: "backend-cuts-connection", not: "nginx cuts", noMend: true},
		{situation: "the backend greets and does not echo", backends: one(greeting), site: serves(passes(headers)),
			verify: "--url ws://ws.example.com/ws/ --timeout 700ms"},
		{situation: "another nginx is between, and ends silent connections", verify: idle,
			site: serves(location("/ws/", "http://127.0.0.1:8080", headers)) + listening("8080",
				serves(passes("proxy_read_timeout 1s;", headers))), want: "proxy-read-timeout",
			cause: "proxy_read_timeout is 1s", says: siteFile + ":14",
			edit: sed("s/proxy_read_timeout 1s/proxy_read_timeout 24h/")},
	}
	return of("After the handshake", rows)
}

// closing ends the connection after a while, whatever comes.
func closing(after time.Duration) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		conn, err := ws.Accept(w, r, &ws.AcceptOptions{InsecureSkipVerify: true})
		if err != nil {
			return
		}
		if after == 0 {
			_ = conn.CloseNow()
			return
		}
		ctx, cancel := context.WithTimeout(r.Context(), after)
		defer cancel()
		for {
			kind, b, err := conn.Read(ctx)
			if err != nil {
				_ = conn.Close(ws.StatusGoingAway, "idle")
				return
			}
			_ = conn.Write(ctx, kind, b)
		}
	}
}

// greeting speaks first, as a chat does, and answers nothing.
func greeting(w http.ResponseWriter, r *http.Request) {
	conn, err := ws.Accept(w, r, &ws.AcceptOptions{InsecureSkipVerify: true})
	if err != nil {
		return
	}
	_ = conn.Write(r.Context(), ws.MessageText, []byte("welcome"))
	for {
		if _, _, err := conn.Read(r.Context()); err != nil {
			return
		}
	}
}

// closes takes the WebSocket and closes it with a code.
func closes(code ws.StatusCode, reason string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		conn, err := ws.Accept(w, r, &ws.AcceptOptions{InsecureSkipVerify: true})
		if err == nil {
			_ = conn.Close(code, reason)
		}
	}
}

// limited echoes, and takes no message above 32 KiB, which is the library's own limit.
func limited(w http.ResponseWriter, r *http.Request) {
	conn, err := ws.Accept(w, r, &ws.AcceptOptions{InsecureSkipVerify: true})
	if err != nil {
		return
	}
	defer conn.CloseNow()
	for {
		kind, b, err := conn.Read(r.Context())
		if err != nil || conn.Write(r.Context(), kind, b) != nil {
			return
		}
	}
}
