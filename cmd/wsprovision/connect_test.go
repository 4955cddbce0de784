package main

import (
	"bytes"
	"net"
	"strings"
	"syscall"
	"testing"
)

// A signal while the server keeps us waiting for its answer: there was no WebSocket, and a script must not take it for
// one.
func TestConnectInterruptedInTheHandshake(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	cmd := agent(t, 0, "connect", "ws://"+l.Addr().String()+"/")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	c, err := l.Accept()
	if err == nil {
		defer c.Close()
		err = cmd.Process.Signal(syscall.SIGTERM)
	}
	if err != nil {
		t.Fatal(err)
	}
	if got, want := endedWith(t, cmd.Wait()), "caught terminated"; got != exitFailed ||
		!strings.Contains(stderr.String(), want) {
		t.Errorf("exit status %d, %q; want %d, …%s…", got, stderr.String(), exitFailed, want)
	}
}
