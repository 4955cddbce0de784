package websocket

import (
	"context"
	"fmt"
	"log"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"wsprovision/provision/websocket/handshake"

	ws "github.com/coder/websocket"
)

const (
	// serveGrace is how long a connection gets to close.
	serveGrace = time.Second
	// serveHeader is the longest request header in bytes; nginx passes on lines of up to 8 KiB
	// (large_client_header_buffers).
	serveHeader = 16 << 10
)

// backend is one Serve.
type backend struct {
	ctx    context.Context
	limits Limits
	log    func(string) // of what clients do
	memory budget
	full   *tally // messages that found no memory
	open   sync.WaitGroup
}

type connKey struct{}

// Serve is the tutorial's server.js until ctx ends: every path and origin is upgraded, a text comes back behind "Echo:
// ", binary as it was; what is no handshake gets 426. It logs "Client connected", "Received: …" and "Client
// disconnected" behind the client's address. The first subprotocol offered is taken, and permessage-deflate if it is
// offered. What it holds, and how long, limits bounds. When ctx ends, clients get 1001 and a second; nil is returned. l
// is closed in any case. log may be nil; it is not called by two at once.
func Serve(ctx context.Context, l net.Listener, limits Limits, log func(string)) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	log = serial(log)
	limits = limits.withDefaults()
	said := newChatter(log)
	defer said.over.end()
	b := &backend{ctx: ctx, limits: limits, log: said.say, full: &tally{
		what: fmt.Sprintf("Connections closed, because messages take all of %d KiB", limits.Memory>>10), log: log,
	}}
	defer b.full.end()
	b.memory.give(limits.Memory)
	p := &places{Listener: l, limit: int64(limits.Connections), refused: &tally{
		what: fmt.Sprintf("Connections refused, because %d are open", limits.Connections), log: log,
	}}
	defer p.refused.end()
	server := b.server()
	stop := context.AfterFunc(ctx, func() { _ = l.Close() })
	defer stop()
	err := server.Serve(p)
	asked := ctx.Err() != nil
	cancel()
	b.finish(server)
	if asked {
		return nil
	}
	return fmt.Errorf("echo backend: %w", err)
}

func (b *backend) server() *http.Server {
	return &http.Server{
		Handler:           b,
		ReadHeaderTimeout: b.limits.Header,
		ReadTimeout:       b.limits.Header, // Hijack takes these two off the connection
		WriteTimeout:      b.limits.Header,
		IdleTimeout:       b.limits.Header,
		MaxHeaderBytes:    serveHeader,
		ErrorLog:          logger(b.log),
		// The frame library gives no way to cut a connection while it waits for a close frame; this does.
		ConnContext: func(ctx context.Context, c net.Conn) context.Context {
			return context.WithValue(ctx, connKey{}, c)
		},
	}
}

// finish lets a handshake that is under way become a connection that can be told 1001; Close alone would cut it.
func (b *backend) finish(server *http.Server) {
	ctx, cancel := context.WithTimeout(context.Background(), serveGrace)
	defer cancel()
	_ = server.Shutdown(ctx)
	_ = server.Close()
	b.open.Wait()
}

func serial(log func(string)) func(string) {
	if log == nil {
		return func(string) {}
	}
	var mu sync.Mutex
	return func(s string) {
		mu.Lock()
		defer mu.Unlock()
		log(s)
	}
}

type lines func(string)

func (f lines) Write(p []byte) (int, error) {
	f(strings.TrimSuffix(string(p), "\n"))
	return len(p), nil
}

func logger(f func(string)) *log.Logger { return log.New(lines(f), "", 0) }

func (b *backend) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b.open.Add(1)
	defer b.open.Done()
	c, ok := r.Context().Value(connKey{}).(*place)
	if !ok || c.over {
		refuse(w)
		return
	}
	p := &peer{backend: b, raw: c, who: nameOf(c.RemoteAddr(), r.Header)}
	conn, err := ws.Accept(w, r, &ws.AcceptOptions{
		Subprotocols:       firstOffered(r.Header),
		InsecureSkipVerify: true, // of the Origin, that is: the tutorial's backend takes any
		CompressionMode:    ws.CompressionNoContextTakeover,
		OnPingReceived:     func(context.Context, []byte) bool { p.pinged(); return true },
	})
	if err != nil {
		return // it has answered the client
	}
	p.conn, p.deflates = conn, w.Header().Get("Sec-WebSocket-Extensions") != ""
	p.serve()
}

func firstOffered(h http.Header) []string {
	first, _, _ := strings.Cut(h.Get("Sec-WebSocket-Protocol"), ",")
	if first = strings.TrimSpace(first); handshake.Token(first) {
		return []string{first}
	}
	return nil
}
