package config

import (
	"cmp"
	"strings"
	"sync"

	"wsprovision/provision/config/kinds"
	"wsprovision/provision/config/reading"
)

// setting is one value that a flag and a variable can give. The file has it under the same path, but for those under
// "site.", which are the flags' site and have a place of their own in the file's list.
type setting struct {
	reading.Key
	value any // the default
	parse func(kinds.Scalar) (any, error)
	usage string
	many  bool
}

// flagged is a setting of a kind.
func flagged[V any](key reading.Key, value V, k kinds.Kind[V], usage string) setting {
	return setting{Key: key.Of(k.About), value: value, parse: untyped(k.Parse), usage: usage}
}

// flaggedList is one of several values, separated by commas.
func flaggedList[V any](key reading.Key, k kinds.Kind[V], usage string) setting {
	return setting{Key: key.Of(k.About), value: []V(nil), parse: split(k.Parse), usage: usage, many: true}
}

// settings is every one of them, in the order of the help.
var settings = sync.OnceValue(func() []setting { return append(siteSettings(), hostSettings()...) })

// siteSettings describe the one site of the flags. What they mean stands at the keys of a site.
func siteSettings() []setting {
	return []setting{
		flagged(reading.Key{Path: "site.name", Flag: "name"}, FlagSite, kinds.SiteNames,
			"`name` of the site that these options describe"),
		flaggedList(reading.Key{Path: "site.server_name", Flag: "server-name"}, kinds.ServerNames,
			"`names` that clients use, separated by commas"),
		flaggedList(reading.Key{Path: "site.backend", Flag: "backend"}, kinds.Backends,
			"WebSocket `backends`, host:port, https://host:port or unix:PATH, separated by commas or repeated"),
		flagged(reading.Key{Path: "site.path", Flag: "path"}, "/", kinds.LocationPaths,
			"`path` under which the backend is "+
				"reached"),
		flaggedList(reading.Key{Path: "site.http_backend", Flag: "http-backend"}, kinds.Backends,
			"plain HTTP on / goes to these `backends` (needs --path)"),
		flaggedList(reading.Key{Path: "site.listen", Flag: "listen"}, kinds.Listens,
			"`ports` or addresses to listen on, separated by commas (default 80, with TLS 443)"),
		flagged(reading.Key{Path: "site.tls_certificate", Flag: "tls-certificate"}, "", kinds.PemFiles,
			"PEM `file` of the certificate and its chain (needs --tls-key)"),
		flagged(reading.Key{Path: "site.tls_key", Flag: "tls-key"}, "", kinds.PemFiles,
			"PEM `file` of the certificate's key"),
		flagged(reading.Key{Path: "site.redirect", Flag: "redirect"}, false, kinds.Truths,
			"with TLS: port 80 sends to https"),
		flaggedList(reading.Key{Path: "site.allowed_origins", Flag: "allowed-origins", Default: "everybody"},
			kinds.OriginKinds,
			"`origins` whose pages may open a WebSocket, separated by commas, or any"),
	}
}

// Flag is what a command needs to register a flag. All of them take text, so that Load sees what was typed.
type Flag struct {
	Name  string
	Usage string // the value's name in back quotes, as pflag wants it
	Bool  bool   // --name alone means --name=true
	Many  bool   // it may be repeated: its value is a list, separated by commas
	// Default is what holds where nobody says anything; "" where there is none, or Usage has it.
	Default string
	Site    bool     // it describes the flags' site
	Words   []string // that it takes, where it takes no others
}

// Flags is every flag that Load takes, in the order of the help.
func Flags() []Flag {
	var all []Flag
	for _, s := range settings() {
		_, truth := s.value.(bool)
		text, _ := s.value.(string)
		words, _ := s.Schema["enum"].([]string)
		all = append(all, Flag{Name: s.Flag, Usage: s.usage, Bool: truth, Many: s.many,
			Default: cmp.Or(s.Default, text),
			Site:    strings.HasPrefix(s.Path, "site."), Words: words})
	}
	return all
}

func (s setting) variable() string {
	return variablePrefix + strings.ToUpper(strings.ReplaceAll(s.Flag, "-", "_"))
}

// untyped forgets a parser's type, which merge asks for again.
func untyped[T any](parse func(kinds.Scalar) (T, error)) func(kinds.Scalar) (any, error) {
	return func(s kinds.Scalar) (any, error) { return parse(s) }
}

// split parses a list that is separated by commas.
func split[T any](parse func(kinds.Scalar) (T, error)) func(kinds.Scalar) (any, error) {
	return func(s kinds.Scalar) (any, error) {
		var all []T
		for part := range strings.SplitSeq(s.Text, ",") {
			one, err := parse(kinds.Scalar{Text: strings.TrimSpace(part), Tag: s.Tag})
			if err != nil {
				return nil, err
			}
			all = append(all, one)
		}
		return all, nil
	}
}
