package host

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"time"
)

// patience is how long a TLS server of this host may take for its certificate.
const patience = 5 * time.Second

// Served are the certificates that a TLS server at an address gives a client that asks for the name. Where proxied, it
// wants a PROXY line first; UNKNOWN says nothing of who the client is (HAProxy's proxy-protocol.txt, 2.1).
func Served(ctx context.Context, address, name string, proxied bool) ([]*x509.Certificate, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	deadline, _ := ctx.Deadline()
	_ = conn.SetDeadline(deadline)
	if proxied {
		if _, err := conn.Write([]byte("PROXY UNKNOWN\r\n")); err != nil {
			return nil, err
		}
	}
	config := LocalTLS()
	config.ServerName = name
	client := tls.Client(conn, config)
	if err := client.HandshakeContext(ctx); err != nil {
		return nil, err
	}
	return client.ConnectionState().PeerCertificates, nil
}
