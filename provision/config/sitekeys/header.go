package sitekeys

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"wsprovision/provision/config/kinds"
	"wsprovision/provision/config/reading"
	"wsprovision/provision/site"
)

// handshakeHeaders are nginx's to set: they belong to the connection (RFC 9110, 7.6.1), frame the body, or are the
// handshake's (RFC 6455, 11.3).
var handshakeHeaders = []string{"connection", "upgrade", "keep-alive", "proxy-connection", "te", "trailer",
	"transfer-encoding", "content-length", "expect", "http2-settings"}

// nginx hashes the names, in buckets of its own size (proxy_headers_hash_bucket_size, 64 bytes), and warns where there
// are too many of them.
const mostName, mostHeaders = 40, 20

// requestHeaders are what nginx sets.
func requestHeaders(key reading.Key, at func(*site.Location) *[]site.Header) reading.Field[site.Location] {
	key.About = kinds.About{Type: "mapping of header names to values", Wrong: "Connection: close",
		Bounds: "At most 20. Names of up to 40 letters, digits and -; values of printable ASCII without $, at most " +
			"1000 characters. An empty value (\"\") takes the header away. Not those of the connection and of the " +
			"handshake.",
		Schema: headersSchema(`^[ -#%-~]*$`)}
	return headers(key, headerProblem, at)
}

func headersSchema(values string) kinds.Schema {
	return kinds.Schema{"type": "object", "minProperties": 1,
		"propertyNames":        kinds.Schema{"pattern": "^[A-Za-z0-9-]+$"},
		"additionalProperties": kinds.Pattern(values)}
}

// headers is a key with a mapping of headers, each of which wrong judges.
func headers[T any](key reading.Key, wrong func(name, value *yaml.Node) error,
	at func(*T) *[]site.Header) reading.Field[T] {
	return reading.Field[T]{Key: key,
		Read: func(r *reading.Reader, n *yaml.Node, key string, into *T) { *at(into) = readHeaders(r, n, key, wrong) },
		Write: func(from T) any {
			var all yaml.Node
			for _, h := range *at(&from) {
				name, value := &yaml.Node{}, &yaml.Node{}
				name.SetString(h.Name)
				value.SetString(h.Value)
				all.Kind, all.Content = yaml.MappingNode, append(all.Content, name, value)
			}
			if all.Kind == 0 {
				return nil
			}
			return all
		},
	}
}

func readHeaders(r *reading.Reader, n *yaml.Node, key string, wrong func(name, value *yaml.Node) error) []site.Header {
	r.Note(n, key)
	if n.Kind != yaml.MappingNode || len(n.Content) == 0 {
		r.Complain(n, key, "must be a mapping of header names to values, like X-Tenant: blue")
		return nil
	}
	if len(n.Content) > 2*mostHeaders {
		r.Complain(n, key, fmt.Sprintf("has %d headers: at most %d are accepted", len(n.Content)/2, mostHeaders))
		return nil
	}
	var all []site.Header
	lines := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		name, value := n.Content[i], n.Content[i+1]
		at, lower := reading.Join(key, kinds.Cut(name.Value)), strings.ToLower(name.Value)
		r.Note(value, at)
		problem := wrong(name, value)
		if lines[lower] > 0 {
			problem = fmt.Errorf("stands twice, first in line %d", lines[lower])
		}
		if lines[lower] = name.Line; problem != nil {
			r.Complain(name, at, problem.Error())
			continue
		}
		all = append(all, site.Header{Name: name.Value, Value: value.Value})
	}
	return all
}

// headerName refuses what is none, and what belongs to the handshake.
func headerName(name *yaml.Node) error {
	lower := strings.ToLower(name.Value)
	switch {
	case name.Kind != yaml.ScalarNode || lower == "" || len(lower) > mostName || lower[0] == '-' ||
		strings.Trim(lower, kinds.Alphanum+"-") != "":
		return fmt.Errorf("is no header's name: up to %d letters, digits and -", mostName)
	case slices.Contains(handshakeHeaders, lower) || strings.HasPrefix(lower, "sec-websocket-"):
		return fmt.Errorf("is set by nginx for the connection and the handshake: leave it out")
	}
	return nil
}

func headerProblem(name, value *yaml.Node) error {
	lower := strings.ToLower(name.Value)
	if err := headerName(name); err != nil {
		return err
	}
	switch {
	case value.Kind != yaml.ScalarNode:
		return fmt.Errorf("must be a single value")
	case value.ShortTag() != "!!str":
		return fmt.Errorf("%s is not text: put it in quotes; \"\" takes the header away", kinds.Quote(value.Value))
	case lower == "host" && value.Value == "":
		return fmt.Errorf("every request has a Host: write the name that the backend expects")
	}
	return headerValue(lower, value.Value)
}

// headerValue refuses $: nginx has no way to write one that does not begin a variable.
func headerValue(name, value string) error {
	if len(value) > 1000 {
		return fmt.Errorf("has more than 1000 characters")
	}
	if name == "host" {
		return kinds.Only(value, kinds.Alphanum+"._-:[]")
	}
	for _, c := range []byte(value) {
		if c < ' ' || c > '~' {
			return fmt.Errorf("%s: only printable ASCII is accepted", kinds.Quote(value))
		}
	}
	if strings.Contains(value, "$") {
		return fmt.Errorf("%s: nginx would read a variable behind $", kinds.Quote(value))
	}
	return nil
}
