package websocket

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	ws "github.com/coder/websocket"
)

const (
	// serveLimit is the longest message the echo backend takes; the npm ws package has the same.
	serveLimit = 100 << 20
	// serveGrace is how long open connections get to close when Serve ends.
	serveGrace = time.Second
	// keepBuffer is the most that an idle connection holds on to.
	keepBuffer = 1 << 20
	logText    = 200 // characters of a message in the log
)

// backend is one Serve.
type backend struct {
	ctx  context.Context
	log  func(string)
	open sync.WaitGroup
}

type connKey struct{}

// Serve is the tutorial's server.js until ctx ends: every path and origin is upgraded, a text comes back behind
// "Echo: ", binary as it was; what is no handshake gets 426. It logs "Client connected", "Received: …" and "Client
// disconnected". Messages go to 100 MiB. The first subprotocol offered is taken, and permessage-deflate if it is offered.
// When ctx ends, clients get 1001 and a second; nil is returned. l is closed in any case. log may be nil; it is not
// called by two at once.
func Serve(ctx context.Context, l net.Listener, log func(string)) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	b := &backend{ctx: ctx, log: serial(log)}
	server := &http.Server{
		Handler:           b,
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          logger(b.log),
		// The frame library gives no way to cut a connection while it waits for a close frame; this does.
		ConnContext: func(ctx context.Context, c net.Conn) context.Context { return context.WithValue(ctx, connKey{}, c) },
	}
	stop := context.AfterFunc(ctx, func() { _ = l.Close() })
	defer stop()
	err := server.Serve(l)
	asked := ctx.Err() != nil
	cancel()
	b.finish(server)
	if asked {
		return nil
	}
	return fmt.Errorf("echo backend: %w", err)
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
	raw, _ := r.Context().Value(connKey{}).(net.Conn)
	conn, err := ws.Accept(w, r, &ws.AcceptOptions{
		Subprotocols:       firstOffered(r.Header),
		InsecureSkipVerify: true, // of the Origin, that is: the tutorial's backend takes any
		CompressionMode:    ws.CompressionNoContextTakeover,
	})
	if err != nil {
		return // it has answered the client
	}
	b.log("Client connected")
	defer b.log("Client disconnected")
	stop := context.AfterFunc(b.ctx, func() { goAway(conn, raw) })
	defer stop()
	defer conn.CloseNow()
	conn.SetReadLimit(serveLimit)
	_ = b.answer(conn)
}

// goAway closes with 1001, which the frame library waits 5 s for to be answered; we do not.
func goAway(conn *ws.Conn, raw net.Conn) {
	_ = raw.SetDeadline(time.Now().Add(serveGrace))
	_ = conn.Close(ws.StatusGoingAway, "")
	_ = raw.Close()
}

func firstOffered(h http.Header) []string {
	first, _, _ := strings.Cut(h.Get("Sec-WebSocket-Protocol"), ",")
	if first = strings.TrimSpace(first); token(first) {
		return []string{first}
	}
	return nil
}

// answer echoes until the client leaves. A message goes back in one frame, however many it came in.
func (b *backend) answer(conn *ws.Conn) error {
	var buf bytes.Buffer
	for {
		buf.Reset()
		if buf.Cap() > keepBuffer {
			buf = bytes.Buffer{}
		}
		kind, r, err := conn.Reader(context.Background())
		if err != nil {
			return err
		}
		if err := b.reply(conn, kind, r, &buf); err != nil {
			return err
		}
	}
}

func (b *backend) reply(conn *ws.Conn, kind ws.MessageType, r io.Reader, buf *bytes.Buffer) error {
	if kind == ws.MessageText {
		buf.WriteString(echoPrefix)
	}
	if _, err := buf.ReadFrom(r); err != nil {
		return err
	}
	if kind == ws.MessageBinary {
		b.log(fmt.Sprintf("Received: %d bytes", buf.Len()))
		return conn.Write(context.Background(), kind, buf.Bytes())
	}
	text := buf.Bytes()[len(echoPrefix):]
	if !utf8.Valid(text) { // RFC 6455 section 8.1; the frame library leaves it to us
		return conn.Close(ws.StatusInvalidFramePayloadData, "text is not UTF-8")
	}
	b.log("Received: " + loggable(text))
	return conn.Write(context.Background(), kind, buf.Bytes())
}

// loggable keeps a message to one line of the log, of bounded length and without control characters.
func loggable(text []byte) string {
	s := string(text[:min(len(text), 4*logText)])
	if r := []rune(strings.ToValidUTF8(s, "")); len(r) > logText || len(text) > len(s) {
		s = string(r[:min(len(r), logText)]) + fmt.Sprintf("… (%d bytes)", len(text))
	}
	for _, r := range s {
		if !strconv.IsPrint(r) {
			q := strconv.Quote(s)
			return q[1 : len(q)-1]
		}
	}
	return s
}
