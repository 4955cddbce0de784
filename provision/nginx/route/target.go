package route

import (
	"errors"
	"strings"
)

// address is where a request is: its path, which rewrites change, and what nginx remembers of how it came to it.
type address struct {
	path, args string
	// unparsed is the target as the client sent it; whole says that it still stands for the path.
	unparsed string
	whole    bool
	// quoted and plus: the target had a percent sign, or a plus, in its path.
	quoted, plus bool
	// matched: the location's name is the beginning of the path (valid_location).
	matched  bool
	internal bool
	changed  bool // by a rewrite; the location is looked for anew
	appended bool // try_files found a file below an alias of a regular expression (add_uri_to_alias)
	// within is the request that a request of nginx's own is for (r->main).
	within *answering
}

var errBadTarget = errors.New("nginx refuses such a target")

// parseTarget is ngx_http_parse_request_line and ngx_http_parse_complex_uri for a target that begins with a slash.
func parseTarget(target string, merge bool) (address, error) {
	path, args, _ := strings.Cut(target, "?")
	a := address{unparsed: target, whole: true, args: args, path: path, matched: true}
	if !strings.HasPrefix(path, "/") {
		return a, errors.New("a target that does not begin with a slash is not followed")
	}
	if strings.Contains(target, "#") {
		return a, errors.New("a target with a # is not followed")
	}
	for i := range len(target) {
		if target[i] <= ' ' || target[i] == 0x7f {
			return a, errors.New("a target with a space or a control character is not followed")
		}
	}
	a.quoted, a.plus = strings.Contains(path, "%"), strings.Contains(path, "+")
	if a.quoted || complexPath(path) {
		var err error
		a.path, err = normal(path, merge)
		a.plus = a.plus || strings.Contains(strings.ToLower(path), "%2b")
		return a, err
	}
	return a, nil
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
		return nil, errBadTarget
	}
	return out[:above+1], nil
}

func decoded(rest string) (byte, error) {
	if len(rest) < 2 || !isHex(rest[0]) || !isHex(rest[1]) || rest[:2] == "00" {
		return 0, errBadTarget
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
	inPath = "#%?"
	inArgs = "#%&+?"
	later  = "\"<>\\^`{|};"
)

// escape is ngx_escape_uri; not known where versions differ.
func escape(text, special string) Value {
	var out strings.Builder
	for i := range len(text) {
		c := text[i]
		switch {
		case strings.IndexByte(later, c) >= 0 && (c != ';' || special == inArgs):
			return unknown("versions of nginx escape %q differently", c)
		case c <= ' ' || c >= 0x7f || strings.IndexByte(special, c) >= 0:
			out.WriteByte('%')
			out.WriteByte("0123456789ABCDEF"[c>>4])
			out.WriteByte("0123456789ABCDEF"[c&15])
		default:
			out.WriteByte(c)
		}
	}
	return known(out.String())
}

// redirectTo is a path in a redirect that nginx makes of its own accord. Versions before 1.21.0 do not escape it.
func redirectTo(path string) Value {
	if v := escape(path, inPath); v.Known && v.Text == path {
		return v
	}
	return unknown("versions of nginx escape %q differently", path)
}

// unescapeRedirect is ngx_unescape_uri for a redirect: up to a ?, what need not be escaped is decoded.
func unescapeRedirect(text string) Value {
	var out strings.Builder
	for i := 0; i < len(text); i++ {
		switch c := text[i]; c {
		case '?':
			return known(out.String() + text[i:])
		case '%':
			if i+2 >= len(text) || !isHex(text[i+1]) || !isHex(text[i+2]) {
				return unknown("the redirect has a percent sign that encodes nothing")
			}
			value := hexValue(text[i+1])<<4 | hexValue(text[i+2])
			switch {
			case value == '?':
				return known(out.String() + "?" + text[i+3:])
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
	return known(out.String())
}
