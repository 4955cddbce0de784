package handshake

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"time"
)

// TLS is what a TLS session showed.
type TLS struct {
	Version, Cipher string // such as "TLS 1.3", "TLS_AES_128_GCM_SHA256"; empty if the session failed
	ServerName      string // the name asked for (SNI, unless it is an IP address)
	Took            time.Duration
	Chain           []Certificate // as sent, the site's own first
	// Untrusted says why the chain or name would not do; only Target.TLS.InsecureSkipVerify lets such a session live.
	Untrusted error
}

// Certificate is the part of one that an administrator looks at.
type Certificate struct {
	Subject, Issuer     string
	Names               []string // DNS names and IP addresses it is for
	NotBefore, NotAfter time.Time
}

func factsOf(c *tls.Config, s tls.ConnectionState, took time.Duration) TLS {
	f := TLS{Version: tls.VersionName(s.Version), Cipher: tls.CipherSuiteName(s.CipherSuite), ServerName: c.ServerName,
		Took: took}
	f.Chain = certificates(s.PeerCertificates)
	if c.InsecureSkipVerify {
		f.Untrusted = distrust(c, s.PeerCertificates)
	}
	return f
}

// factsOfFailure takes the chain out of the error, so that a refused certificate can still be described.
func factsOfFailure(c *tls.Config, err error) TLS {
	f := TLS{ServerName: c.ServerName}
	var bad *tls.CertificateVerificationError
	if errors.As(err, &bad) {
		f.Chain, f.Untrusted = certificates(bad.UnverifiedCertificates), bad.Err
	}
	return f
}

func certificates(list []*x509.Certificate) []Certificate {
	var out []Certificate
	for _, c := range list {
		names := append([]string(nil), c.DNSNames...)
		for _, ip := range c.IPAddresses {
			names = append(names, ip.String())
		}
		out = append(out, Certificate{
			Subject: c.Subject.String(), Issuer: c.Issuer.String(), Names: names, NotBefore: c.NotBefore,
			NotAfter: c.NotAfter,
		})
	}
	return out
}

// distrust repeats the verification that InsecureSkipVerify left out, to say what it would have found.
func distrust(c *tls.Config, chain []*x509.Certificate) error {
	if len(chain) == 0 {
		return errors.New("no certificate was shown")
	}
	o := x509.VerifyOptions{Roots: c.RootCAs, DNSName: c.ServerName, Intermediates: x509.NewCertPool()}
	if c.Time != nil {
		o.CurrentTime = c.Time()
	}
	for _, cert := range chain[1:] {
		o.Intermediates.AddCert(cert)
	}
	_, err := chain[0].Verify(o)
	return err
}
