package handshake

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"syscall"
	"time"
)

// Result is what one opening handshake showed; on an error it is filled as far as things went.
type Result struct {
	Status      int
	StatusLine  string // such as "HTTP/1.1 101 Switching Protocols"; its beginning, where it is long
	Header      http.Header
	Accepted    bool   // 101 with the headers and the digest of RFC 6455 section 4.1
	Subprotocol string // the one the server chose
	Body        []byte // the beginning of a refusal, at most 1 KiB

	Dial, Upgrade time.Duration // TCP connect (and name look-up); request to end of response header
	Local, Peer   string        // addresses of the TCP connection
	TLS           *TLS          // nil for ws
}

// DefaultTimeout bounds a handshake whose context has no deadline.
const DefaultTimeout = 30 * time.Second

// Link is a connection on which a response was read: what the reader holds beyond the header is the first frames.
type Link struct {
	net.Conn
	limit *bounded
	br    *bufio.Reader
	Sent  atomic.Int64 // bytes that the kernel has taken
}

func (l *Link) Read(p []byte) (int, error) { return l.br.Read(p) }

func (l *Link) Write(p []byte) (int, error) {
	n, err := l.Conn.Write(p)
	l.Sent.Add(int64(n))
	return n, err
}

// dial opens TCP and, for wss, TLS.
func dial(ctx context.Context, t Target, hs *Result) (net.Conn, error) {
	start := time.Now()
	network, address := t.dialled()
	connect := new(net.Dialer).DialContext
	if t.Dial != nil {
		connect = t.Dial
	}
	conn, err := connect(ctx, network, address)
	hs.Dial = time.Since(start)
	if err != nil {
		e := &DialError{Address: t.Endpoint(), Timeout: timedOut(err), Err: err}
		errors.As(err, &e.Errno)
		if errors.Is(err, syscall.ETIMEDOUT) {
			e.Timeout = true
		}
		return nil, e
	}
	hs.Local, hs.Peer = conn.LocalAddr().String(), conn.RemoteAddr().String()
	if t.Proxied {
		_, _ = io.WriteString(conn, proxyLine(conn)) // whoever does not take it does not answer either
	}
	if t.TLS == nil {
		return conn, nil
	}
	return secure(ctx, conn, t, hs)
}

func secure(ctx context.Context, conn net.Conn, t Target, hs *Result) (net.Conn, error) {
	config := t.tlsConfig()
	secured := tls.Client(conn, config)
	start := time.Now()
	if err := secured.HandshakeContext(ctx); err != nil {
		_ = conn.Close()
		facts := factsOfFailure(config, err)
		facts.Took = time.Since(start)
		hs.TLS = &facts
		return nil, &TLSError{ServerName: config.ServerName, Facts: facts, Timeout: timedOut(err), Err: err}
	}
	facts := factsOf(config, secured.ConnectionState(), time.Since(start))
	hs.TLS = &facts
	return secured, nil
}

// Exchange sends one GET and reads the header of its answer. The connection is closed on an error, or when ctx ends
// before the answer is there.
func Exchange(ctx context.Context, t Target, fields http.Header, hs *Result) (*Link, *http.Response, error) {
	if err := t.Validate(); err != nil {
		return nil, nil, err
	}
	answered, err := t.Pace.wait(ctx)
	if err != nil {
		return nil, nil, &DialError{Address: t.Endpoint(), Timeout: timedOut(err), Err: err}
	}
	defer answered()
	conn, err := dial(ctx, t, hs)
	if err != nil {
		return nil, nil, err
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	l := &Link{Conn: conn, limit: newBounded(conn)}
	l.br = bufio.NewReader(l.limit)
	start := time.Now()
	resp, err := ask(l, Request(t, fields))
	hs.Upgrade = time.Since(start)
	if err != nil {
		_ = conn.Close()
		return nil, nil, l.unanswered(ctx, hs.Upgrade, err)
	}
	hs.Status, hs.StatusLine, hs.Header = resp.StatusCode, Brief(resp.Proto+" "+resp.Status), resp.Header
	if resp.StatusCode != http.StatusSwitchingProtocols {
		hs.Body = beginning(conn, resp.Body)
	}
	return l, resp, nil
}

// unanswered tells a deadline from a caller that gave up: both end the read in the same way.
func (l *Link) unanswered(ctx context.Context, waited time.Duration, err error) error {
	if cause := ctx.Err(); cause != nil {
		err = cause
	}
	return &ResponseError{Got: l.limit.got, Waited: waited, Timeout: timedOut(err), Err: err}
}

// ask reads even if the request could not be written whole: a server that refuses early has often said why.
func ask(l *Link, request []byte) (*http.Response, error) {
	_, wrote := l.Write(request)
	resp, err := readResponse(l.br)
	if err != nil && wrote != nil {
		return nil, wrote
	}
	return resp, err
}

// beginning is what came of a body at once: a refusal that streams for ever must not hold us.
func beginning(conn net.Conn, body io.Reader) []byte {
	_ = conn.SetReadDeadline(time.Now().Add(time.Second))
	b, _ := io.ReadAll(io.LimitReader(body, maxBody))
	return b
}

// Upgrade is the opening handshake. fields are the handshake's own; on success frames follow on the link.
func Upgrade(ctx context.Context, t Target, fields http.Header, hs *Result) (*Link, error) {
	l, resp, err := Exchange(ctx, t, fields, hs)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusSwitchingProtocols {
		_ = l.Close()
		return nil, &StatusError{Code: hs.Status, Line: hs.StatusLine, Header: hs.Header, Body: hs.Body}
	}
	if err := judge(resp, t.replaced(fields)); err != nil {
		_ = l.Close()
		return nil, err
	}
	if err := ctx.Err(); err != nil { // its end may have set a deadline in the past
		_ = l.Close()
		return nil, l.unanswered(ctx, hs.Upgrade, err)
	}
	hs.Accepted, hs.Subprotocol = true, resp.Header.Get("Sec-WebSocket-Protocol")
	l.limit.lift()
	return l, nil
}
