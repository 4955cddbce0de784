package websocket

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"wsprovision/provision/websocket/handshake"
)

// soon bounds a test that would otherwise hang.
func soon(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func listen(t *testing.T, address string) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

// record is a log that a test can look at while it is written.
type record struct {
	mu    sync.Mutex
	lines []string
}

func (r *record) add(s string) { r.mu.Lock(); r.lines = append(r.lines, s); r.mu.Unlock() }

func (r *record) all() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]string(nil), r.lines...)
}

func (r *record) wait(t *testing.T, n int) []string {
	t.Helper()
	for range 500 {
		if got := r.all(); len(got) >= n {
			return got
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("log has %q, want %d lines", r.all(), n)
	return nil
}

// startEcho serves on l until the test ends, and insists that Serve then returns nil.
func startEcho(t *testing.T, l net.Listener, limits Limits, log func(string)) handshake.Target {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- Serve(ctx, l, limits, log) }()
	t.Cleanup(func() {
		cancel()
		select {
		case err := <-done:
			if err != nil {
				t.Errorf("Serve: %v", err)
			}
		case <-time.After(10 * time.Second):
			t.Error("Serve did not end")
		}
	})
	return handshake.Target{Address: l.Addr().String(), Host: "ws.example.com", Path: "/ws/"}
}

func echo(t *testing.T) handshake.Target {
	t.Helper()
	return startEcho(t, listen(t, "127.0.0.1:0"), Limits{}, nil)
}

// roomyEcho takes messages that only tests send.
func roomyEcho(t *testing.T) handshake.Target {
	t.Helper()
	return startEcho(t, listen(t, "127.0.0.1:0"), Limits{Message: 32 << 20, Memory: 256 << 20}, nil)
}

// hostile answers every connection with do, and closes it afterwards.
func hostile(t *testing.T, do func(net.Conn, *http.Request)) handshake.Target {
	t.Helper()
	l := listen(t, "127.0.0.1:0")
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go answer(c, do)
		}
	}()
	return handshake.Target{Address: l.Addr().String(), Host: "ws.example.com", Path: "/ws/"}
}

func answer(c net.Conn, do func(net.Conn, *http.Request)) {
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(20 * time.Second))
	req, err := http.ReadRequest(bufio.NewReader(c))
	if err == nil {
		do(c, req)
	}
}

// bubble is a test that holds the clock. It ends when everything that it began has ended.
func bubble(t *testing.T, f func(t *testing.T)) {
	synctest.Test(t, func(t *testing.T) {
		f(t)
		time.Sleep(time.Minute)
	})
}

// wired is hostile over a wire in memory, for tests that hold the clock (testing/synctest), which a socket stops.
func wired(do func(net.Conn, *http.Request)) handshake.Target {
	return handshake.Target{Address: "wire:80", Host: "ws.example.com", Path: "/ws/",
		Dial: func(context.Context, string, string) (net.Conn, error) {
			client, server := net.Pipe()
			go answer(server, do)
			return client, nil
		}}
}

func say(c net.Conn, lines ...string) {
	_, _ = c.Write([]byte(strings.Join(lines, "\r\n") + "\r\n\r\n"))
}

// accept completes a good handshake, with extra header lines.
func accept(c net.Conn, req *http.Request, extra ...string) {
	say(c, append([]string{
		"HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade",
		"Sec-WebSocket-Accept: " + handshake.Digest(req.Header.Get("Sec-WebSocket-Key")),
	}, extra...)...)
}

// noLeak fails the test if goroutines of ours outlive it. To be called first, so that it is checked last.
func noLeak(t *testing.T) {
	t.Helper()
	t.Cleanup(func() {
		var stacks string
		for range 500 {
			buf := make([]byte, 1<<20)
			stacks = string(buf[:runtime.Stack(buf, true)])
			if ours(stacks) == 0 {
				return
			}
			time.Sleep(20 * time.Millisecond)
		}
		t.Errorf("%d goroutines left:\n%s", ours(stacks), stacks)
	})
}

func ours(stacks string) (n int) {
	for g := range strings.SplitSeq(stacks, "\n\n") {
		if !strings.Contains(g, "testing.tRunner") && !strings.Contains(g, "testing.(*M)") &&
			(strings.Contains(g, "wsprovision/provision/websocket") || strings.Contains(g, "coder/websocket.")) {
			n++
		}
	}
	return n
}

// authority is a CA made for one test.
type testCA struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	pool *x509.CertPool
}

func newCA(t *testing.T) *testCA {
	t.Helper()
	key, cert := certify(t, &x509.Certificate{
		Subject: pkix.Name{CommonName: "test CA"}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage:  x509.KeyUsageCertSign,
		NotBefore: time.Now().Add(-48 * time.Hour), NotAfter: time.Now().Add(time.Hour),
	}, nil)
	ca := &testCA{cert: cert, key: key, pool: x509.NewCertPool()}
	ca.pool.AddCert(cert)
	return ca
}

func certify(t *testing.T, c *x509.Certificate, ca *testCA) (*ecdsa.PrivateKey, *x509.Certificate) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c.SerialNumber = big.NewInt(time.Now().UnixNano())
	parent, signer := c, key
	if ca != nil {
		parent, signer = ca.cert, ca.key
	}
	der, err := x509.CreateCertificate(rand.Reader, c, parent, &key.PublicKey, signer)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return key, cert
}

func (ca *testCA) server(t *testing.T, name string, until time.Time) *tls.Config {
	t.Helper()
	key, cert := certify(t, &x509.Certificate{
		Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotBefore: time.Now().Add(-24 * time.Hour), NotAfter: until,
	}, ca)
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{cert.Raw, ca.cert.Raw}, PrivateKey: key}}}
}
