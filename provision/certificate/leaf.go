package certificate

import (
	"crypto/x509"
	"strings"
)

func subject(c *x509.Certificate) string {
	if len(c.DNSNames) > 0 {
		return strings.Join(c.DNSNames[:min(3, len(c.DNSNames))], ", ")
	}
	return c.Subject.String()
}

// leaf is about the certificate itself: its time and its names.
func (c *check) leaf(path string, leaf *x509.Certificate) {
	const day = "2006-01-02"
	switch {
	case c.Now.After(leaf.NotAfter):
		c.warn("%s has expired on %s: clients refuse it; renew it", path, leaf.NotAfter.Format(day))
	case c.Now.Before(leaf.NotBefore):
		c.warn("%s is valid from %s on: clients refuse it until then, or this host's clock is wrong", path,
			leaf.NotBefore.Format(day))
	case leaf.NotAfter.Sub(c.Now) < soon:
		c.warn("%s expires on %s, in less than 30 days: renew it", path, leaf.NotAfter.Format(day))
	}
	var missing []string
	for _, name := range c.names {
		if !covers(leaf, name) {
			missing = append(missing, name)
		}
	}
	if len(missing) > 0 {
		c.warn("%s is for %s, and not for %s: clients refuse it there", path, subject(leaf),
			strings.Join(missing, ", "))
	}
}

// covers: a wildcard needs the same wildcard in the certificate, or a wider name list nobody can know.
func covers(leaf *x509.Certificate, name string) bool {
	if rest, wildcard := strings.CutPrefix(name, "*."); wildcard {
		return leaf.VerifyHostname("any-label."+rest) == nil
	}
	return leaf.VerifyHostname(name) == nil
}

// chain is about who vouches for the certificate. The file holds those between it and a root, in their order.
func (c *check) chain(path string, chain []*x509.Certificate) {
	leaf, last := chain[0], chain[len(chain)-1]
	for i := range chain[1:] {
		if chain[i].CheckSignatureFrom(chain[i+1]) != nil &&
			string(chain[i].RawIssuer) != string(chain[i+1].RawSubject) {
			c.warn("%s: its certificate %d is not the issuer of the one before it: the site's own stands first, each "+
				"issuer behind it", path, i+2)
			return
		}
	}
	if len(chain) == 1 && string(leaf.RawIssuer) == string(leaf.RawSubject) {
		c.warn("%s is self-signed: clients that do not have it refuse it", path)
		return
	}
	if c.Roots == nil || string(last.RawIssuer) == string(last.RawSubject) {
		return
	}
	_, err := last.Verify(x509.VerifyOptions{Roots: c.Roots, CurrentTime: last.NotBefore.Add(1),
		KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}})
	if err != nil {
		c.warn("%s ends with a certificate of %s, which no root of this host has issued: the chain is incomplete, "+
			"unless the authority is your own; put the issuer's certificate behind it", path, last.Issuer)
	}
}
