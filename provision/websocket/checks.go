package websocket

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"wsprovision/provision/plaintext"
	"wsprovision/provision/websocket/handshake"

	ws "github.com/coder/websocket"
)

// verifyLimit is the longest message a backend may send us while it is verified.
const verifyLimit = 1 << 20

// EchoError is an echo that did not come, or came damaged.
type EchoError struct {
	Sent, Got int // bytes; Got is of the damaged one
	Others    int // messages received meanwhile that were something else
	Damaged   bool
}

func (e *EchoError) Error() string {
	if e.Damaged {
		return fmt.Sprintf("echo of %d bytes came back damaged, as %d bytes", e.Sent, e.Got)
	}
	return fmt.Sprintf("no echo of %d bytes, %d other messages", e.Sent, e.Others)
}

// CloseError is a connection that ended when it should not have, or not as it should have.
type CloseError struct {
	Code   int // the peer's; 1006: without a close frame
	Reason string
	After  time.Duration // since the start of the check
	Err    error
}

func (e *CloseError) Error() string {
	s := fmt.Sprintf("closed after %s with %d %q", plaintext.Duration(e.After.Round(time.Millisecond)), e.Code,
		e.Reason)
	if e.Code == 1006 {
		s = fmt.Sprintf("closed after %s without a close frame",
			plaintext.Duration(e.After.Round(time.Millisecond)))
	}
	return s + e.because()
}

// because is what made us close: no code of the peer's says it.
func (e *CloseError) because() string {
	var frame *FrameError
	switch {
	case errors.As(e.Err, &frame):
		return ": " + frame.Error()
	case errors.Is(e.Err, ws.ErrMessageTooBig):
		return ": " + strings.TrimPrefix(e.Err.Error(), "failed to read: ")
	}
	return ""
}

func (e *CloseError) Unwrap() error { return e.Err }

// IdleError is a connection that did not outlive Options.Idle: After is what a time-out of the proxy shows by.
type IdleError struct {
	After  time.Duration
	Code   int // 1006: cut without a close frame, as a proxy does
	Reason string
	Pings  int // from the server, meanwhile
}

func (e *IdleError) Error() string {
	s := fmt.Sprintf("idle connection was closed after %.1f s with %d", e.After.Seconds(), e.Code)
	if e.Code == 1006 {
		s = fmt.Sprintf("idle connection was cut after %.1f s, without a close frame", e.After.Seconds())
	}
	return s
}

// open gives the shared session, or a new one if there is none.
func (v *verifier) open(ctx context.Context) (*session, error) {
	if v.session == nil {
		s, _, err := open(ctx, v.target, dialOptions{limit: verifyLimit})
		if err != nil {
			return nil, err
		}
		v.session = s
	}
	return v.session, nil
}

func (v *verifier) drop() {
	if v.session != nil {
		v.session.end()
		v.session = nil
	}
}

func (v *verifier) text(ctx context.Context) (string, error) {
	return v.echo(ctx, ws.MessageText, newText())
}

// cutAgain is how often a long message is tried that was cut without a close frame. Who closes a connection because
// of a long message has not read the rest of it, so that TCP resets the connection, and its close frame may be lost on
// the way. It is tried again for that frame alone: one that goes through then does not undo the cut.
const cutAgain = 4

func (v *verifier) binary(ctx context.Context) (string, error) {
	detail, err := v.echo(ctx, ws.MessageBinary, newBinary(64<<10))
	for try := 0; try < cutAgain && isCut(err) && ctx.Err() == nil; try++ {
		if _, again := v.echo(ctx, ws.MessageBinary, newBinary(64<<10)); again != nil && !isCut(again) {
			return "", again
		}
	}
	return detail, err
}

func isCut(err error) bool {
	var closed *CloseError
	return errors.As(err, &closed) && closed.Code == 1006
}

