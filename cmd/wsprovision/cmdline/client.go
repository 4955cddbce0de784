package cmdline

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"wsprovision/provision/host"
	"wsprovision/provision/site"
)

// ClientOptions are the flags of every command that is a WebSocket's client.
type ClientOptions struct {
	headers      []string
	Subprotocols []string
	Origin       string
	insecure     bool
	authority    string
}

func (o *ClientOptions) Register(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringArrayVarP(&o.headers, "header", "H", nil,
		"send this `\"Name: value\"` with the handshake; may be given more than once")
	flags.StringArrayVar(&o.Subprotocols, "subprotocol", nil, "offer this `name`; may be given more than once")
	flags.StringVar(&o.Origin, "origin", "", "send this `origin`, as a browser on that site would")
	flags.BoolVar(&o.insecure, "insecure", false, "wss: take any certificate")
	flags.StringVar(&o.authority, "ca", "",
		"wss: trust the certificates in this PEM `file` (default those that the host trusts)")
}

func (o ClientOptions) Header() (http.Header, error) {
	h := http.Header{}
	for _, line := range o.headers {
		name, value, ok := strings.Cut(line, ":")
		if !ok || strings.TrimSpace(name) == "" {
			return nil, Misused(fmt.Errorf("--header %q: it is \"Name: value\"", line))
		}
		h.Add(strings.TrimSpace(name), strings.TrimSpace(value))
	}
	return h, nil
}

func (o ClientOptions) TLS() (*tls.Config, error) {
	c := &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: o.insecure}
	if o.authority == "" {
		c.RootCAs = host.Authorities(context.Background(), site.SystemCA)
		return c, nil
	}
	text, err := os.ReadFile(o.authority)
	if err != nil {
		return nil, Misused(fmt.Errorf("--ca: %w", err))
	}
	c.RootCAs = x509.NewCertPool()
	if !c.RootCAs.AppendCertsFromPEM(text) {
		return nil, Misused(fmt.Errorf("--ca %s: no certificate is in it", o.authority))
	}
	return c, nil
}
