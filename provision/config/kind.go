package config

import (
	"strings"
	"time"

	"wsprovision/provision/site"
)

// kind is a sort of value: what is said of it, how it is read, and how it is written.
type kind[V any] struct {
	about
	parse func(scalar) (V, error)
	write func(V) any // what YAML makes of the value; nil for the value itself
}

func (k kind[V]) value(v V) any {
	if k.write == nil {
		return v
	}
	return k.write(v)
}

// listenWords is a listen with its option.
func listenWords(l Listen) any {
	if l.ProxyProtocol {
		return l.String() + " " + site.ProxyProtocol
	}
	return l.String()
}

func pattern(p string) schema { return schema{"type": "string", "pattern": p} }

// The kinds of a site's values.
var (
	siteNames = kind[string]{about{Type: "name", Wrong: "Chat Room",
		Bounds: "Up to 64 of a-z, 0-9, - and _, beginning with a letter or a digit.",
		Schema: pattern(`^[a-z0-9][a-z0-9_-]{0,63}$`)}, siteName, nil}
	serverNames = kind[string]{about{Type: "host name", Wrong: "~^ws",
		Bounds: "Letters, digits, inner hyphens and underscores, 1 to 63 between dots, 253 in all; a first label may " +
			`be *, as in "*.example.com", which YAML wants in quotes. Names in another script are written in punycode.`,
		Schema: pattern(`^(\*\.)?[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$`)}, serverName, nil}
	listens = kind[Listen]{about{Type: "port or address:port", Wrong: "80 ssl",
		Bounds: "A port from 1 to 65535, or an IP address and a port; an IPv6 address in brackets and quotes. Behind " +
			"it may stand proxy_protocol.",
		Schema: schema{"type": []string{"integer", "string"}, "minimum": 1, "maximum": 65535,
			"pattern": `^([0-9.]+:|\[[0-9A-Fa-f:.]+\]:)?[0-9]+( proxy_protocol)?$`}}, listen, listenWords}
	pemFiles = kind[string]{about{Type: "file", Wrong: "certs/a.pem",
		Bounds: "An absolute path without //, /. and /.. of at most 1000 letters, digits and / - . _ ~ + , = : @.",
		Schema: pattern(`^/[A-Za-z0-9/._~+,=:@-]*$`)}, filePath, nil}
	locationPaths = kind[string]{about{Type: "path", Wrong: "ws/",
		Bounds: "Begins with /, at most 1000 characters, without // /. /.. and %.",
		Schema: pattern(`^/[^ %"';{}$\\#?]*$`)}, locationPath, nil}
	truths = kind[bool]{about{Type: "true or false", Wrong: "yes", Bounds: "Without quotes.",
		Schema: schema{"type": "boolean"}}, truth, nil}
	timeouts = kind[time.Duration]{about{Type: "duration", Wrong: "75",
		Bounds: "From 1ms to 8760h, in whole milliseconds.", Schema: pattern(duration)}, timeout, nil}
	waits = kind[time.Duration]{about{Type: "duration", Wrong: "75",
		Bounds: "From 0s to 8760h, in whole milliseconds.", Schema: pattern(duration)}, wait, nil}
)

// duration is what time.ParseDuration takes, without a sign.
const duration = `^([0-9]+(\.[0-9]+)?(h|m|s|ms))+$`

// choices is one of the words.
func choices(list ...string) kind[string] {
	return kind[string]{about{Type: "word", Wrong: "maybe", Bounds: "One of " + strings.Join(list, ", ") + ".",
		Schema: schema{"enum": list}}, oneOf(list...), nil}
}
