package websocket

import (
	"encoding/binary"
	"fmt"
	"io"
	"sync"
	"time"
)

// watch passes a server's frames on and takes note of what the frame library does not tell: the close frame as it was
// on the wire, pings, fragments, and a mask, which a server must not use (RFC 6455 section 5.1) and the library's
// client would not notice: it would hand out the masked bytes.
type watch struct {
	r io.Reader

	mu    sync.Mutex
	notes notes
	head  []byte // of the frame under way, until it is whole
	left  uint64 // of its payload
	close bool   // it is a close frame, whose payload is kept
	data  bool   // it is a frame of a message
	err   error
}

// notes are what has passed.
type notes struct {
	pings, pongs int
	frames       int // of data, continuations included
	fragments    int // continuations
	compressed   int // messages with RSV1: permessage-deflate in use
	closed       bool
	closeBody    []byte
	last         time.Time // when the latest bytes of a message came; pings and pongs are none
}

// FrameError is a frame that a server must not send.
type FrameError struct{ What string }

func (e *FrameError) Error() string { return "frame: " + e.What }

const (
	opContinuation = 0
	opClose        = 8
	opPing         = 9
	opPong         = 10
)

func (w *watch) Read(p []byte) (int, error) {
	n, err := w.r.Read(p)
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err == nil {
		w.err = w.note(p[:n])
	}
	if w.err != nil {
		return 0, w.err
	}
	return n, err
}

func (w *watch) seen() notes {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.notes
}

// note follows the stream; a frame's header may come in pieces.
func (w *watch) note(p []byte) error {
	for len(p) > 0 {
		if w.left > 0 {
			n := min(uint64(len(p)), w.left)
			if w.close {
				w.notes.closeBody = append(w.notes.closeBody, p[:n]...)
			}
			w.left -= n
			p = p[n:]
			w.date()
			w.settle()
			continue
		}
		w.head, p = append(w.head, p[0]), p[1:]
		if len(w.head) >= 2 && len(w.head) == headSize(w.head[1]) {
			if err := w.begin(); err != nil {
				return err
			}
		}
	}
	return nil
}

// headSize is the length of a header by its second byte (RFC 6455 section 5.2), without mask.
func headSize(second byte) int {
	switch second & 0x7f {
	case 126:
		return 4
	case 127:
		return 10
	}
	return 2
}

func (w *watch) begin() error {
	h := w.head
	w.head = nil
	if h[1]&0x80 != 0 {
		return &FrameError{fmt.Sprintf("the server masked it (opcode %d); RFC 6455 section 5.1 forbids it", h[0]&0xf)}
	}
	switch w.left = uint64(h[1]); len(h) {
	case 4:
		w.left = uint64(binary.BigEndian.Uint16(h[2:]))
	case 10:
		w.left = binary.BigEndian.Uint64(h[2:])
	}
	if h[0]&0xf >= opClose && w.left > 125 {
		return &FrameError{fmt.Sprintf("control frame of %d bytes (opcode %d); 125 is the most", w.left, h[0]&0xf)}
	}
	w.count(h[0])
	w.date()
	w.settle()
	return nil
}

func (w *watch) count(first byte) {
	w.close, w.data = false, first&0xf < opClose
	switch first & 0xf {
	case opClose:
		w.close = true
	case opPing:
		w.notes.pings++
	case opPong:
		w.notes.pongs++
	case opContinuation:
		w.notes.fragments++
		w.notes.frames++
	default:
		w.notes.frames++
		if first&0x40 != 0 {
			w.notes.compressed++
		}
	}
}

// date takes note of when bytes of a message came.
func (w *watch) date() {
	if w.data {
		w.notes.last = time.Now()
	}
}

// settle takes note of a close frame once its payload is whole.
func (w *watch) settle() {
	if w.close && w.left == 0 {
		w.notes.closed, w.close = true, false
	}
}

// closing is the peer's close frame: 1005 for one without a code, 1006 if there was none (RFC 6455 section 7.4.1).
func (n notes) closing() (code int, reason string) {
	switch {
	case !n.closed:
		return 1006, ""
	case len(n.closeBody) < 2:
		return 1005, ""
	}
	return int(binary.BigEndian.Uint16(n.closeBody)), string(n.closeBody[2:])
}
