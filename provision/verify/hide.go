package verify

import (
	"slices"
	"strings"

	"wsprovision/provision/credentials"
	"wsprovision/provision/secret"
	"wsprovision/provision/websocket/handshake"
)

// hider takes out of what is said whatever was sent in secret: a server may give it back.
func hider(t handshake.Target, sent credentials.Credentials) func(string) string {
	var pairs []string
	for _, s := range slices.Concat(sent.Secrets(), credentials.Of(t.Header)) {
		pairs = append(pairs, s, secret.Hidden)
	}
	return strings.NewReplacer(pairs...).Replace
}

// hiddenError is an error with another text.
type hiddenError struct {
	text string
	err  error
}

func (e *hiddenError) Error() string { return e.text }
func (e *hiddenError) Unwrap() error { return e.err }
