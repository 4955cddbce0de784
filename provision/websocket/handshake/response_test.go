package handshake

import (
	"bufio"
	"bytes"
	"io"
	"testing"
)

// RFC 6455 section 1.3 has this example.
func TestDigest(t *testing.T) {
	if got, want := Digest("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func FuzzReadResponse(f *testing.F) {
	f.Add([]byte("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: " +
		"upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n\x81\x00"))
	f.Add([]byte("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 502 Bad Gateway\r\nContent-Length: 3\r\n\r\nabc"))
	f.Add([]byte("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n"))
	f.Add([]byte("SSH-2.0-x\r\n"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		resp, err := readResponse(bufio.NewReader(newBounded(bytes.NewReader(raw))))
		if err != nil {
			return
		}
		if resp.StatusCode/100 == 1 && resp.StatusCode != 101 {
			t.Fatalf("interim status %d came through", resp.StatusCode)
		}
		body, _ := io.ReadAll(io.LimitReader(resp.Body, maxBody))
		if len(body) > len(raw) {
			t.Fatalf("body of %d bytes out of %d", len(body), len(raw))
		}
		const key = "dGhlIHNhbXBsZSBub25jZQ=="
		accepted := resp.StatusCode == 101 && judge(resp, UpgradeHeader(key, nil)) == nil
		if accepted && !bytes.Contains(raw, []byte("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")) {
			t.Fatal("accepted without the digest")
		}
	})
}
