package websocket

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"
	"unicode/utf8"

	ws "github.com/coder/websocket"

	"wsprovision/provision/plaintext"
	"wsprovision/provision/websocket/handshake"
)

// ConnectOptions are a user's wishes for Connect; the zero value serves.
type ConnectOptions struct {
	// Ping is the interval of pings; a pong missing for that long, and for 10 s, ends the session. 0 sends none.
	Ping time.Duration
	// Raw writes messages as they are, and a line end behind text. Otherwise a binary message is a line of hex, and a
	// text one is a line in which line ends, and what else would steer a terminal, are escapes (package plaintext).
	Raw bool
	// SendBinary sends lines as binary messages; text ones must be UTF-8.
	SendBinary bool
	// Wait is how long after the end of in an outstanding answer may take, counted from the last bytes of a message
	// either way. 0 is 2 s; below 0 there is no end but the peer's or ctx's. One message that goes on coming for 5 min
	// without an end is not waited for.
	Wait time.Duration
	// MaxMessage is the longest message received, in bytes; 0 is 64 MiB.
	MaxMessage int64
	// Compress offers permessage-deflate.
	Compress bool
	// Opened is told of the handshake; it may be nil.
	Opened func(handshake.Result)

	arrival time.Duration // of one message, at most, after the end of in; 0 is 5 min
}

// settleTime is how long Connect listens on once every line has had its answer.
const settleTime = 100 * time.Millisecond

// pongWait is the least patience with a pong.
const pongWait = 10 * time.Second

// leaveWait is how long a line under way, our close frame and its answer may take over a slow link.
const leaveWait = 5 * time.Second

func (o ConnectOptions) withDefaults() ConnectOptions {
	if o.Wait == 0 {
		o.Wait = 2 * time.Second
	}
	if o.MaxMessage <= 0 {
		o.MaxMessage = 64 << 20
	}
	if o.arrival <= 0 {
		o.arrival = 5 * time.Minute
	}
	return o
}

// conversation is one Connect while it runs.
type conversation struct {
	options ConnectOptions
	session *session
	out     io.Writer

	pinger         sync.WaitGroup
	sent, received int
	answered       time.Time // when, after the end of the input, every line had its answer
	waiting        time.Time // since when, after the end of the input, the next message is waited for
}

// Connect sends each line of in as a message and writes what comes back to out, one line for each, until the peer
// closes, in ends or ctx does. At the end of in it waits for as many answers as lines were sent, or until nothing of
// one has come for Wait, and closes with 1000. code and reason are the peer's close frame's: 1005 without a code, 1006
// if it sent none, which is an error if we had not closed first. A Read of in that is under way when the peer closes is
// called off if in has read deadlines (pipes have), else left behind.
func Connect(ctx context.Context, t handshake.Target, in io.Reader, out io.Writer, o ConnectOptions) (code int,
	reason string,
	err error) {
	o = o.withDefaults()
	inner, hs, err := open(ctx, t, dialOptions{limit: o.MaxMessage, compress: o.Compress})
	if err != nil {
		return 0, "", err
	}
	defer inner.end()
	if o.Opened != nil {
		o.Opened(hs)
	}
	c := &conversation{options: o, session: inner, out: out}
	return c.run(ctx, newInput(in))
}

func (c *conversation) run(ctx context.Context, in *input) (int, string, error) {
	defer in.end()
	start := time.Now()
	inner, cancel := context.WithCancel(ctx)
	news, pings := c.write(inner, in), c.ping(inner)
	err := c.converse(inner, news, pings)
	cancel()
	code, reason := c.leave(err)
	for range news { // until the writer is gone
	}
	c.pinger.Wait()
	if errors.Is(err, errPeerClosed) {
		if err = nil; code == 1006 {
			err = &CloseError{Code: code, After: time.Since(start), Err: c.session.err}
		}
	}
	return code, reason, err
}

var (
	errPeerClosed = errors.New("the peer closed")
	errNotText    = errors.New("the peer sent a text message that is not UTF-8")
)

// leave closes, unless the peer has, with a code that says why.
func (c *conversation) leave(err error) (int, string) {
	ctx, cancel := context.WithTimeout(context.Background(), leaveWait)
	defer cancel()
	code := 1000
	switch {
	case errors.Is(err, errNotText):
		code = 1007
	case err != nil:
		code = 1001
	}
	code, reason, _ := c.session.shut(ctx, code, "")
	return code, reason
}

// converse prints and counts until there is a reason to stop; nil is the end of the input with nothing outstanding.
func (c *conversation) converse(ctx context.Context, news, pings <-chan error) error {
	var quiet <-chan time.Time // armed once the input has ended
	for {
		got := c.received
		select {
		case m, ok := <-c.session.in:
			if !ok {
				return errPeerClosed
			}
			if err := c.print(m); err != nil {
				return err
			}
		case err, ok := <-news:
			switch {
			case !ok:
				news = nil
			case err != nil:
				return err
			default:
				c.sent++
			}
		case err := <-pings:
			return err
		case <-quiet:
			if !c.arriving() {
				return nil
			}
		case <-ctx.Done():
			return ctx.Err()
		}
		if news == nil {
			quiet = c.lull(got != c.received)
		}
	}
}

