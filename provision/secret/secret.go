// Package secret keeps credentials out of what is shown: a user and a password in a URL, its query, the options of a
// yum configuration that hold them, and the headers of a probe. What shows text in which such a URL may stand (a diff,
// an error, what yum printed) passes it through Hide.
//
// It is a bottom package: every other package may import it, and it imports nginx's tokens alone of ours.
package secret

import (
	"strings"

	"wsprovision/provision/lazy"
)

// Hidden stands where something was left out.
const Hidden = "…"

var (
	// address is a URL up to a character that stands behind one in a sentence; a password may hold such a character,
	// too.
	address = lazy.Regexp(`(?i)\b([a-z][a-z0-9+.-]*:/{1,3})([^\s/]*@[^\s"'<>|]*|[^\s"'<>|]+)`)
	// option is a line of a yum configuration file, or of a diff of one (yum.conf(5)).
	option = lazy.Regexp(`(?mi)^([-+ ]?[ \t]*(?:proxy_)?(?:username|password)[ \t]*[=:])[^\n]*`)
	// header is one of a mapping of headers in YAML, or in a diff of one, that says by its name that it is secret.
	header = lazy.Regexp(`(?mi)((?:^[-+ ]?[ \t]*|[{,][ \t]*)["']?(?:proxy-)?(?:authorization|cookie|` +
		`x-[a-z0-9-]*(?:auth|token|key|secret|session)[a-z0-9-]*)["']?[ \t]*:)[^\n]*`)
)

// Hide replaces the credentials in text, whatever else stands there.
func Hide(text string) string {
	text = option().ReplaceAllString(address().ReplaceAllStringFunc(text, hideURL), "${1}"+Hidden)
	return header().ReplaceAllString(text, "${1} "+Hidden)
}

// In reports whether there are credentials in text.
func In(text string) bool { return Hide(text) != text }

func hideURL(found string) string {
	m := address().FindStringSubmatch(found)
	authority, path, _ := cutAny(m[2], "/")
	if at := strings.LastIndexByte(authority, '@'); at >= 0 { // whatever the password holds: ? and # too
		host, query, _ := cutAny(authority[at:]+path, "?#")
		return m[1] + Hidden + host + hideQuery(query)
	}
	rest, query, _ := cutAny(m[2], "?#")
	authority, _, _ = cutAny(rest, "/")
	if at := strings.LastIndexByte(rest, '@'); at >= 0 && !plainPort(authority) { // the password has a slash
		rest = Hidden + rest[at:]
	}
	return m[1] + rest + hideQuery(query)
}

func hideQuery(query string) string {
	if strings.Trim(query, "?#") == "" {
		return ""
	}
	return query[:1] + Hidden + sentenceEnd(query)
}

// cutAny cuts s before the first of the characters.
func cutAny(s, chars string) (before, after string, found bool) {
	if i := strings.IndexAny(s, chars); i >= 0 {
		return s[:i], s[i:], true
	}
	return s, "", false
}

// plainPort is true for a host without a colon, or with a port behind it.
func plainPort(authority string) bool {
	_, port, _ := strings.Cut(authority, ":")
	return strings.Trim(port, "0123456789") == "" || strings.HasPrefix(port, "$") || strings.HasPrefix(authority, "[")
}

// sentenceEnd is what of the sentence around a URL stands at its end: yum writes `URL: [Errno 14] …`.
func sentenceEnd(s string) string {
	return s[len(strings.TrimRight(s, ":,;.)")):]
}

// Error is an error whose text is shown without credentials. What it wraps is reached as ever.
func Error(err error) error {
	if err == nil || !In(err.Error()) {
		return err
	}
	return &hidden{err}
}

type hidden struct{ err error }

func (h *hidden) Error() string { return Hide(h.err.Error()) }
func (h *hidden) Unwrap() error { return h.err }
