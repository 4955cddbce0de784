package websocket

import (
	"context"
	"io"
	"time"

	"wsprovision/provision/websocket/handshake"
)

// closeWait is how long Probe waits for the answer to its close frame.
const closeWait = time.Second

// Probe makes one opening handshake and closes cleanly. Its errors are, by errors.As: *DialError, *TLSError,
// *ResponseError, *StatusError, for a 101 that is not right *HeaderError or *AcceptError, or both, and *ExpectError for
// an answer that is right and not the expected one. Without a deadline in ctx it ends after 30 s.
func Probe(ctx context.Context, t handshake.Target) (handshake.Result, error) {
	ctx, cancel := bound(ctx, handshake.DefaultTimeout)
	defer cancel()
	if t.Send != "" || t.Expect.Message != nil {
		return converse(ctx, t)
	}
	var hs handshake.Result
	l, err := handshake.Upgrade(ctx, t, handshake.UpgradeHeader(handshake.NewKey(), t.Subprotocols), &hs)
	if err != nil {
		return hs, t.Expect.Refused(err)
	}
	defer l.Close()
	if err := t.Expect.Upgraded(hs); err != nil {
		return hs, err
	}
	stop := context.AfterFunc(ctx, func() { _ = l.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	leave(l)
	return hs, nil
}

// leave sends a close frame and reads until the peer's or the end. How well it goes changes nothing in what the
// handshake proved; verify has a check of its own for it.
func leave(l *handshake.Link) {
	_ = l.SetDeadline(time.Now().Add(closeWait))
	// FIN and close, masked, two bytes of payload: 1000 under a mask of zeros (RFC 6455 section 5.5.1).
	if _, err := l.Write([]byte{0x88, 0x82, 0, 0, 0, 0, 0x03, 0xe8}); err != nil {
		return
	}
	w := &watch{r: l}
	buf := make([]byte, 4096)
	for range 1024 { // a peer that never stops talking gets 4 MiB of patience
		if _, err := w.Read(buf); err != nil || w.seen().closed {
			return
		}
	}
}

// bound gives ctx a deadline if it has none.
func bound(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	if _, ok := ctx.Deadline(); ok {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, d)
}

var _ io.Reader = (*watch)(nil)
