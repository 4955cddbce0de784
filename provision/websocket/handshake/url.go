package handshake

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
)

// ParseURL reads a ws or wss URL (RFC 6455 section 3): no fragment, no user information; the port defaults to 80 or
// 443.
func ParseURL(raw string) (Target, error) {
	t, err := parseURL(raw)
	if err != nil {
		return Target{}, fmt.Errorf("url %q: %w", raw, err)
	}
	return t, nil
}

func parseURL(raw string) (Target, error) {
	u, err := url.Parse(raw)
	if err != nil {
		var inner *url.Error
		if errors.As(err, &inner) {
			err = inner.Err // the URL is in our message already
		}
		return Target{}, err
	}
	t := Target{Path: u.RequestURI()}
	port := "80"
	switch strings.ToLower(u.Scheme) {
	case "ws":
	case "wss":
		t.TLS, port = &tls.Config{}, "443"
	case "http":
		return Target{}, errors.New("the scheme is http; a WebSocket's is ws")
	case "https":
		return Target{}, errors.New("the scheme is https; a WebSocket's over TLS is wss")
	default:
		return Target{}, errors.New("must begin with ws:// or wss://")
	}
	if err := noExtras(u, raw); err != nil {
		return Target{}, err
	}
	if t.Address, t.Host, err = authority(u, port); err != nil {
		return Target{}, err
	}
	return t, t.Validate()
}

func noExtras(u *url.URL, raw string) error {
	switch {
	case u.User != nil:
		return errors.New("a name or password has no place in it; send an Authorization header")
	case strings.Contains(raw, "#"):
		return errors.New("a WebSocket URL has no fragment (RFC 6455 section 3); write # as %23")
	case u.Opaque != "" || u.Hostname() == "":
		return errors.New("no host")
	}
	return nil
}

// authority is the address to dial and the Host to send: the default port is left out of Host, as browsers do (nginx
// would not mind), and an IPv6 zone, which means something on this host only (RFC 6874).
func authority(u *url.URL, fallback string) (address, host string, err error) {
	name, port := u.Hostname(), u.Port()
	if strings.HasSuffix(u.Host, ":") {
		return "", "", errors.New("the port is empty")
	}
	if port == "" {
		port = fallback
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return "", "", fmt.Errorf("port %s: not between 1 and 65535", port)
	}
	address = net.JoinHostPort(name, port)
	host, _, _ = strings.Cut(name, "%")
	if !isAddress(name) {
		if host = name; !plain(host, "%:[]\"<>^`{|}") {
			return "", "", fmt.Errorf("host %q: not a host name (an international one is written in its xn-- form)",
				name)
		}
	}
	switch {
	case port != fallback:
		host = net.JoinHostPort(host, port)
	case strings.Contains(host, ":"):
		host = "[" + host + "]"
	}
	return address, host, nil
}
