package handshake

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// Target is one WebSocket endpoint: where to dial, and as whose site.
type Target struct {
	// Address is the TCP host:port to dial, such as 127.0.0.1:80 or [::1]:80, or unix: and the path of a socket. Empty
	// means Host, at its own port or at 80 (443 with TLS).
	Address string
	// Host is the site's name, sent as Host and, without its port, as SNI. Empty means Address.
	Host string
	// Path is the request target, query included; empty means "/". It is sent as it stands.
	Path string
	// TLS selects wss. Its ServerName defaults to the name in Host.
	TLS *tls.Config
	// Origin is sent if it is not empty, as a browser would.
	Origin string
	// Header is sent besides the handshake's own fields, which it must not name (Host, Connection, Upgrade,
	// Sec-WebSocket-*).
	Header http.Header
	// Subprotocols are offered in this order.
	Subprotocols []string
	// Method is GET where it is empty. With it and with Instead a handshake is made as a proxy spoils it.
	Method string
	// Instead are fields in place of the handshake's own, or of Host: one line for each value, and none for no value.
	Instead http.Header
	// Proxied begins the connection with a PROXY line that says who connects, as a listener with proxy_protocol wants.
	Proxied bool
	// Send is a text message that Probe sends once the WebSocket is open; "" sends none.
	Send string
	// Expect is what Probe wants to be answered.
	Expect Expect
	// Pace keeps the requests to a target that counts them apart; nil does not.
	Pace *Pace

	Dial func(ctx context.Context, network, address string) (net.Conn, error) // nil: net.Dialer's
}

// String is the URL, without the address dialled.
func (t Target) String() string {
	scheme := "ws"
	if t.TLS != nil {
		scheme = "wss"
	}
	return scheme + "://" + t.host() + t.path()
}

// Endpoint is the host and port to dial.
func (t Target) Endpoint() string {
	if t.Address != "" {
		return t.Address
	}
	if _, _, err := net.SplitHostPort(t.Host); err == nil {
		return t.Host
	}
	port := "80"
	if t.TLS != nil {
		port = "443"
	}
	return net.JoinHostPort(strings.Trim(t.Host, "[]"), port)
}

// dialled is the address as net.Dial has it.
func (t Target) dialled() (network, address string) {
	if path, ok := strings.CutPrefix(t.Endpoint(), "unix:"); ok {
		return "unix", path
	}
	return "tcp", t.Endpoint()
}

func (t Target) host() string {
	if t.Host != "" {
		return t.Host
	}
	return t.Address
}

func (t Target) path() string {
	if t.Path == "" {
		return "/"
	}
	return t.Path
}

// hostname is the name in Host without port and brackets: what a certificate must be for.
func (t Target) hostname() string {
	name := t.host()
	if h, _, err := net.SplitHostPort(name); err == nil {
		name = h
	}
	return strings.Trim(name, "[]")
}

// tlsConfig is the caller's configuration with the name filled in. A browser offers http/1.1 by ALPN for wss
// (RFC 6455 is HTTP/1.1); a server that has only h2 then refuses, which is evidence.
func (t Target) tlsConfig() *tls.Config {
	c := t.TLS.Clone()
	if c.ServerName == "" {
		c.ServerName = t.hostname()
	}
	c.NextProtos = []string{"http/1.1"}
	return c
}

// Validate refuses what would break out of its place in the request.
func (t Target) Validate() error {
	if t.Address == "" && t.Host == "" {
		return fmt.Errorf("target: neither address nor host given")
	}
	if !plain(t.host(), " /?#@\\") {
		return fmt.Errorf("host %q: not a host name", t.host())
	}
	if p := t.path(); !strings.HasPrefix(p, "/") || !plain(p, " #") {
		return fmt.Errorf("path %q: must begin with / and have no space, # or control character", p)
	}
	if !plain(t.Origin, " ") {
		return fmt.Errorf("origin %q: has a space or control character", t.Origin)
	}
	for _, p := range t.Subprotocols {
		if !Token(p) {
			return fmt.Errorf("subprotocol %q: not a token (RFC 6455 section 4.1)", p)
		}
	}
	if t.Method != "" && !Token(t.Method) {
		return fmt.Errorf("method %q: not a token", t.Method)
	}
	return errors.Join(validHeader(t.Header), validLines(t.Instead), t.Expect.validate(t.Subprotocols))
}

func validHeader(h http.Header) error {
	for name := range h {
		key := http.CanonicalHeaderKey(name)
		if !Token(name) {
			return fmt.Errorf("header %q: not a field name", name)
		}
		if key == "Host" || key == "Connection" || key == "Upgrade" || strings.HasPrefix(key, "Sec-Websocket-") {
			return fmt.Errorf("header %s: the handshake sets it", name)
		}
	}
	return validLines(h)
}

// validLines refuses what would begin a line of its own.
func validLines(h http.Header) error {
	for name, values := range h {
		if !Token(name) {
			return fmt.Errorf("header %q: not a field name", name)
		}
		for _, v := range values {
			if strings.ContainsAny(v, "\r\n\x00") {
				return fmt.Errorf("header %s: its value has a line break", name)
			}
		}
	}
	return nil
}

// plain says that s is printable ASCII without any of the characters in but.
func plain(s, but string) bool {
	for _, c := range []byte(s) {
		if c < ' ' || c > '~' || strings.IndexByte(but, c) >= 0 {
			return false
		}
	}
	return true
}

// Token is RFC 9110 section 5.6.2.
func Token(s string) bool {
	return s != "" && plain(s, " \"(),/:;<=>?@[\\]{}")
}

// isAddress says that a host is a literal IP address, zone or not.
func isAddress(host string) bool {
	_, err := netip.ParseAddr(host)
	return err == nil
}
