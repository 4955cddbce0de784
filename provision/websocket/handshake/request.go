package handshake

import (
	"cmp"
	"crypto/rand"
	"crypto/sha1" // RFC 6455 section 4.2.2 asks for it; it proves understanding, not identity
	"encoding/base64"
	"maps"
	"net/http"
	"slices"
	"strings"
)

// guid is RFC 6455 section 1.3.
const guid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

// UserAgent is sent where the caller gives none.
const UserAgent = "wsprovision"

// NewKey is 16 random bytes, so that a cached or canned 101 cannot have the right digest.
func NewKey() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails (Go 1.24)
	return base64.StdEncoding.EncodeToString(b[:])
}

// Digest is the Sec-WebSocket-Accept of a key (RFC 6455, section 4.2.2).
func Digest(key string) string {
	sum := sha1.Sum([]byte(key + guid))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// UpgradeHeader is the handshake's own fields. Its keys are in Go's canonical form, as the frame library writes them.
func UpgradeHeader(key string, subprotocols []string) http.Header {
	h := http.Header{}
	h.Set("Upgrade", "websocket")
	h.Set("Connection", "Upgrade")
	h.Set("Sec-WebSocket-Version", "13")
	h.Set("Sec-WebSocket-Key", key)
	if len(subprotocols) > 0 {
		h.Set("Sec-WebSocket-Protocol", strings.Join(subprotocols, ", "))
	}
	return h
}

// Request is the bytes of a GET to a validated target, with the fields of shake besides the target's own.
func Request(t Target, shake http.Header) []byte {
	var b strings.Builder
	line := func(s ...string) { b.WriteString(strings.Join(s, "") + "\r\n") }
	line(cmp.Or(t.Method, http.MethodGet), " ", t.path(), " HTTP/1.1")
	if _, replaced := t.Instead["Host"]; !replaced {
		line("Host: ", t.host())
	}
	if t.Header.Get("User-Agent") == "" {
		line("User-Agent: ", UserAgent)
	}
	if t.Origin != "" {
		line("Origin: ", t.Origin)
	}
	for _, h := range []http.Header{t.replaced(shake), t.Header} {
		for _, name := range slices.Sorted(maps.Keys(h)) {
			for _, v := range h[name] {
				line(spelling(name), ": ", v)
			}
		}
	}
	line()
	return []byte(b.String())
}

// replaced are the handshake's own fields, but for those that others stand in for.
func (t Target) replaced(shake http.Header) http.Header {
	if len(t.Instead) == 0 {
		return shake
	}
	h := shake.Clone()
	for name, values := range t.Instead {
		h[http.CanonicalHeaderKey(name)] = values
	}
	return h
}

// spelling gives a field of the handshake the RFC's capitals: some hand-written backends compare them.
func spelling(name string) string {
	if rest, ok := strings.CutPrefix(name, "Sec-Websocket-"); ok {
		return "Sec-WebSocket-" + rest
	}
	return name
}
