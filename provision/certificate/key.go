package certificate

import (
	"context"
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"strings"
	"syscall"
)

// key is the private key of a PEM file, nil where nginx cannot load it without asking somebody.
func (c *check) key(ctx context.Context, path string) crypto.Signer {
	rest := c.read(ctx, "tls.key", path)
	if rest == nil {
		return nil
	}
	c.seenByOthers(path)
	for {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			c.fatal("tls.key", "%s has no private key in PEM form (-----BEGIN PRIVATE KEY-----)", path)
			return nil
		}
		if !strings.HasSuffix(block.Type, "PRIVATE KEY") {
			continue // EC PARAMETERS, or a certificate beside the key
		}
		if block.Type == "ENCRYPTED PRIVATE KEY" || strings.Contains(block.Headers["Proc-Type"], "ENCRYPTED") {
			c.fatal("tls.key", "%s is encrypted, and nobody is there to type the passphrase when nginx starts: "+
				"openssl pkey -in FILE -out NEW writes it without", path)
			return nil
		}
		signer, err := parseKey(block.Bytes)
		if err != nil {
			c.fatal("tls.key", "%s: %v", path, err)
		}
		return signer
	}
}

func parseKey(der []byte) (crypto.Signer, error) {
	if key, err := x509.ParsePKCS1PrivateKey(der); err == nil {
		return key, nil
	}
	if key, err := x509.ParseECPrivateKey(der); err == nil {
		return key, nil
	}
	key, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, fmt.Errorf("its private key is not understood: %w", err)
	}
	signer, ok := key.(crypto.Signer)
	if !ok {
		return nil, fmt.Errorf("its private key is none that signs")
	}
	return signer, nil
}

// seenByOthers warns of a key that more than root can read; a group may be there for a program that renews it.
func (c *check) seenByOthers(path string) {
	info, err := os.Stat(c.Root + path)
	if err != nil {
		return
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	group := ok && st.Gid != 0 && info.Mode()&0o040 != 0
	switch {
	case info.Mode()&0o004 != 0:
		c.all = append(c.all, Finding{Key: "tls.key", Message: fmt.Sprintf("%s can be read by everybody on this host "+
			"(mode %04o): chmod 600 %s", path, info.Mode().Perm(), path)})
	case group && info.Mode()&0o020 != 0:
		c.all = append(c.all, Finding{Key: "tls.key", Message: fmt.Sprintf("%s can be written by its group (mode "+
			"%04o): chmod g-w %s", path, info.Mode().Perm(), path)})
	}
}