// lull is how long to go on listening after a sign of life, such as a message, when nothing is left to send.
func (c *conversation) lull(message bool) <-chan time.Time {
	if message || c.waiting.IsZero() {
		c.waiting = time.Now()
	}
	switch {
	case c.options.Wait < 0:
		return nil
	case c.received < c.sent:
		return time.After(c.options.Wait)
	case c.answered.IsZero():
		c.answered = time.Now()
	}
	return time.After(min(settleTime, max(0, c.options.Wait-time.Since(c.answered)))) // a peer may talk for ever
}

// arriving says that a long answer is still on its way.
func (c *conversation) arriving() bool {
	return c.received < c.sent && time.Since(c.session.watch.seen().last) < c.options.Wait &&
		time.Since(c.waiting) < c.options.arrival
}

// write sends lines while converse prints, because a peer that answers as it reads would else block both. Each nil is a
// line sent; the channel is closed at the end of the input, and when the connection is lost, which the reader reports.
// A line under way when ctx ends is left to end, with the connection at the latest: the library closes that, without a
// closing handshake, where a context ends during a write.
func (c *conversation) write(ctx context.Context, in *input) <-chan error {
	news := make(chan error)
	tell := func(err error) bool {
		select {
		case news <- err:
			return err == nil
		case <-ctx.Done():
			return false
		}
	}
	go func() {
		defer close(news)
		for n := 1; ; n++ {
			line, ok := in.next(ctx)
			if !ok {
				if ctx.Err() == nil && in.err != nil {
					tell(in.err)
				}
				return
			}
			kind, err := c.kindOf(n, line)
			if err == nil && c.session.conn.Write(context.WithoutCancel(ctx), kind, line) != nil {
				return
			}
			if !tell(err) {
				return
			}
		}
	}()
	return news
}

func (c *conversation) kindOf(n int, line []byte) (ws.MessageType, error) {
	if c.options.SendBinary {
		return ws.MessageBinary, nil
	}
	if !utf8.Valid(line) {
		return 0, fmt.Errorf("line %d: not UTF-8, which a text message must be", n)
	}
	return ws.MessageText, nil
}

// ping ends the session where a peer is there but does not answer. While out blocks, nothing is read, pongs neither;
// hence the patience. A ping under way when ctx ends is left to end with the connection, as a line is. One that lines
// kept from being sent for the library's own 5 s shows nothing of a peer that goes on taking them: the next is tried.
func (c *conversation) ping(ctx context.Context) <-chan error {
	failed := make(chan error, 1)
	if c.options.Ping <= 0 {
		return failed
	}
	c.pinger.Go(func() {
		tick := time.NewTicker(c.options.Ping)
		defer tick.Stop()
		limit := max(c.options.Ping, pongWait)
		alive, sent := time.Now(), int64(0)
		for {
			select {
			case <-tick.C:
			case <-ctx.Done():
				return
			}
			patience, cancel := context.WithTimeout(context.WithoutCancel(ctx), limit)
			err := c.session.conn.Ping(patience)
			spent := patience.Err() != nil
			cancel()
			if now := c.session.link.Sent.Load(); err == nil || now != sent {
				alive, sent = time.Now(), now
			}
			switch late := errors.Is(err, context.DeadlineExceeded); {
			case late && ctx.Err() == nil && (spent || time.Since(alive) >= limit):
				failed <- fmt.Errorf("no pong within %s", plaintext.Duration(limit))
				return
			case err == nil, late:
			default:
				return // the connection is gone, which the reader reports
			}
		}
	})
	return failed
}

func (c *conversation) print(m message) error {
	c.received++
	var err error
	switch {
	case m.kind == ws.MessageBinary && c.options.Raw:
		_, err = c.out.Write(m.data)
	case m.kind == ws.MessageBinary:
		err = c.hexadecimal(m.data)
	case !utf8.Valid(m.data): // RFC 6455 section 8.1
		return errNotText
	case c.options.Raw:
		_, err = c.out.Write(append(m.data, '\n'))
	default:
		err = c.text(m.data)
	}
	if err != nil {
		return fmt.Errorf("output: %w", err)
	}
	return nil
}

// text writes a line piece by piece, too, none of which ends within a character.
func (c *conversation) text(data []byte) error {
	for {
		n, end := min(len(data), 32<<10), ""
		for n < len(data) && !utf8.RuneStart(data[n]) {
			n--
		}
		if n == len(data) {
			end = "\n"
		}
		_, err := io.WriteString(c.out, plaintext.Line(string(data[:n]))+end)
		if data = data[n:]; err != nil || end != "" {
			return err
		}
	}
}

// hexadecimal writes a line piece by piece: a long message is not to be there three times.
func (c *conversation) hexadecimal(data []byte) error {
	for piece := range slices.Chunk(data, 32<<10) {
		if _, err := c.out.Write(hex.AppendEncode(nil, piece)); err != nil {
			return err
		}
	}
	_, err := c.out.Write([]byte("\n"))
	return err
}
