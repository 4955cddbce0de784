package kinds

import (
	"strings"
	"time"

	"wsprovision/provision/site"
)

// Kind is a sort of value: what is said of it, how it is read, and how it is written.
type Kind[V any] struct {
	About
	Parse func(Scalar) (V, error)
	write func(V) any // what YAML makes of the value; nil for the value itself
}

func (k Kind[V]) Value(v V) any {
	if k.write == nil {
		return v
	}
	return k.write(v)
}

// listenWords is a listen with its option.
func listenWords(l site.Listen) any {
	if l.ProxyProtocol {
		return l.String() + " " + site.ProxyProtocol
	}
	return l.String()
}

func Pattern(p string) Schema { return Schema{"type": "string", "pattern": p} }

// The kinds of a site's values.
var (
	SiteNames = Kind[string]{About{Type: "name", Wrong: "Chat Room",
		Bounds: "Up to 64 of a-z, 0-9, - and _, beginning with a letter or a digit.",
		Schema: Pattern(`^[a-z0-9][a-z0-9_-]{0,63}$`)}, siteName, nil}
	ServerNames = Kind[string]{About{Type: "host name", Wrong: "~^ws",
		Bounds: "Letters, digits, inner hyphens and underscores, 1 to 63 between dots, 253 in all; a first label may " +
			`be *, as in "*.example.com", which YAML wants in quotes. Names in another script are written in punycode.`,
		Schema: Pattern(`^(\*\.)?[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$`)}, serverName, nil}
	Listens = Kind[site.Listen]{About{Type: "port or address:port", Wrong: "80 ssl",
		Bounds: "A port from 1 to 65535, or an IP address and a port; an IPv6 address in brackets and quotes. Behind " +
			"it may stand proxy_protocol.",
		Schema: Schema{"type": []string{"integer", "string"}, "minimum": 1, "maximum": 65535,
			"pattern": `^([0-9.]+:|\[[0-9A-Fa-f:.]+\]:)?[0-9]+( proxy_protocol)?$`}}, listen, listenWords}
	PemFiles = Kind[string]{About{Type: "file", Wrong: "certs/a.pem",
		Bounds: "An absolute path without //, /. and /.. of at most 1000 letters, digits and / - . _ ~ + , = : @.",
		Schema: Pattern(`^/[A-Za-z0-9/._~+,=:@-]*$`)}, filePath, nil}
	LocationPaths = Kind[string]{About{Type: "path", Wrong: "ws/",
		Bounds: "Begins with /, at most 1000 characters, without // /. /.. and %.",
		Schema: Pattern(`^/[^ %"';{}$\\#?]*$`)}, LocationPath, nil}
	Truths = Kind[bool]{About{Type: "true or false", Wrong: "yes", Bounds: "Without quotes.",
		Schema: Schema{"type": "boolean"}}, truth, nil}
	Timeouts = Kind[time.Duration]{About{Type: "duration", Wrong: "75",
		Bounds: "From 1ms to 8760h, in whole milliseconds.", Schema: Pattern(duration)}, timeout, nil}
	Waits = Kind[time.Duration]{About{Type: "duration", Wrong: "75",
		Bounds: "From 0s to 8760h, in whole milliseconds.", Schema: Pattern(duration)}, wait, nil}
)

// duration is what time.ParseDuration takes, without a sign.
const duration = `^([0-9]+(\.[0-9]+)?(h|m|s|ms))+$`

// Choices is one of the words.
func Choices(list ...string) Kind[string] {
	return Kind[string]{About{Type: "word", Wrong: "maybe", Bounds: "One of " + strings.Join(list, ", ") + ".",
		Schema: Schema{"enum": list}}, oneOf(list...), nil}
}

// About is what a kind of value tells of all its keys.
type About struct {
	Type   string // how the manual calls it: host:port
	Bounds string // what is accepted, as a sentence
	Wrong  string // a value that is refused
	Schema Schema // of one value, or nil for a mapping
	Many   bool   // one value or a list of them
	List   bool   // of mappings
}

// Schema is a JSON Schema, draft 7, of a value.
type Schema map[string]any
