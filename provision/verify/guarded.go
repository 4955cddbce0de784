package verify

import (
	"context"
	"errors"
	"fmt"

	"wsprovision/provision/config"
	"wsprovision/provision/diagnose"
	"wsprovision/provision/diagnose/facts"
	"wsprovision/provision/host"
	"wsprovision/provision/site"
	"wsprovision/provision/websocket/handshake"
)

// Stop is where a proof ends: nginx itself refuses a client without what no probe gives. The site is not opened for it.
type Stop struct {
	Key    string `json:"key"` // that asks for it: basic_auth_file
	Status int    `json:"status"`
	Place  string `json:"place"` // of nginx's directive: file:line
	Want   string `json:"want"`  // what would prove the rest
}

func (s Stop) String() string {
	return fmt.Sprintf("nginx itself answers %d, as %s has it (%s); it is proved up to there, and %s", s.Status, s.Key,
		s.Place, s.Want)
}

// stopped is the refusal that a handshake met, nil where it met none that the site asks for. That it is nginx's is told
// by its configuration, its log and what the backend says, and not by the status alone.
func stopped(ctx context.Context, h *host.Host, c config.Config, s facts.Symptom) *Stop {
	var status *handshake.StatusError
	if s.Site == nil || s.Location == nil || !errors.As(s.Err, &status) {
		return nil
	}
	wanted := wants(*s.Site, *s.Location, s.Target)
	if len(wanted) == 0 {
		return nil
	}
	refusal, ok := diagnose.Refused(ctx, h, c, s)
	stop, asked := wanted[refusal.Directive]
	if !ok || !asked {
		return nil
	}
	stop.Status, stop.Place = refusal.Status, fmt.Sprintf("%s:%d", refusal.Place.File, refusal.Place.Line)
	return &stop
}

// wants are the directives of nginx's for which the handshake has nothing, each with the key that asks for it.
func wants(s site.Site, l site.Location, t handshake.Target) map[string]Stop {
	all := map[string]Stop{}
	if s.TLS != nil && s.TLS.ClientCA != "" && t.TLS != nil && len(t.TLS.Certificates) == 0 {
		all["ssl_verify_client"] = Stop{Key: "tls.client_ca",
			Want: "certificate and key in the location's probe would prove the rest"}
	}
	if l.BasicAuthFile != "" && t.Header.Get("Authorization") == "" {
		all["auth_basic"] = Stop{Key: "basic_auth_file",
			Want: "credentials_file in the location's probe would prove the rest"}
	}
	for _, rule := range []struct {
		key  string
		list []string
	}{{"deny", l.Deny}, {"allow", l.Allow}} {
		if len(rule.list) > 0 {
			all["deny"] = Stop{Key: rule.key, Want: "a client that it lets in would prove the rest"}
		}
	}
	return all
}
