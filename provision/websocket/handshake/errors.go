package handshake

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"syscall"
	"time"

	"wsprovision/provision/plaintext"
)

// DialError is a TCP connection that did not come about. A name that does not resolve is a *net.DNSError within.
type DialError struct {
	Address string
	Errno   syscall.Errno // such as ECONNREFUSED (111) or EADDRNOTAVAIL (99); 0 if there was none
	Timeout bool
	Err     error
}

func (e *DialError) Error() string {
	switch {
	case e.Errno != 0:
		return fmt.Sprintf("connect to %s: %s (errno %d)", e.Address, e.Errno.Error(), int(e.Errno))
	case e.Timeout:
		return fmt.Sprintf("connect to %s: timed out", e.Address)
	}
	return fmt.Sprintf("connect to %s: %s", e.Address, innermost(e.Err))
}

func (e *DialError) Unwrap() error { return e.Err }

// TLSError is a TLS session that did not come about. Within it are x509.CertificateInvalidError (expired),
// x509.HostnameError, x509.UnknownAuthorityError, tls.RecordHeaderError (no TLS spoken there) or tls.AlertError.
type TLSError struct {
	ServerName string
	Facts      TLS // the certificates shown, if it came that far
	Timeout    bool
	Err        error
}

func (e *TLSError) Error() string {
	if e.Timeout {
		return fmt.Sprintf("tls with %s: timed out", e.ServerName)
	}
	return fmt.Sprintf("tls with %s: %s", e.ServerName, strings.TrimPrefix(e.Err.Error(), "tls: "))
}

func (e *TLSError) Unwrap() error { return e.Err }

// ResponseError is no HTTP response where one was due: closed, timed out, too long, or something that is not HTTP.
type ResponseError struct {
	Got     []byte        // the first bytes that came, at most 256
	Waited  time.Duration // since the request
	Timeout bool
	Err     error
}

func (e *ResponseError) Error() string {
	what := e.Err.Error()
	switch {
	case e.Timeout:
		what = fmt.Sprintf("none within %s", plaintext.Duration(e.Waited.Round(time.Millisecond)))
	case errors.Is(e.Err, context.Canceled):
		what = "given up"
	case len(e.Got) == 0 && !errors.Is(e.Err, errHeaderTooLong):
		what = "the connection was closed without one: " + innermost(e.Err)
	}
	if len(e.Got) > 0 {
		what += fmt.Sprintf(", after %q", Clip(e.Got, 60))
	}
	return "http response: " + what
}

func (e *ResponseError) Unwrap() error { return e.Err }

// StatusError is an HTTP answer other than 101: 502, 400, 403, 404, 426, 504 and the rest, redirections too.
type StatusError struct {
	Code   int
	Line   string // such as "HTTP/1.1 502 Bad Gateway"
	Header http.Header
	Body   []byte // its beginning, at most 1 KiB
}

func (e *StatusError) Error() string {
	s := "not upgraded: " + e.Line
	if v := e.Header.Get("Server"); v != "" {
		s += " from " + Brief(v)
	}
	if v := e.Header.Get("Location"); v != "" {
		s += " to " + Brief(v)
	}
	return s
}

// HeaderError is a 101 whose headers are not those of RFC 6455 section 4.1.
type HeaderError struct {
	Field string // Upgrade, Connection, Sec-WebSocket-Protocol, Sec-WebSocket-Extensions, or "status line"
	Want  string
	Got   []string // its values as received; none if it is missing
}

func (e *HeaderError) Error() string {
	if len(e.Got) == 0 {
		return fmt.Sprintf("handshake: %s is missing, want %q", e.Field, e.Want)
	}
	return fmt.Sprintf("handshake: %s is %q, want %q", e.Field, Brief(strings.Join(e.Got, ", ")), e.Want)
}

// AcceptError is a 101 without the digest of our key (RFC 6455 section 4.2.2): something that is not a WebSocket
// server, or a cache or proxy that answered in its name.
type AcceptError struct {
	Key  string
	Want string
	Got  []string // none if it is missing
}

func (e *AcceptError) Error() string {
	if len(e.Got) == 0 {
		return "handshake: Sec-WebSocket-Accept is missing"
	}
	return fmt.Sprintf("handshake: Sec-WebSocket-Accept is %q, want %q", Brief(strings.Join(e.Got, ", ")), e.Want)
}

func timedOut(err error) bool {
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded) || isTimeout(err)
}

func isTimeout(err error) bool {
	var n net.Error
	return errors.As(err, &n) && n.Timeout()
}

// innermost drops the wrapping ("dial tcp 127.0.0.1:80: connect: …") that the message around it already says.
func innermost(err error) string {
	var dns *net.DNSError
	if errors.As(err, &dns) {
		return dns.Error()
	}
	for {
		next := errors.Unwrap(err)
		if next == nil {
			return err.Error()
		}
		err = next
	}
}

// Brief keeps what a server wrote to a length that can be read in a sentence.
func Brief(s string) string { return Clip([]byte(s), 200) }

// Clip keeps the beginning of what a server sent.
func Clip(b []byte, n int) string {
	if len(b) > n {
		return string(b[:n]) + "…"
	}
	return string(b)
}
