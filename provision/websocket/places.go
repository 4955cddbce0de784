package websocket

import (
	"net"
	"net/http"
	"sync"
	"sync/atomic"
)

// spare is how many connections over the limit are kept for as long as their 503 takes. What is over those as well is
// closed at once.
const spare = 64

// places is a listener that counts the connections that are open.
type places struct {
	net.Listener
	limit   int64
	open    atomic.Int64
	refused *tally
}

// place is one connection that counts until it is closed.
type place struct {
	net.Conn
	over  bool // more than the limit: to be answered with 503
	leave func()
}

func (p *places) Accept() (net.Conn, error) {
	for {
		conn, err := p.Listener.Accept()
		if err != nil {
			return nil, err
		}
		n := p.open.Add(1)
		c := &place{Conn: conn, over: n > p.limit, leave: sync.OnceFunc(func() { p.open.Add(-1) })}
		if c.over {
			p.refused.add()
		}
		if n <= p.limit+spare {
			return c, nil
		}
		_ = c.Close()
	}
}

func (c *place) Close() error {
	c.leave()
	return c.Conn.Close()
}

func refuse(w http.ResponseWriter) {
	w.Header().Set("Connection", "close")
	w.Header().Set("Retry-After", "10")
	http.Error(w, "the echo backend has too many connections", http.StatusServiceUnavailable)
}
