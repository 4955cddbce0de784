package credentials

import (
	"encoding/base64"
	"net/http"
	"slices"
	"strings"

	"wsprovision/provision/lazy"
)

// telling are the names of headers whose values are secrets.
var telling = lazy.Regexp(`(?i)auth|cookie|token|key|secret|pass|session`)

// shortest is of what is taken out of texts: less would take words apart.
const shortest = 4

// Secrets are what no text may show of them.
func (c Credentials) Secrets() []string {
	var all []string
	for _, values := range c.Header {
		all = append(all, parts(values)...)
	}
	return longestFirst(all)
}

// Of are the secrets in a header that was written elsewhere than in a file of credentials, by their names.
func Of(h http.Header) []string {
	var all []string
	for name, values := range h {
		if telling().MatchString(name) {
			all = append(all, parts(values)...)
		}
	}
	return longestFirst(all)
}

// parts are each value, what stands behind its first blank (Bearer …) and the password of a pair.
func parts(values []string) []string {
	var all []string
	for _, v := range values {
		all = append(all, v)
		_, rest, ok := strings.Cut(v, " ")
		if !ok {
			continue
		}
		all = append(all, rest)
		if pair, err := base64.StdEncoding.DecodeString(rest); err == nil {
			_, password, _ := strings.Cut(string(pair), ":")
			all = append(all, string(pair), password)
		}
	}
	return all
}

func longestFirst(all []string) []string {
	all = slices.DeleteFunc(all, func(s string) bool { return len(s) < shortest })
	slices.SortFunc(all, func(a, b string) int { return len(b) - len(a) })
	return all
}