func (v *verifier) echo(ctx context.Context, kind ws.MessageType, data []byte) (string, error) {
	if v.options.Echo == EchoNo {
		return "", skip("the backend is not expected to echo")
	}
	if v.silent != "" {
		return "", skip(v.silent)
	}
	s, err := v.open(ctx)
	if err != nil {
		return "", err
	}
	wait := v.options.EchoWait
	if v.echoed {
		wait = v.options.Timeout
	}
	got, err := s.echo(ctx, kind, data, wait)
	if err != nil {
		v.drop() // an echo may still be under way
		return "", v.excuse(err)
	}
	v.echoed = v.echoed || len(got.data) <= len(data)+len(echoPrefix)
	return fmt.Sprintf("%d bytes in %s", len(data), plaintext.Duration(got.after.Round(time.Microsecond))), nil
}

// excuse makes a skip of what a backend may do that does not echo: stay silent, say something else, or close properly
// (1003 for binary, say). A damaged echo or a connection cut without a close frame is excused in nobody, and silence
// not in a backend whose echo of the text was the text itself; that of a chat, in an envelope, promises nothing for
// binary.
func (v *verifier) excuse(err error) error {
	var missing *EchoError
	var closed *CloseError
	switch {
	case v.options.Echo != EchoAuto:
		return err
	case errors.As(err, &missing) && !missing.Damaged && !v.echoed:
		v.silent = fmt.Sprintf("the backend does not echo (waited %s, %d other messages)",
			plaintext.Duration(v.options.EchoWait),
			missing.Others)
	case errors.As(err, &closed) && closed.Code != 1006:
		v.silent = "the backend does not echo: it " + closed.Error()
	default:
		return err
	}
	return skip(v.silent)
}

// reply is the message that carried an echo.
type reply struct {
	data  []byte
	after time.Duration
}

// echo sends one message and waits for it to come back; greetings and broadcasts in between are passed over.
func (s *session) echo(ctx context.Context, kind ws.MessageType, data []byte, wait time.Duration) (reply, error) {
	start := time.Now()
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	wrote := make(chan error, 1)
	go func() { wrote <- s.conn.Write(ctx, kind, data) }() // both directions at once: a greeting may fill the pipe
	others := 0
	for {
		select {
		case m, ok := <-s.in:
			switch {
			case !ok:
				return reply{}, s.closed(start)
			case echoes(m.data, data):
				return reply{m.data, time.Since(start)}, <-wrote
			case damaged(m.data, data):
				return reply{}, &EchoError{Sent: len(data), Got: len(m.data), Others: others, Damaged: true}
			}
			others++
		case <-ctx.Done():
			return reply{}, &EchoError{Sent: len(data), Others: others}
		}
	}
}

// closed describes the end of a session whose reader has stopped.
func (s *session) closed(start time.Time) error {
	code, reason := s.watch.seen().closing()
	return &CloseError{Code: code, Reason: reason, After: time.Since(start), Err: s.err}
}

func (v *verifier) ping(ctx context.Context) (string, error) {
	s, err := v.open(ctx)
	if err != nil {
		return "", err
	}
	start := time.Now()
	if err := s.ping(ctx); err != nil {
		defer v.drop()
		if errors.Is(err, context.DeadlineExceeded) {
			return "", fmt.Errorf("no pong within %s: %w", plaintext.Duration(v.options.Timeout), err)
		}
		return "", s.lost(start, err)
	}
	return "pong after " + plaintext.Duration(time.Since(start).Round(time.Microsecond)), nil
}

// lost is closed for a session whose reader may not have noticed yet.
func (s *session) lost(start time.Time, err error) error {
	code, reason := s.watch.seen().closing()
	return &CloseError{Code: code, Reason: reason, After: time.Since(start), Err: err}
}

