package websocket

import (
	"context"
	"net/http"

	"wsprovision/provision/websocket/handshake"

	ws "github.com/coder/websocket"
)

// session is one open WebSocket with a reader of its own, so that pings are answered whatever the user of it does.
type session struct {
	conn  *ws.Conn
	link  *handshake.Link
	watch *watch
	shake handshake.Result

	in   chan message  // what the peer sends; closed when reading has ended
	gone chan struct{} // closed by end: nobody receives from in any more
	err  error         // why reading ended; to be read once in is closed
}

type message struct {
	kind ws.MessageType
	data []byte
}

// dialOptions are the few things in which the users of a session differ.
type dialOptions struct {
	limit    int64 // bytes of a message received; more closes with 1009
	compress bool  // offer permessage-deflate
	pinged   func()
}

// tripper lends the frame library our handshake: it thinks it speaks through an http.Client, and never dials.
type tripper struct {
	target handshake.Target
	shake  handshake.Result
	link   *handshake.Link
	watch  *watch
	err    error
}

// stream is the response body of a 101 as the frame library wants it: reads pass the watch.
type stream struct {
	*handshake.Link
	watch *watch
}

func (s stream) Read(p []byte) (int, error) { return s.watch.Read(p) }

func (r *tripper) RoundTrip(req *http.Request) (*http.Response, error) {
	if r.link, r.err = handshake.Upgrade(req.Context(), r.target, req.Header, &r.shake); r.err != nil {
		return nil, r.err
	}
	r.watch = &watch{r: r.link}
	return &http.Response{
		StatusCode: r.shake.Status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: r.shake.Header, Body: stream{r.link, r.watch}, Request: req,
	}, nil
}

// open makes a session; ctx bounds the handshake only. end must be called.
func open(ctx context.Context, t handshake.Target, o dialOptions) (*session, handshake.Result, error) {
	ctx, cancel := bound(ctx, handshake.DefaultTimeout)
	defer cancel()
	r := &tripper{target: t}
	d := &ws.DialOptions{HTTPClient: &http.Client{Transport: r}, Subprotocols: t.Subprotocols}
	if o.compress {
		d.CompressionMode = ws.CompressionNoContextTakeover
	}
	if o.pinged != nil {
		d.OnPingReceived = func(context.Context, []byte) bool { o.pinged(); return true }
	}
	conn, _, err := ws.Dial(ctx, "ws://target/", d) // the address is the tripper's
	if err != nil {
		if r.err != nil {
			err = r.err // without the library's and the http client's words around it
		} else if r.link != nil {
			_ = r.link.Close()
		}
		return nil, r.shake, err
	}
	conn.SetReadLimit(o.limit)
	s := &session{
		conn: conn, link: r.link, watch: r.watch, shake: r.shake, in: make(chan message), gone: make(chan struct{}),
	}
	go s.read()
	return s, r.shake, nil
}

// read ends with the connection closed: the library leaves a ping waiting for its pong after the peer has hung up.
func (s *session) read() {
	defer func() { _ = s.conn.CloseNow() }()
	defer close(s.in)
	for {
		kind, data, err := s.conn.Read(context.Background()) // ends when the connection is closed
		if err != nil {
			s.err = err
			return
		}
		select {
		case s.in <- message{kind, data}:
		case <-s.gone:
			s.err = context.Canceled
			return
		}
	}
}

// drain throws away what comes until stop is closed; without it a message in the way would keep a pong or a close frame
// from being read. It returns how many there were.
func (s *session) drain(stop <-chan struct{}) (n int) {
	in := s.in
	for {
		select {
		case _, ok := <-in:
			if !ok {
				in = nil
				continue
			}
			n++
		case <-stop:
			return n
		}
	}
}

// while runs do with the peer's messages thrown away meanwhile.
func (s *session) while(do func() error) error {
	stop, done := make(chan struct{}), make(chan struct{})
	go func() { defer close(done); s.drain(stop) }()
	err := do()
	close(stop)
	<-done
	return err
}

// ping waits for the pong. When ctx ends first the session is of no more use.
func (s *session) ping(ctx context.Context) error {
	return s.while(func() error { return s.conn.Ping(ctx) })
}

// shut makes the closing handshake and says what the peer answered: 1006 if it sent no close frame. A peer that hung up
// differs by the error from one that gave no answer: that is ctx's, or context.DeadlineExceeded, because the library
// waits for it no longer than 5 s.
func (s *session) shut(ctx context.Context, code int, reason string) (int, string, error) {
	stop := context.AfterFunc(ctx, func() { _ = s.link.Close() })
	defer stop()
	err := s.while(func() error { return s.conn.Close(ws.StatusCode(code), reason) })
	if ctx.Err() != nil {
		err = ctx.Err()
	}
	code, reason = s.watch.seen().closing()
	return code, reason, err
}

// end closes the connection, without ceremony if shut was not called, and waits for the reader.
func (s *session) end() {
	close(s.gone)
	_ = s.link.Close()
	_ = s.conn.CloseNow()
	for range s.in { // until it is closed
	}
}
