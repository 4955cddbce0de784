package sitekeys

import (
	"fmt"
	"net/http"
	"strings"

	"go.yaml.in/yaml/v3"

	"wsprovision/provision/config/kinds"
	"wsprovision/provision/config/reading"
	"wsprovision/provision/site"
)

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
func checkProbe(s site.Site, l site.Location, here string, at reading.Origins, p *reading.Problems) {
	if l.Probe == nil {
		return
	}
	if here += ".probe"; !l.WebSocket {
		p.Add(at.Problem(here, "is for WebSockets, and websocket is false: remove one of the two"))
		return
	}
	probe := *l.Probe
	complain := func(key, format string, args ...any) {
		p.Add(at.Problem(here+key, fmt.Sprintf(format, args...)))
	}
	if path, _, _ := strings.Cut(probe.Path, "?"); probe.Path != "" && !at[here+".path"].Wrong {
		if other, ok := s.LocationOf(path); ok && (other.Path != l.Path || other.Match != l.Match) {
			complain(".path", "%s comes to the location %s: write one that comes to %s", kinds.Cut(path),
				kinds.Cut(other.Path),
				kinds.Cut(l.Path))
		} else if !ok {
			complain(".path", "%s does not come to this location: write one that comes to %s", kinds.Cut(path),
				kinds.Cut(l.Path))
		}
	}
	switch {
	case at.Has(here+".certificate") != at.Has(here+".key"):
		complain("", "certificate and key belong together: write both")
	case at.Has(here+".certificate") && (s.TLS == nil || s.TLS.ClientCA == ""):
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

func checkExpect(probe site.Probe, here string, at reading.Origins, p *reading.Problems) {
	e := probe.Expect
	if e == nil {
		return
	}
	refusal := e.Status != 0 && e.Status != http.StatusSwitchingProtocols
	switch {
	case e.Status > 101 && e.Status < 200:
		p.Add(at.Problem(here+".status", "is no last answer: write 101, or one from 200 to 499"))
	case refusal && (e.Subprotocol != "" || e.Message != "" || probe.Send != ""):
		p.Add(at.Problem(here+".status", fmt.Sprintf("%d opens no WebSocket, and subprotocol, message and send need "+
			"one: remove one or the other", e.Status)))
	case e.Subprotocol != "" && probe.Subprotocol != "" && e.Subprotocol != probe.Subprotocol:
		p.Add(at.Problem(here+".subprotocol", "the server chooses of what is offered: write the probe's subprotocol, "+
			probe.Subprotocol))
	}
}