func (v *verifier) close(ctx context.Context) (string, error) {
	s, err := v.open(ctx)
	if err != nil {
		return "", err
	}
	start := time.Now()
	code, reason, err := s.shut(ctx, 1000, "")
	took := time.Since(start)
	v.drop()                          // s.err is then there to be read
	if code == 1000 || code == 1005 { // an answer without a code is allowed (RFC 6455 section 5.5.1)
		return fmt.Sprintf("answered with %d", code), nil
	}
	gaveUp := errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled)
	if code == 1006 && gaveUp { // the peer did not cut it
		return "", fmt.Errorf("no close frame within %s: %w", plaintext.Duration(took.Round(100*time.Millisecond)), err)
	}
	return "", &CloseError{Code: code, Reason: reason, After: took, Err: s.err}
}

// plain asks for the same path as a browser's address bar would: not one field of the handshake.
func (v *verifier) plain(ctx context.Context) (string, error) {
	return refusal(ctx, v.target, http.Header{"Connection": {"close"}})
}

// otherHost asks for a WebSocket under another name at the same address, and tells that site nothing meant for this
// one.
func (v *verifier) otherHost(ctx context.Context) (string, error) {
	if v.options.OtherHost == "" {
		return "", skip("no other host name was given")
	}
	t := v.target
	t.Address, t.Host = t.Endpoint(), v.options.OtherHost
	t.Header, t.Origin = nil, ""
	if t.TLS != nil {
		t.TLS = &tls.Config{InsecureSkipVerify: true} // whose certificate answers is not the question here
	}
	return refusal(ctx, t, handshake.UpgradeHeader(handshake.NewKey(), t.Subprotocols))
}

// refusal is satisfied with every answer but 101.
func refusal(ctx context.Context, t handshake.Target, fields http.Header) (string, error) {
	var hs handshake.Result
	l, _, err := handshake.Exchange(ctx, t, fields, &hs)
	var silent *handshake.ResponseError
	var noTLS *handshake.TLSError
	switch {
	case errors.As(err, &silent) && silent.Timeout:
		return "", skip(silent.Error())
	case errors.As(err, &silent) && len(silent.Got) == 0:
		return "closed without an answer", nil
	case errors.As(err, &noTLS) && !noTLS.Timeout && t.TLS.InsecureSkipVerify:
		return noTLS.Error(), nil // such as ssl_reject_handshake
	case err != nil:
		return "", err
	}
	defer l.Close()
	if hs.Status == http.StatusSwitchingProtocols {
		return "", fmt.Errorf("%s was upgraded: %s", t, hs.StatusLine)
	}
	return hs.StatusLine, nil
}

// idle lets a connection of its own lie, then wants a pong on it.
func (v *verifier) idle(ctx context.Context) (string, error) {
	if v.options.Idle <= 0 {
		return "", skip("not asked for")
	}
	s, _, err := open(ctx, v.target, dialOptions{limit: verifyLimit})
	if err != nil {
		return "", err
	}
	defer s.end()
	start := time.Now()
	if err := s.lie(ctx, v.options.Idle, start); err != nil {
		return "", err
	}
	if err := s.ping(ctx); err != nil {
		return "", s.cut(start)
	}
	detail := fmt.Sprintf("alive after %s", plaintext.Duration(time.Since(start).Round(time.Millisecond)))
	if n := s.watch.seen(); n.pings+n.frames > 0 {
		detail += fmt.Sprintf(", not quite idle: the server sent %d pings and %d messages", n.pings,
			n.frames-n.fragments)
	}
	_, _, _ = s.shut(ctx, 1000, "")
	return detail, nil
}

// lie waits without sending anything of its own.
func (s *session) lie(ctx context.Context, d time.Duration, start time.Time) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	for {
		select {
		case _, ok := <-s.in:
			if !ok {
				return s.cut(start)
			}
		case <-timer.C:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (s *session) cut(start time.Time) error {
	n := s.watch.seen()
	code, reason := n.closing()
	return &IdleError{After: time.Since(start), Code: code, Reason: reason, Pings: n.pings}
}
