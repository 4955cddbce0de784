// Command crowd is many WebSockets, and the backend of as many: small, so that a machine has room for them.
//
//	crowd serve ADDRESS            answers handshakes, and sends back what it gets
//	crowd hold DIR N ADDRESS       opens N, and says in DIR/state how they fare; on SIGUSR1 each has to answer anew
package main

import (
	"bytes"
	"context"
	"crypto/sha1"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

const hello = "GET /ws/ HTTP/1.1\r\nHost: ws.example.com\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
	"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"

// key is the client's, in the header of its handshake.
var key = regexp.MustCompile(`(?i)\r\nSec-WebSocket-Key: *([^\r]+)\r\n`)

// answer is a server's (RFC 6455, 4.2.2).
func answer(hello []byte) (string, error) {
	m := key.FindSubmatch(hello)
	if m == nil {
		return "", errors.New("no handshake")
	}
	sum := sha1.Sum([]byte(string(m[1]) + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	return "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
		"Sec-WebSocket-Accept: " + base64.StdEncoding.EncodeToString(sum[:]) + "\r\n\r\n", nil
}

// ping is one frame, masked with zeros (RFC 6455, 5.2): a text of two bytes.
var ping = []byte{0x81, 0x82, 0, 0, 0, 0, 'h', 'i'}

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "crowd:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	switch {
	case len(args) == 2 && args[0] == "serve":
		return serve(args[1])
	case len(args) == 4 && args[0] == "hold":
		n, err := strconv.Atoi(args[2])
		if err != nil {
			return err
		}
		return hold(args[1], n, args[3])
	}
	return errors.New("serve ADDRESS, or hold DIR N ADDRESS")
}

// quiet has no TCP keepalive: Go's asks every connection after 15 s, which for 40 000 of them keeps an emulated
// processor busy with that alone, until answers are lost and connections are given up.
const quiet = -1

func serve(address string) error {
	l, err := (&net.ListenConfig{KeepAlive: quiet}).Listen(context.Background(), "tcp", address)
	if err != nil {
		return err
	}
	for {
		c, err := l.Accept()
		if err != nil {
			return err
		}
		go echo(c)
	}
}

func echo(c net.Conn) {
	defer c.Close() //nolint:errcheck // the other end has gone
	hello, err := head(c)
	if err != nil {
		return
	}
	text, err := answer(hello)
	if err != nil {
		return
	}
	if _, err := io.WriteString(c, text); err != nil {
		return
	}
	b := make([]byte, len(ping))
	for {
		n, err := c.Read(b)
		if err != nil {
			return
		}
		if _, err := c.Write(b[:n]); err != nil {
			return
		}
	}
}

// head reads up to the empty line, in as few calls as it comes in: what an emulated processor does slowest is to enter
// the kernel. Nothing follows it: neither end of these WebSockets speaks before it is asked.
func head(r io.Reader) ([]byte, error) {
	b := make([]byte, 4096)
	for n := 0; n < len(b); {
		more, err := r.Read(b[n:])
		if n += more; bytes.HasSuffix(b[:n], []byte("\r\n\r\n")) {
			return b[:n], nil
		}
		if err != nil {
			return b[:n], err
		}
	}
	return b, errors.New("no end of the header")
}

// crowd are the WebSockets of one process.
type crowd struct {
	address                       string
	held, failed, cut, back, done atomic.Int64
	mu                            sync.Mutex
	open                          []net.Conn
	why                           string // the first failure
	asked                         int    // how often each was asked
}

func hold(dir string, n int, address string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	c := &crowd{address: address}
	go c.dial(n)
	ask := make(chan os.Signal, 1)
	signal.Notify(ask, syscall.SIGUSR1)
	for {
		if err := c.tell(filepath.Join(dir, "state")); err != nil {
			return err
		}
		select {
		case <-ask:
			c.ask()
		case <-time.After(200 * time.Millisecond):
		}
	}
}

func (c *crowd) tell(path string) error {
	c.mu.Lock()
	text := fmt.Sprintf("asked=%d held=%d failed=%d cut=%d back=%d done=%d %s\n", c.asked, c.held.Load(),
		c.failed.Load(), c.cut.Load(), c.back.Load(), c.done.Load(), c.why)
	c.mu.Unlock()
	if err := os.WriteFile(path+".new", []byte(text), 0o644); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

// dial opens them, some at a time.
func (c *crowd) dial(n int) {
	const atOnce = 50
	var all sync.WaitGroup
	todo := make(chan int)
	for range atOnce {
		all.Go(func() {
			for range todo {
				c.one()
			}
		})
	}
	for i := range n {
		todo <- i
	}
	close(todo)
	all.Wait()
	c.done.Store(1)
}

// patience is for one handshake: an emulated machine may stand still for a while when its host is busy.
const patience = 5 * time.Minute

func (c *crowd) one() {
	conn, err := (&net.Dialer{KeepAlive: quiet, Timeout: patience}).Dial("tcp", c.address)
	if err == nil {
		err = shake(conn)
	}
	if err != nil {
		c.failed.Add(1)
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.why == "" {
			c.why = err.Error()
		}
		return
	}
	c.mu.Lock()
	c.open = append(c.open, conn)
	c.mu.Unlock()
	c.held.Add(1)
	go c.watch(conn)
}

func shake(conn net.Conn) error {
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	if _, err := io.WriteString(conn, hello); err != nil {
		return err
	}
	got, err := head(conn)
	if err == nil && !bytes.HasPrefix(got, []byte("HTTP/1.1 101 ")) {
		err = fmt.Errorf("%.20q", got)
	}
	return errors.Join(err, conn.SetDeadline(time.Time{}))
}

// watch waits for what comes back, and for the end.
func (c *crowd) watch(conn net.Conn) {
	b := make([]byte, len(ping))
	for {
		if _, err := io.ReadFull(conn, b); err != nil {
			c.held.Add(-1)
			c.cut.Add(1)
			return
		}
		c.back.Add(1)
	}
}

// ask sends a frame through each, so many at a time: the kernel drops what waits behind its queue for the loopback
// (net.core.netdev_max_backlog, 1000), and sends it again much later.
func (c *crowd) ask() {
	const atOnce = 100
	patient := time.Now().Add(patience) // some may be gone
	c.back.Store(0)
	c.mu.Lock()
	defer c.mu.Unlock()
	for i, conn := range c.open {
		_, _ = conn.Write(ping) // watch sees the end
		for i-int(c.back.Load()) > atOnce && time.Now().Before(patient) {
			time.Sleep(time.Millisecond)
		}
	}
	c.asked++
}
