//go:build diagnosis

package diagnosis

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"strings"
	"time"
)

// Certificates and keys, in further ways.
func securedRows() []row {
	const unreadable, keyless, invalid, wrong = "certificate-unreadable", "certificate-key-unreadable",
		"nginx-config-invalid", "certificate-wrong-name"
	well := serves(passes(headers))
	root := (*authority)(nil).sign("root", true, farOff)
	leaf := root.sign("ws.example.com", false, farOff)
	wild := root.sign("*.example.com", false, farOff)
	other := root.sign("example.org", false, farOff)
	with := func(cert, key string) map[string]string {
		return map[string]string{siteFile: secure(well), certFile: cert, keyFile: key, bundle: root.pem,
			"/srv/c.pem": leaf.pem, "/srv/k.pem": leaf.keyPEM()}
	}
	good := with(leaf.pem, leaf.keyPEM())
	site := func(old, by string) map[string]string {
		return merge(with(leaf.pem, leaf.keyPEM()), siteFile, strings.Replace(secure(well), old, by, 1))
	}
	plain := keyFile + " -out " + keyFile + ".new"
	both := "cp /srv/c.pem " + certFile + "; cp /srv/k.pem " + keyFile
	deep := merge(with(wild.pem, wild.keyPEM()), siteFile, strings.Replace(secure(well), "ws.example.com",
		"a.ws.example.com", 1))
	rows := []row{
		{situation: "a wildcard certificate", files: with(wild.pem, wild.keyPEM())},
		{situation: "a wildcard certificate, and a name with two labels before it", files: deep,
			hosts: theHosts + "127.0.0.1 a.ws.example.com\n", verify: "--url wss://a.ws.example.com/ws/ --timeout 3s",
			want: wrong, cause: "a.ws.example.com", proof: "*.example.com", noMend: true},
		{situation: "wss:// and the address in place of the name", files: good, verify: "--url wss://127.0.0.1/ws/ " +
			"--timeout 3s", want: wrong, cause: "127.0.0.1", noMend: true},
		{situation: "the certificate is not valid yet", files: with(early(root)),
			want: "certificate-expired", cause: "not valid before & clock", not: "expired on", edit: both},
		{situation: "the file of the certificate is empty", files: with("\n", leaf.keyPEM()), want: unreadable,
			cause: certFile, says: certFile, edit: both},
		{situation: "the certificate is in DER", files: with(leaf.der(), leaf.keyPEM()), want: unreadable,
			cause: certFile, edit: both},
		{situation: "the file of the certificate has the key, and that of the key the certificate",
			files: with(leaf.keyPEM(), leaf.pem), want: unreadable, cause: certFile, edit: both},
		{situation: "the key is encrypted", files: with(leaf.pem, leaf.keyPEM()),
			before: "openssl pkey -in " + keyFile + " -aes256 -passout pass:secret -out /run/key && cp /run/key " +
				keyFile,
			want: keyless, cause: keyFile, proof: "bad", says: "openssl pkey -in " + plain +
				" && mv " + keyFile + ".new " + keyFile + " && nginx -t", not: "restorecon",
			edit: "install -m 600 /dev/null " + keyFile + ".new && openssl pkey -passin pass:secret -in " +
				plain + " && mv " + keyFile + ".new " + keyFile},
		{situation: "the parameters of Diffie-Hellman are too short for OpenSSL", files: site("listen",
			"ssl_dhparam /etc/nginx/dh.pem;\n    listen"), before: "openssl dhparam -out /etc/nginx/dh.pem 512",
			want: invalid, cause: "ssl_dhparam & dh key too small", says: "openssl dhparam -out /etc/nginx/dh.pem 2048",
			not: "get a certificate", edit: "openssl dhparam -dsaparam -out /etc/nginx/dh.pem 2048"},
		{situation: "the key is too short for OpenSSL's level of security", files: with(short(root)), want: unreadable,
			cause: "key too small", edit: both},
		{situation: "ssl, and no certificate is named", files: site("ssl_certificate ", "# ssl_certificate "),
			want: invalid, cause: "ssl_certificate", edit: sed("s/# ssl_cert/ssl_cert/")},
		{situation: "ssl_ciphers has a name that OpenSSL does not know",
			files: site("listen", "ssl_ciphers NONE-SUCH;\n"+
				"listen"), want: invalid, cause: "NONE-SUCH", edit: sed("/ssl_ciphers/d")},
		{situation: "ssl_protocols has a misspelt version",
			files: site("listen", "ssl_protocols TLSv1.2 TLS1.3;\nlisten"),
			want:  invalid, cause: "TLS1.3", says: siteFile, edit: sed("/ssl_protocols/d")},
		{situation: "the old directive ssl on", files: site("443 ssl;", "443;\n    ssl on;")},
		{situation: "TLS 1.3 only", files: site("listen", "ssl_protocols TLSv1.3;\nlisten")},
		{situation: "TLS, and the headers are missing", files: withTLS(serves(passes(http11))),
			want: "upgrade-header-missing", edit: insert(upgrade + connection)},
		{situation: "TLS, and the backend is down", files: withTLS(well), backends: []backend{},
			want: "backend-not-running", cause: "127.0.0.1:3000", noMend: true},
		{situation: "two sites on 443, and the one's certificate is shown for the other's name", files: merge(merge(
			merge(merge(good, "/etc/nginx/conf.d/aaa.conf", strings.NewReplacer(certFile, "/srv/o.pem", keyFile,
				"/srv/o.key").Replace(secure(well))), "/srv/o.pem", other.pem), "/srv/o.key", other.keyPEM()), "/srv/x",
			"x"), want: wrong, cause: "ws.example.com", proof: "example.org", edit: "rm /etc/nginx/conf.d/aaa.conf"},
		{situation: "the directory of the key may not be entered by nginx's user, which its master does not need",
			files: withTLS(well), after: "chmod 700 /etc/pki/tls/private; chmod 600 " + keyFile},
		{situation: "the client's certificate is wanted by the location alone", files: merge(withTLS(well), siteFile,
			strings.Replace(strings.Replace(secure(well), "listen", "ssl_verify_client optional_no_ca;\n    listen", 1),
				"location /ws/ {", "location /ws/ { if ($ssl_client_verify != SUCCESS) { return 403; }", 1)),
			want: "forbidden-by-nginx", cause: "return 403", edit: sed("s/if ($ssl_client_verify[^}]*}//")},
		{situation: "HTTP on the port of TLS is sent to https, and the URL has ws://", files: merge(withTLS(well),
			siteFile, strings.Replace(secure(well), "listen",
				"error_page 497 =301 https://$host$request_uri;\n    listen",
				1)), verify: "--url ws://ws.example.com:443/ws/ --timeout 3s", want: "redirected-by-nginx",
			says: "wss://ws.example.com", noMend: true},
	}
	for i := range rows {
		if rows[i].verify == "" {
			rows[i].verify = secureURL
		}
	}
	return of("Certificates and keys, further", rows)
}

func (a authority) der() string { return string(a.cert.Raw) }

// early is a certificate that is valid from next week on.
func early(root authority) (cert, key string) {
	own := root.sign("ws.example.com", false, farOff)
	own.cert.NotBefore = time.Now().Add(7 * 24 * time.Hour)
	der, _ := x509.CreateCertificate(rand.Reader, own.cert, root.cert, own.key.Public(), root.key)
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})), own.keyPEM()
}

// short is a certificate with a key of 1 024 bits.
func short(root authority) (cert, key string) {
	rsaKey, _ := rsa.GenerateKey(rand.Reader, 1024)
	t := root.sign("ws.example.com", false, farOff).cert
	der, _ := x509.CreateCertificate(rand.Reader, t, root.cert, rsaKey.Public(), root.key)
	pkcs, _ := x509.MarshalPKCS8PrivateKey(rsaKey)
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})),
		string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs}))
}
