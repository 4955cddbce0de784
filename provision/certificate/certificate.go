// Package certificate is for telling, before anything is changed, what nginx could not load of a site's certificate,
// and
// what clients would not take of it.
package certificate

import (
	"context"
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"wsprovision/provision/hostfile"
	"wsprovision/provision/site"
)

// Finding is one thing wrong with the certificate of a site.
type Finding struct {
	Fatal   bool // nginx does not load it
	Key     string
	Message string // begins with the file
}

func (f Finding) String() string { return f.Key + ": " + f.Message }

// most is how many bytes of a file are read: some hundred certificates.
const most = 1 << 20

// soon is how long before its end a certificate is warned of.
const soon = 30 * 24 * time.Hour

// Host is what a certificate is judged by.
type Host struct {
	Root  string // prefixed to every path; for tests
	Now   time.Time
	Roots *x509.CertPool // that clients trust; nil leaves the chain unjudged
}

// Check judges the files of a site's tls.
func (h Host) Check(ctx context.Context, t site.TLS, names []string) []Finding {
	c := &check{Host: h, names: names}
	chain := c.certificates(ctx, "tls.certificate", t.Certificate)
	if key := c.key(ctx, t.Key); key != nil && len(chain) > 0 && !matches(chain[0], key) {
		c.fatal("tls.key", "%s is not the key of %s (%s): nginx needs the two that belong together", t.Key,
			t.Certificate,
			subject(chain[0]))
	}
	if len(chain) > 0 {
		c.leaf(t.Certificate, chain[0])
		c.chain(t.Certificate, chain)
	}
	if t.ClientCA != "" {
		c.certificates(ctx, "tls.client_ca", t.ClientCA)
	}
	return c.all
}

type check struct {
	Host
	names []string
	all   []Finding
}

func (c *check) fatal(key, format string, args ...any) {
	c.all = append(c.all, Finding{true, key, fmt.Sprintf(format, args...)})
}

func (c *check) warn(format string, args ...any) {
	c.all = append(c.all, Finding{false, "tls.certificate", fmt.Sprintf(format, args...)})
}

// read gives the file, which may be behind a link, as certbot's are.
func (c *check) read(ctx context.Context, key, path string) []byte {
	content, err := hostfile.ReadLinked(ctx, c.Root+path, most)
	switch {
	case err == nil:
		return content
	case errors.Is(err, fs.ErrNotExist):
		c.fatal(key, "%s is not there: put the PEM file there, or name the one that is%s", path, firstCertificate(key))
	default:
		c.fatal(key, "%s cannot be read: %v", path, err)
	}
	return nil
}

func firstCertificate(key string) string {
	if key != "tls.certificate" {
		return ""
	}
	return "; the first one is had by acme_webroot without tls"
}

// certificates are those of a PEM file, nil where nginx would take none of it.
func (c *check) certificates(ctx context.Context, key, path string) []*x509.Certificate {
	if content := c.read(ctx, key, path); content != nil {
		return c.parse(key, path, content)
	}
	return nil
}

func (c *check) parse(key, path string, rest []byte) []*x509.Certificate {
	var all []*x509.Certificate
	for {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		if block.Type != "CERTIFICATE" && block.Type != "X509 CERTIFICATE" && block.Type != "TRUSTED CERTIFICATE" {
			continue
		}
		one, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			c.fatal(key, "%s: its certificate %d is none: %v", path, len(all)+1, err)
			return nil
		}
		all = append(all, one)
	}
	if len(all) == 0 {
		c.fatal(key, "%s has no certificate in PEM form (-----BEGIN CERTIFICATE-----)", path)
	}
	return all
}

// public is what every public key of crypto has.
type public interface{ Equal(crypto.PublicKey) bool }

func matches(leaf *x509.Certificate, key crypto.Signer) bool {
	p, ok := leaf.PublicKey.(public)
	return ok && p.Equal(key.Public())
}

// NotAfter is when the first certificate of a PEM file ends, which is the site's own.
func NotAfter(ctx context.Context, path string) (time.Time, error) {
	content, err := hostfile.ReadLinked(ctx, path, most)
	if err != nil {
		return time.Time{}, err
	}
	c := &check{}
	chain := c.parse("tls.certificate", path, content)
	if len(chain) == 0 {
		return time.Time{}, errors.New(c.all[0].Message)
	}
	return chain[0].NotAfter, nil
}
