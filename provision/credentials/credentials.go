// Package credentials is for reading what a probe logs in with: files of root's that nobody else can read. What is in
// them is sent, and neither shown nor written anywhere: no error quotes it.
package credentials

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"

	"wsprovision/provision/hostfile"
	"wsprovision/provision/plaintext"
	"wsprovision/provision/site"
	"wsprovision/provision/websocket/handshake"
)

const (
	largest    = 64 << 10 // of a file of credentials
	largestPEM = 1 << 20
)

// Credentials are sent with a handshake.
type Credentials struct {
	Header      http.Header
	Certificate *tls.Certificate // nil for none
}

// Read takes the files that a probe names, below root. All that is wrong with them is said at once.
func Read(ctx context.Context, root string, p *site.Probe) (Credentials, error) {
	var c Credentials
	if p == nil {
		return c, nil
	}
	var errs []error
	if p.CredentialsFile != "" {
		var err error
		if c.Header, err = header(ctx, root, p.CredentialsFile); err != nil {
			errs = append(errs, fmt.Errorf("probe.credentials_file: %w", err))
		}
	}
	if p.Certificate != "" && p.Key != "" {
		var err error
		if c.Certificate, err = certificate(ctx, root, p.Certificate, p.Key); err != nil {
			errs = append(errs, err)
		}
	}
	return c, errors.Join(errs...)
}

// Give adds them to a handshake. What the handshake has already stays.
func (c Credentials) Give(t handshake.Target) handshake.Target {
	t.Header = t.Header.Clone()
	for name, values := range c.Header {
		if t.Header == nil {
			t.Header = http.Header{}
		}
		if len(t.Header.Values(name)) == 0 {
			t.Header[name] = values
		}
	}
	if c.Certificate != nil && t.TLS != nil {
		t.TLS = t.TLS.Clone()
		t.TLS.Certificates = []tls.Certificate{*c.Certificate}
		// also where the server names other authorities: its refusal then says more than silence
		t.TLS.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			return c.Certificate, nil
		}
	}
	return t
}

// private reads a file of root's that root alone can read.
func private(ctx context.Context, root, path string, limit int64) ([]byte, error) {
	content, err := hostfile.ReadLinked(ctx, root+path, limit)
	if err != nil {
		return nil, err
	}
	if err := hostfile.Trusted(root + path); err != nil {
		return nil, err
	}
	info, err := os.Stat(root + path)
	if err != nil {
		return nil, err
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return nil, fmt.Errorf("%s can be read by others than root (mode %04o): %s", path, mode,
			plaintext.Command([]string{"chmod", "600", path}))
	}
	return content, nil
}

// header is a line user:password, or header lines, each with a blank behind the colon.
func header(ctx context.Context, root, path string) (http.Header, error) {
	content, err := private(ctx, root, path, largest)
	if err != nil {
		return nil, err
	}
	lines := strings.Split(strings.TrimRight(strings.ReplaceAll(string(content), "\r\n", "\n"), "\n"), "\n")
	if user, password, ok := strings.Cut(lines[0], ":"); ok && !strings.HasPrefix(password, " ") {
		if len(lines) > 1 {
			return nil, fmt.Errorf("%s: behind user:password in line 1 stands nothing more", path)
		}
		pair := base64.StdEncoding.EncodeToString([]byte(user + ":" + password))
		return http.Header{"Authorization": {"Basic " + pair}}, nil
	}
	all := http.Header{}
	for i, line := range lines {
		name, value, ok := strings.Cut(line, ": ")
		if !ok || strings.TrimSpace(value) == "" {
			return nil, fmt.Errorf("%s: line %d is neither user:password nor Name: value", path, i+1)
		}
		all.Add(name, strings.TrimSpace(value))
	}
	if err := (handshake.Target{Host: "any.invalid", Header: all}).Validate(); err != nil {
		return nil, fmt.Errorf("%s: its header lines cannot be sent: a name is none, is one of the handshake's own, "+
			"or a value has a control character", path)
	}
	return all, nil
}

// certificate is the pair of a client.
func certificate(ctx context.Context, root, path, keyPath string) (*tls.Certificate, error) {
	chain, err := hostfile.ReadLinked(ctx, root+path, largestPEM)
	if err != nil {
		return nil, fmt.Errorf("probe.certificate: %w", err)
	}
	key, err := private(ctx, root, keyPath, largestPEM)
	if err != nil {
		return nil, fmt.Errorf("probe.key: %w", err)
	}
	if bytes.Contains(key, []byte("ENCRYPTED")) {
		return nil, fmt.Errorf("probe.key: %s is encrypted, and nobody is there to type the passphrase", keyPath)
	}
	pair, err := tls.X509KeyPair(chain, key)
	if err != nil {
		return nil, fmt.Errorf("probe.certificate and probe.key, %s and %s: %w", path, keyPath, err)
	}
	return &pair, nil
}
