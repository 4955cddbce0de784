package websocket

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"
)

// maxLine is the longest message that can be typed or piped.
const maxLine = 16 << 20

// input reads lines in a goroutine, because a Read of a terminal cannot be called off.
type input struct {
	from  io.Reader
	lines chan []byte // closed at the end of the input
	stop  chan struct{}
	err   error // why it ended, nil for EOF; to be read once lines is closed
}

func newInput(from io.Reader) *input {
	in := &input{from: from, lines: make(chan []byte), stop: make(chan struct{})}
	go in.read()
	return in
}

func (in *input) read() {
	defer close(in.lines)
	r := bufio.NewReaderSize(in.from, 64<<10)
	for n := 1; ; n++ {
		line, err := readLine(r)
		if len(line) > 0 || err == nil {
			select {
			case in.lines <- line:
			case <-in.stop:
				return
			}
		}
		if err != nil {
			if !errors.Is(err, io.EOF) {
				in.err = fmt.Errorf("line %d: %w", n, err)
			}
			return
		}
	}
}

// next is one line, or false at the end of the input or of ctx.
func (in *input) next(ctx context.Context) ([]byte, bool) {
	select {
	case line, ok := <-in.lines:
		return line, ok
	case <-ctx.Done():
		return nil, false
	}
}

// end lets the goroutine go. One that is in a Read of something without read deadlines stays there until the Read
// returns: it is woken where it can be (pipes, sockets, most terminals).
func (in *input) end() {
	close(in.stop)
	if d, ok := in.from.(interface{ SetReadDeadline(time.Time) error }); ok {
		_ = d.SetReadDeadline(time.Unix(1, 0))
	}
}

// readLine is one line without its end, LF or CRLF; the last may lack it, and then comes with io.EOF.
func readLine(r *bufio.Reader) ([]byte, error) {
	var line []byte
	for {
		part, err := r.ReadSlice('\n')
		line = append(line, part...)
		if len(line) > maxLine+2 {
			return nil, fmt.Errorf("longer than %d MiB", maxLine>>20)
		}
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case errors.Is(err, os.ErrDeadlineExceeded):
			return nil, io.EOF // end called it off
		}
		return trimEnd(line), err
	}
}

func trimEnd(line []byte) []byte {
	n := len(line)
	if n > 0 && line[n-1] == '\n' {
		if n--; n > 0 && line[n-1] == '\r' {
			n--
		}
	}
	return line[:n]
}
