package websocket

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	mathrand "math/rand/v2"
	"unicode/utf8"
)

// Echo says what is known of the backend behind a target.
type Echo int

const (
	// EchoAuto sends a message and takes an answer that is not an echo, or none, for a backend that does not echo.
	EchoAuto Echo = iota
	// EchoYes makes a missing echo a failure.
	EchoYes
	// EchoNo sends no messages at all.
	EchoNo
)

// echoPrefix is what the tutorial's server.js puts before what it sends back.
const echoPrefix = "Echo: "

func newText() []byte {
	var b [8]byte
	_, _ = rand.Read(b[:])
	return []byte("wsprovision " + hex.EncodeToString(b[:]) + " ✓")
}

// newBinary is n random bytes that are valid UTF-8 and use nearly every byte value. The tutorial's server makes a
// string of what it gets, which destroys anything else; so the echo of this one can be compared byte by byte.
func newBinary(n int) []byte {
	b := make([]byte, 0, n)
	for len(b) < n {
		r := mathrand.Int32N(utf8.MaxRune + 1)
		switch mathrand.IntN(4) { // as many short sequences as long ones
		case 0:
			r %= 0x80
		case 1:
			r %= 0x800
		case 2:
			r %= 0x10000
		}
		if size := utf8.RuneLen(r); size > 0 && len(b)+size <= n {
			b = utf8.AppendRune(b, r)
		}
	}
	return b
}

// echoes says whether got is sent, or carries it: the tutorial's "Echo: " and a chat's envelope are echoes as well.
func echoes(got, sent []byte) bool { return bytes.Contains(got, sent) }

// damaged says that got is an echo of sent by its looks, but not by its bytes.
func damaged(got, sent []byte) bool {
	if len(sent) == 0 || echoes(got, sent) {
		return false
	}
	body := bytes.TrimPrefix(got, []byte(echoPrefix))
	head := sent[:min(len(sent), 16)]
	return bytes.HasPrefix(body, head)
}
