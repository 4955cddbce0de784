package websocket

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"wsprovision/provision/websocket/handshake"
)

func TestProbeTLS(t *testing.T) {
	noLeak(t)
	ca, stranger := newCA(t), newCA(t)
	soonOver := time.Now().Add(time.Hour)
	for _, tt := range []struct {
		name   string
		server *tls.Config
		client *tls.Config
		check  func(error) bool // nil: no error
	}{
		{"good", ca.server(t, "ws.example.com", soonOver), &tls.Config{RootCAs: ca.pool}, nil},
		{"expired", ca.server(t, "ws.example.com", time.Now().Add(-time.Hour)), &tls.Config{RootCAs: ca.pool},
			func(err error) bool {
				var e x509.CertificateInvalidError
				return errors.As(err, &e) && e.Reason == x509.Expired
			}},
		{"for another name", ca.server(t, "other.example.com", soonOver), &tls.Config{RootCAs: ca.pool},
			func(err error) bool {
				return pick[x509.HostnameError](err) != nil
			}},
		{"of another CA", stranger.server(t, "ws.example.com", soonOver), &tls.Config{RootCAs: ca.pool},
			func(err error) bool {
				return pick[x509.UnknownAuthorityError](err) != nil
			}},
		{"too old a version", func() *tls.Config {
			c := ca.server(t, "ws.example.com", soonOver)
			c.MinVersion = tls.VersionTLS13
			return c
		}(), &tls.Config{RootCAs: ca.pool, MaxVersion: tls.VersionTLS12}, func(err error) bool {
			return strings.Contains(err.Error(), "protocol version")
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			names := make(chan string, 10)
			tt.server.GetConfigForClient = func(h *tls.ClientHelloInfo) (*tls.Config, error) {
				names <- h.ServerName
				return nil, nil
			}
			target := startEcho(t, tls.NewListener(listen(t, "127.0.0.1:0"), tt.server), Limits{}, nil)
			target.TLS = tt.client
			hs, err := Probe(soon(t), target)
			if name := <-names; name != "ws.example.com" {
				t.Errorf("SNI %q", name)
			}
			if tt.check == nil {
				if err != nil || !hs.Accepted || hs.TLS.Untrusted != nil || len(hs.TLS.Chain) != 2 ||
					hs.TLS.Chain[0].Names[0] != "ws.example.com" || hs.TLS.Version != "TLS 1.3" {
					t.Fatalf("got %+v %+v %v", hs, hs.TLS, err)
				}
				return
			}
			if kind(err) != "tls" || !tt.check(err) {
				t.Fatalf("got %v", err)
			}
		})
	}
}

func TestVerifyCertificate(t *testing.T) {
	noLeak(t)
	ca := newCA(t)
	server := ca.server(t, "ws.example.com", time.Now().Add(-time.Hour))
	target := startEcho(t, tls.NewListener(listen(t, "127.0.0.1:0"), server), Limits{}, nil)
	target.TLS = &tls.Config{RootCAs: ca.pool}
	list := Verify(soon(t), target, Options{})
	c := find(t, list, "certificate")
	if !c.Failed() || !strings.Contains(c.Err.Error(), "expired") || !strings.Contains(c.Detail, "CN=ws.example.com") {
		t.Errorf("got %+v", c)
	}
	if got := find(t, list, "upgrade"); got.Skipped != "certificate failed" {
		t.Errorf("nothing may be sent to an untrusted server: %+v", got)
	}
	target.TLS.InsecureSkipVerify = true
	list = Verify(soon(t), target, Options{OtherHost: "other.example.com"})
	if c := find(t, list, "certificate"); c.OK || !strings.Contains(c.Skipped, "expired") {
		t.Errorf("got %+v", c)
	}
	if c := find(t, list, "text-echo"); !c.OK {
		t.Errorf("got %+v", c)
	}
	if c := find(t, list, "other-host"); !c.Failed() {
		t.Errorf("got %+v", c)
	}
}

func TestProbeTLSToPlain(t *testing.T) {
	l := listen(t, "127.0.0.1:0")
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = c.Write([]byte("HTTP/1.1 400 Bad Request\r\n\r\n"))
			_ = c.Close()
		}
	}()
	_, err := Probe(soon(t), handshake.Target{Address: l.Addr().String(), TLS: &tls.Config{}})
	var e tls.RecordHeaderError
	if kind(err) != "tls" || !(errors.As(err, &e) || pick[*net.OpError](err) != nil) {
		t.Errorf("got %v", err)
	}
}
