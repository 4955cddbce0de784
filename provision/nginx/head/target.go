// Package head has the head of a request, and reads it as nginx does: the target with what is encoded in it, and the
// host, which is looked up in tables with wildcards.
package head

import (
	"errors"
	"fmt"
	"strings"
)

// ErrBadTarget says that nginx answers such a target with 400.
var ErrBadTarget = errors.New("nginx refuses such a target")

// Target is where a request goes to.
type Target struct {
	Path, Args string
	// Quoted and Plus: the target had a percent sign, or a plus, in its path.
	Quoted, Plus bool
}

// ParseTarget is ngx_http_parse_request_line and ngx_http_parse_complex_uri for a target that begins with a slash.
// Slashes that follow a slash are left out where merge is true.
func ParseTarget(text string, merge bool) (Target, error) {
	path, args, _ := strings.Cut(text, "?")
	t := Target{Path: path, Args: args, Quoted: strings.Contains(path, "%"), Plus: strings.Contains(path, "+")}
	if !strings.HasPrefix(path, "/") {
		return t, errors.New("a target that does not begin with a slash is not followed")
	}
	if strings.Contains(text, "#") {
		return t, errors.New("a target with a # is not followed")
	}
	for i := range len(text) {
		if text[i] <= ' ' || text[i] == 0x7f {
			return t, errors.New("a target with a space or a control character is not followed")
		}
	}
	if !t.Quoted && !complexPath(path) {
		return t, nil
	}
	t.Plus = t.Plus || strings.Contains(strings.ToLower(path), "%2b")
	var err error
	t.Path, err = normal(path, merge)
	return t, err
}

// complexPath: a segment that begins with a dot, or is empty.
func complexPath(path string) bool {
	return strings.Contains(path, "/.") || strings.Contains(path, "//")
}

// normal decodes a path, takes out . and .. and, where merge is true, slashes that follow a slash. A decoded slash or
// dot counts as one that was written; a decoded % or ? does not begin anything.
func normal(path string, merge bool) (string, error) {
	var out []byte
	segment := 0 // where the current one begins in out
	close := func(last bool) error {
		var err error
		out, err = closeSegment(out, segment, last, merge)
		segment = len(out)
		return err
	}
	for i := 0; i < len(path); i++ {
		c := path[i]
		if c == '%' {
			value, err := decoded(path[i+1:])
			if err != nil {
				return "", err
			}
			c = value
			i += 2
		}
		if c != '/' || len(out) == 0 {
			out = append(out, c)
			segment = max(segment, 1)
			continue
		}
		if err := close(false); err != nil {
			return "", err
		}
	}
	err := close(true)
	return string(out), err
}

func closeSegment(out []byte, segment int, last, merge bool) ([]byte, error) {
	switch name := string(out[segment:]); {
	case name == "." || name == "" && merge && !last:
		return out[:segment], nil
	case name == "..":
		return parent(out[:segment])
	case last:
		return out, nil
	}
	return append(out, '/'), nil
}

// parent drops the last segment of what ends in a slash.
func parent(out []byte) ([]byte, error) {
	above := strings.LastIndexByte(strings.TrimSuffix(string(out), "/"), '/')
	if above < 0 {
		return nil, ErrBadTarget
	}
	return out[:above+1], nil
}

func decoded(rest string) (byte, error) {
	if len(rest) < 2 || !isHex(rest[0]) || !isHex(rest[1]) || rest[:2] == "00" {
		return 0, ErrBadTarget
	}
	return hexValue(rest[0])<<4 | hexValue(rest[1]), nil
}

func isHex(c byte) bool { return c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'f' }

func hexValue(c byte) byte {
	if c <= '9' {
		return c - '0'
	}
	return c | 0x20 - 'a' + 10
}

// Characters that nginx escapes beside spaces, control characters and those beyond ASCII (ngx_escape_uri). Those in
// later are escaped since 1.21.1 only.
const (
	InPath = "#%?"
	InArgs = "#%&+?"
	later  = "\"<>\\^`{|};"
)

// Escape is ngx_escape_uri; an error where versions differ.
func Escape(text, special string) (string, error) {
	var out strings.Builder
	for i := range len(text) {
		c := text[i]
		switch {
		case strings.IndexByte(later, c) >= 0 && (c != ';' || special == InArgs):
			return "", fmt.Errorf("versions of nginx escape %q differently", c)
		case c <= ' ' || c >= 0x7f || strings.IndexByte(special, c) >= 0:
			out.WriteByte('%')
			out.WriteByte("0123456789ABCDEF"[c>>4])
			out.WriteByte("0123456789ABCDEF"[c&15])
		default:
			out.WriteByte(c)
		}
	}
	return out.String(), nil
}

// Redirect is a path in a redirect that nginx makes of its own accord. Versions before 1.21.0 do not escape it.
func Redirect(path string) (string, error) {
	if text, err := Escape(path, InPath); err == nil && text == path {
		return text, nil
	}
	return "", fmt.Errorf("versions of nginx escape %q differently", path)
}

// UnescapeRedirect is ngx_unescape_uri for a redirect: up to a ?, what need not be escaped is decoded.
func UnescapeRedirect(text string) (string, error) {
	var out strings.Builder
	for i := 0; i < len(text); i++ {
		switch c := text[i]; c {
		case '?':
			return out.String() + text[i:], nil
		case '%':
			if i+2 >= len(text) || !isHex(text[i+1]) || !isHex(text[i+2]) {
				return "", errors.New("the redirect has a percent sign that encodes nothing")
			}
			value := hexValue(text[i+1])<<4 | hexValue(text[i+2])
			switch {
			case value == '?':
				return out.String() + "?" + text[i+3:], nil
			case value > '%' && value < 0x7f:
				out.WriteByte(value)
			default:
				out.WriteString(text[i : i+3])
			}
			i += 2
		default:
			out.WriteByte(c)
		}
	}
	return out.String(), nil
}
