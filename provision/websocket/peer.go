package websocket

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
	"unicode/utf8"

	ws "github.com/coder/websocket"

	"wsprovision/provision/plaintext"
)

const (
	// firstBuffer is what a message gets to begin with, in bytes.
	firstBuffer = 4 << 10
	// deflateCost is what compressing one message takes besides the message: a compress/flate Writer and Reader.
	deflateCost = 1280 << 10
	logText     = 200 // characters of a message in the log
)

// peer is one client of a backend.
type peer struct {
	*backend
	conn     *ws.Conn
	raw      net.Conn
	who      string
	deflates bool // permessage-deflate was agreed on

	clock   *time.Timer            // ends the connection
	what    atomic.Pointer[string] // what the clock waits for
	ended   atomic.Pointer[string] // what it has ended the connection for
	waiting bool                   // for a message; of the goroutine that reads
	held    int64                  // bytes of the backend's memory
}

func (p *peer) serve() {
	p.say("Client connected")
	defer func() { p.say("Client disconnected" + p.reason()) }()
	defer p.conn.CloseNow()
	stop := context.AfterFunc(p.ctx, func() { p.part(ws.StatusGoingAway, "") })
	defer stop()
	p.what.Store(new(string))
	p.clock = time.AfterFunc(p.limits.Idle, p.expire)
	defer p.clock.Stop()
	p.conn.SetReadLimit(p.limits.Message)
	for p.answer() == nil {
	}
}

// say logs what became of the client, behind who it is.
func (p *peer) say(line string) { p.log(p.who + " " + line) }

// nameOf is the client's address and, where a proxy is the client, for whom that says it asks.
func nameOf(remote net.Addr, h http.Header) string {
	who := "[" + remote.String()
	if asked := h.Get("X-Forwarded-For"); asked != "" {
		who += " for " + loggable([]byte(asked))
	}
	return who + "]"
}

// within gives the client that long for the next thing.
func (p *peer) within(d time.Duration, what string) {
	what = fmt.Sprintf("%s in %s", what, plaintext.Duration(d))
	p.what.Store(&what)
	p.clock.Reset(d)
}

func (p *peer) expire() {
	what := p.what.Load()
	p.ended.Store(what)
	p.part(ws.StatusPolicyViolation, *what)
}

func (p *peer) reason() string {
	if what := p.ended.Load(); what != nil {
		return ": " + *what
	}
	return ""
}

// pinged is a sign of life between messages. Within one it is none: who sends pings and no more of the message holds
// its memory.
func (p *peer) pinged() {
	if p.waiting {
		p.idle()
	}
}

func (p *peer) idle() { p.within(p.limits.Idle, "no message and no ping") }

// part closes with a reason. The frame library would wait 5 s for the answer; we do not.
func (p *peer) part(code ws.StatusCode, reason string) {
	_ = p.raw.SetDeadline(time.Now().Add(serveGrace))
	_ = p.conn.Close(code, reason)
	_ = p.raw.Close()
}

// answer echoes one message. It goes back in one frame, however many it came in.
func (p *peer) answer() error {
	p.waiting = true
	p.idle()
	kind, r, err := p.conn.Reader(context.Background()) // the clock ends it
	p.waiting = false
	if err != nil {
		return err
	}
	defer p.release()
	p.within(p.limits.Transfer, "not the whole message")
	message, err := p.read(kind, r)
	if errors.Is(err, errNoMemory) {
		p.full.add()
		p.part(ws.StatusTryAgainLater, err.Error())
	}
	if err != nil {
		return err
	}
	return p.reply(kind, message)
}

// read is the echo of one message: behind the prefix, if it is a text.
func (p *peer) read(kind ws.MessageType, r io.Reader) (message []byte, err error) {
	if kind == ws.MessageText {
		message = []byte(echoPrefix)
	}
	for err == nil {
		if message, err = p.grow(message); err != nil {
			return nil, err
		}
		var n int
		n, err = r.Read(message[len(message):cap(message)])
		message = message[:len(message)+n]
	}
	if errors.Is(err, io.EOF) {
		return message, nil
	}
	return nil, err
}

var errNoMemory = errors.New("the echo backend has no memory left for it")

// grow makes room, as far as the memory of all connections has some. While it copies, both copies count.
func (p *peer) grow(message []byte) ([]byte, error) {
	if len(message) < cap(message) && p.held > 0 {
		return message, nil
	}
	// the frame library reads one byte more, to see what is too long
	most := p.limits.Message + int64(len(echoPrefix)) + 2
	size := min(max(firstBuffer, 2*int64(cap(message))), most)
	before, cost := p.held, size
	if p.deflates {
		cost = 2*size + deflateCost // compressed, a message is there twice
	}
	if !p.memory.take(cost) {
		return nil, errNoMemory
	}
	bigger := append(make([]byte, 0, size), message...)
	p.held = cost
	p.memory.give(before)
	return bigger, nil
}

func (p *peer) release() {
	p.memory.give(p.held)
	p.held = 0
}

func (p *peer) reply(kind ws.MessageType, message []byte) error {
	if kind == ws.MessageBinary {
		p.say(fmt.Sprintf("Received: %d bytes", len(message)))
	} else {
		text := message[len(echoPrefix):]
		if !utf8.Valid(text) { // RFC 6455 section 8.1; the frame library leaves it to us
			p.part(ws.StatusInvalidFramePayloadData, "text is not UTF-8")
			return net.ErrClosed
		}
		p.say("Received: " + loggable(text))
	}
	p.within(p.limits.Transfer, "the echo was not taken")
	return p.conn.Write(context.Background(), kind, message) // the clock ends it
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
