package server

import (
	"fmt"
	"strings"

	"wsprovision/provision/diagnose/cause"
	"wsprovision/provision/diagnose/facts"
)

// certificateProblem explains what nginx says of a certificate, a key or the parameters of Diffie-Hellman when it reads
// its configuration (ngx_event_openssl.c, 1.12 to 1.22). The call that failed tells which of them it is.
func certificateProblem(m, evidence string) *cause.Diagnosis {
	call, rest, _ := strings.Cut(m, `"`)
	file, _, _ := strings.Cut(rest, `"`)
	if !strings.HasPrefix(file, "/") {
		return nil
	}
	weak := strings.Contains(m, "key too small") || strings.Contains(m, "md too weak")
	switch call {
	case "SSL_CTX_set_tmp_dh(", "SSL_CTX_set0_tmp_dh_pkey(":
		if !weak {
			return nil
		}
		return weakParameters(file, m, evidence)
	case "SSL_CTX_set0_chain(", "SSL_CTX_add_extra_chain_cert(":
		if !weak {
			return nil
		}
		return weakChain(file, m, evidence)
	case "cannot load certificate key ", "SSL_CTX_use_PrivateKey(", "SSL_CTX_use_PrivateKey_file(":
		return keyProblem(file, m, evidence)
	case "cannot load certificate ", "SSL_CTX_use_certificate(":
		return ownProblem(file, m, evidence, weak)
	}
	return nil
}

// weakParameters are those of ssl_dhparam, which are no certificate.
func weakParameters(file, m, evidence string) *cause.Diagnosis {
	return cause.New(cause.NginxConfigInvalid, fmt.Sprintf("OpenSSL does not take the parameters of ssl_dhparam in "+
		"%s: %s", file, openSSLReason(m)), thenServe(cause.Do("openssl", "dhparam", "-out", file, "2048")), evidence)
}

func weakChain(file, m, evidence string) *cause.Diagnosis {
	return cause.New(cause.CertificateUnreadable, fmt.Sprintf("OpenSSL does not take the chain behind the certificate "+
		"in %s: %s", file, openSSLReason(m)), cause.Say("get a chain of which each certificate has a key of 2048 bits "+
		"or more and a digest of SHA-256, and put it behind the certificate in ").Name(file).Say(facts.ThenServe),
		evidence)
}

func keyProblem(file, m, evidence string) *cause.Diagnosis {
	if strings.Contains(m, "key values mismatch") {
		return cause.New(cause.CertificateKeyMismatch, fmt.Sprintf("the key %s does not belong to the certificate",
			file), cause.Say("put the key that the certificate was made for into ").Name(file).
			Say(", and see that the site's certificate is the first in its file").Say(facts.ThenServe), evidence)
	}
	mend := unreadable(file)
	switch {
	case isEncrypted(m):
		mend = decrypt(file)
	case !isOfTheFile(m):
		mend = cause.Say("put the certificate's key into ").Name(file).
			Say(" in PEM, as openssl pkey writes it").Say(facts.ThenServe)
	}
	return cause.New(cause.CertificateKeyUnreadable, fmt.Sprintf("nginx cannot read the certificate's key %s: %s", file,
		openSSLReason(m)), mend, evidence)
}

// ownProblem is of the certificate itself. OpenSSL says "ca md too weak" also of the digest of the site's own
// (ssl_security_cert in ssl/t1_lib.c).
func ownProblem(file, m, evidence string, weak bool) *cause.Diagnosis {
	if weak {
		return cause.New(cause.CertificateUnreadable, fmt.Sprintf("OpenSSL does not take the certificate %s: %s", file,
			openSSLReason(m)), cause.Say("get a certificate with a key of 2048 bits or more and a digest of SHA-256, "+
			"and put it into ").Name(file).Say(facts.ThenServe), evidence)
	}
	mend := unreadable(file)
	if !isOfTheFile(m) {
		mend = cause.Say("put the certificate into ").Name(file).
			Say(" in PEM, as openssl x509 writes it, the site's own first").Say(facts.ThenServe)
	}
	return cause.New(cause.CertificateUnreadable, fmt.Sprintf("nginx cannot read the certificate %s: %s", file,
		openSSLReason(m)), mend, evidence)
}

// isOfTheFile: the file is not there or may not be read, whatever is in it.
func isOfTheFile(m string) bool {
	return strings.Contains(m, "No such file or directory") || strings.Contains(m, "Permission denied") ||
		strings.Contains(m, "Is a directory")
}

func unreadable(file string) cause.Mend {
	return cause.Do("ls", "-lZ", file).Note("put it there, or ").Do("restorecon", "-v", file).Say(facts.ThenServe)
}

// isEncrypted: nginx has no password for the key, or another than the key's in ssl_password_file.
func isEncrypted(m string) bool {
	return strings.Contains(m, "bad password read") || strings.Contains(m, "problems getting password") ||
		strings.Contains(m, "bad decrypt")
}

// decrypt writes the key without a password. The file is nobody else's to read before the key is in it.
func decrypt(key string) cause.Mend {
	plain := key + ".new"
	return thenServe(cause.Do("install", "-m", "600", "/dev/null", plain).
		And("openssl", "pkey", "-in", key, "-out", plain).And("mv", plain, key)).
		Note("asks for the key's password; or name a file that has that password in ssl_password_file")
}

func thenServe(m cause.Mend) cause.Mend {
	return m.And("nginx", "-t").And("systemctl", "reload-or-restart", "nginx")
}

// openSSLReason is what an administrator knows of OpenSSL's words.
func openSSLReason(m string) string {
	for _, known := range []string{"No such file or directory", "Permission denied", "Is a directory", "bad decrypt",
		"no start line", "bad base64 decode", "bad password read", "ee key too small", "ca key too small",
		"dh key too small", "ee md too weak", "ca md too weak"} {
		if strings.Contains(m, known) {
			return strings.ToLower(known)
		}
	}
	return "OpenSSL does not take it"
}
