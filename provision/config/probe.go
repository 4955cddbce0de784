package config

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"

	"wsprovision/provision/site"
)

// The kinds of a probe's values.
var (
	probePaths = kind[string]{about{Type: "path and query", Wrong: "ws/",
		Bounds: "As a location's path; behind a ? the query, of printable ASCII without blank, quotes, < > and #. At " +
			"most 1000 characters.",
		Schema: schema{"type": "string", "maxLength": 1000, "pattern": `^/[^ "<>#]*$`}}, probePath, nil}
	words = kind[string]{about{Type: "word", Wrong: "a b",
		Bounds: "At most 100 letters, digits and ! # $ % & ' * + - . ^ _ | ~ (RFC 9110, 5.6.2).",
		Schema: pattern("^[A-Za-z0-9!#$%&'*+.^_|~-]{1,100}$")}, tokenValue, nil}
	oneOrigin = kind[string]{about{Type: "origin", Wrong: "any",
		Bounds: "http or https, host, and the port where it is not the scheme's own.",
		Schema: pattern(`^https?://[^/?#@ ]+$`)}, func(s scalar) (string, error) {
		value, err := originValue(s)
		if err == nil && value == site.AnyOrigin {
			return "", fmt.Errorf("any is no origin that a page has: write one, like https://app.example.com")
		}
		return value, err
	}, nil}
	messages = kind[string]{about{Type: "text", Wrong: "", Bounds: "From 1 to 1000 characters.",
		Schema: schema{"type": "string", "minLength": 1, "maxLength": 1000}}, messageValue, nil}
	patterns = kind[string]{about{Type: "regular expression", Wrong: "(",
		Bounds: "Of Go's (golang.org/s/re2syntax), at most 1000 characters.",
		Schema: schema{"type": "string", "minLength": 1, "maxLength": 1000}}, patternValue, nil}
)

func probePath(s scalar) (string, error) {
	value, err := text(s)
	if err != nil {
		return "", err
	}
	path, query, _ := strings.Cut(value, "?")
	if _, err := locationPath(scalar{text: path, tag: "!!str"}); err != nil {
		return "", err
	}
	if len(value) > 1000 {
		return "", fmt.Errorf("%s has more than 1000 characters", quote(value))
	}
	for _, c := range []byte(query) {
		if c <= ' ' || c > '~' || strings.IndexByte(`"'<>#\`, c) >= 0 {
			return "", fmt.Errorf("%s: write what a query may not have as %%XX", quote(value))
		}
	}
	return value, nil
}

func tokenValue(s scalar) (string, error) {
	value, err := text(s)
	if err == nil && len(value) > 100 {
		err = fmt.Errorf("%s has more than 100 characters", quote(value))
	}
	if err != nil {
		return "", err
	}
	return value, only(value, alphanum+"!#$%&'*+-.^_|~")
}

func messageValue(s scalar) (string, error) {
	value, err := text(s)
	if err == nil && len(value) > 1000 {
		err = fmt.Errorf("has more than 1000 characters")
	}
	return value, err
}

func patternValue(s scalar) (string, error) {
	value, err := messageValue(s)
	if err != nil {
		return "", err
	}
	if _, err := regexp.Compile(value); err != nil {
		return "", fmt.Errorf("%s is no regular expression: %w", quote(value), err)
	}
	return value, nil
}

// probeHeaderProblem says nothing of the value, which may be secret.
func probeHeaderProblem(name, value *yaml.Node) error {
	lower := strings.ToLower(name.Value)
	switch err := headerName(name); {
	case err != nil:
		return err
	case lower == "host":
		return fmt.Errorf("is the site's server_name: leave it out")
	case lower == "origin":
		return fmt.Errorf("has a key of its own: write it as origin")
	case value.Kind != yaml.ScalarNode:
		return fmt.Errorf("must be a single value")
	case value.ShortTag() != "!!str" || value.Value == "" || len(value.Value) > 4000:
		return fmt.Errorf("must be text from 1 to 4000 characters; a number is put in quotes")
	}
	for _, c := range []byte(value.Value) {
		if c < ' ' || c > '~' {
			return fmt.Errorf("has a value that is not printable ASCII")
		}
	}
	return nil
}

// checkProbe refuses what cannot prove the location that it stands in.
func checkProbe(s Site, l Location, here string, at origins, p *problems) {
	if l.Probe == nil {
		return
	}
	if here += ".probe"; !l.WebSocket {
		p.add(at.problem(here, "is for WebSockets, and websocket is false: remove one of the two"))
		return
	}
	probe := *l.Probe
	complain := func(key, format string, args ...any) {
		p.add(at.problem(here+key, fmt.Sprintf(format, args...)))
	}
	if path, _, _ := strings.Cut(probe.Path, "?"); probe.Path != "" && !at[here+".path"].wrong {
		if other, ok := s.LocationOf(path); ok && (other.Path != l.Path || other.Match != l.Match) {
			complain(".path", "%s comes to the location %s: write one that comes to %s", cut(path), cut(other.Path),
				cut(l.Path))
		} else if !ok {
			complain(".path", "%s does not come to this location: write one that comes to %s", cut(path), cut(l.Path))
		}
	}
	switch {
	case at.has(here+".certificate") != at.has(here+".key"):
		complain("", "certificate and key belong together: write both")
	case at.has(here+".certificate") && (s.TLS == nil || s.TLS.ClientCA == ""):
		complain(".certificate", "is for tls.client_ca, which this site has not: remove it, or write client_ca")
	}
	if probe.CredentialsFile != "" && hasHeader(probe.Headers, "authorization") {
		complain(".headers", "Authorization stands beside credentials_file: write it in that file alone")
	}
	checkExpect(probe, here+".expect", at, p)
}

func hasHeader(all []site.Header, name string) bool {
	for _, h := range all {
		if strings.EqualFold(h.Name, name) {
			return true
		}
	}
	return false
}

func checkExpect(probe site.Probe, here string, at origins, p *problems) {
	e := probe.Expect
	if e == nil {
		return
	}
	refusal := e.Status != 0 && e.Status != http.StatusSwitchingProtocols
	switch {
	case e.Status > 101 && e.Status < 200:
		p.add(at.problem(here+".status", "is no last answer: write 101, or one from 200 to 499"))
	case refusal && (e.Subprotocol != "" || e.Message != "" || probe.Send != ""):
		p.add(at.problem(here+".status", fmt.Sprintf("%d opens no WebSocket, and subprotocol, message and send need "+
			"one: remove one or the other", e.Status)))
	case e.Subprotocol != "" && probe.Subprotocol != "" && e.Subprotocol != probe.Subprotocol:
		p.add(at.problem(here+".subprotocol", "the server chooses of what is offered: write the probe's subprotocol, "+
			probe.Subprotocol))
	}
}
