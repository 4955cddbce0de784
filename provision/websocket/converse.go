package websocket

import (
	"context"
	"fmt"

	ws "github.com/coder/websocket"

	"wsprovision/provision/plaintext"
	"wsprovision/provision/websocket/handshake"
)

// converse is Probe with messages.
func converse(ctx context.Context, t handshake.Target) (handshake.Result, error) {
	s, hs, err := open(ctx, t, dialOptions{limit: verifyLimit})
	if err != nil {
		return hs, t.Expect.Refused(err)
	}
	defer s.end()
	err = t.Expect.Upgraded(hs)
	if err == nil {
		err = s.first(ctx, t)
	}
	ctx, cancel := context.WithTimeout(ctx, closeWait)
	defer cancel()
	_, _, _ = s.shut(ctx, 1000, "")
	return hs, err
}

// first sends what the server waits for, and judges its first message.
func (s *session) first(ctx context.Context, t handshake.Target) error {
	if t.Send != "" {
		if err := s.conn.Write(ctx, ws.MessageText, []byte(t.Send)); err != nil {
			return fmt.Errorf("send the first message: %w", err)
		}
	}
	want := t.Expect.Message
	if want == nil {
		return nil
	}
	select {
	case m, ok := <-s.in:
		if !ok {
			code, reason := s.watch.seen().closing()
			return &handshake.ExpectError{What: handshake.ExpectMessage, Want: want.String(),
				Err: fmt.Errorf("the server closed the WebSocket (%d %s)", code,
					plaintext.Line(handshake.Brief(reason)))}
		}
		if !want.Match(m.data) {
			return &handshake.ExpectError{What: handshake.ExpectMessage, Want: want.String(),
				Got: fmt.Sprintf("%q", handshake.Clip(m.data, 60))}
		}
		return nil
	case <-ctx.Done():
		return &handshake.ExpectError{What: handshake.ExpectMessage, Want: want.String(), Err: context.Cause(ctx)}
	}
}
