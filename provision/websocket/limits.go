package websocket

import (
	"cmp"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// Limits bound what one Serve holds, and how long it waits for a client. A field that is 0 has the default.
type Limits struct {
	// Connections is how many are open at once; one more is answered with 503. Default 1024, which is more than
	// Measure opens at a time.
	Connections int
	// Message is the longest message in bytes. Default 1 MiB; verify sends 64 KiB.
	Message int64
	// Memory is what the messages of all connections take together while they are under way, in bytes. Default 32 MiB.
	Memory int64
	// Header is how long a request may take to come, and its answer to be taken. Default 10 s.
	Header time.Duration
	// Transfer is how long one message may take from its first frame to its last, and then its echo to be taken.
	// Default 30 s.
	Transfer time.Duration
	// Idle is how long a connection may send neither a message nor a ping. Default 1 h.
	Idle time.Duration
}

func (l Limits) withDefaults() Limits {
	l.Connections = cmp.Or(l.Connections, 1024)
	l.Message = cmp.Or(l.Message, 1<<20)
	l.Memory = cmp.Or(l.Memory, 32<<20)
	l.Header = cmp.Or(l.Header, 10*time.Second)
	l.Transfer = cmp.Or(l.Transfer, 30*time.Second)
	l.Idle = cmp.Or(l.Idle, time.Hour)
	return l
}

// budget is memory that all connections share.
type budget struct{ left atomic.Int64 }

func (b *budget) take(n int64) bool {
	if b.left.Add(-n) >= 0 {
		return true
	}
	b.left.Add(n)
	return false
}

func (b *budget) give(n int64) { b.left.Add(n) }

// tallyEvery is how often the log repeats what goes on happening.
const tallyEvery = 10 * time.Second

// tally logs what may happen very often: at once, and then no more than every tallyEvery with how often it has
// happened.
type tally struct {
	what string
	log  func(string)

	mu    sync.Mutex
	count int // not logged yet
	said  time.Time
}

func (t *tally) add() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.count++
	if time.Since(t.said) >= tallyEvery {
		t.say()
	}
}

// end logs what add has kept back.
func (t *tally) end() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.count > 0 {
		t.say()
	}
}

func (t *tally) say() {
	t.log(fmt.Sprintf("%s: %d", t.what, t.count))
	t.count, t.said = 0, time.Now()
}

// linesPerSecond is how many lines clients can put into the log.
const linesPerSecond = 100

// chatter is what clients put into the log; what is too much is counted.
type chatter struct {
	log  func(string)
	over tally

	mu     sync.Mutex
	second time.Time
	lines  int
}

func newChatter(log func(string)) *chatter {
	what := fmt.Sprintf("Lines left out, because there are more than %d in a second", linesPerSecond)
	return &chatter{log: log, over: tally{what: what, log: log}}
}

func (c *chatter) say(line string) {
	if c.room() {
		c.log(line)
	} else {
		c.over.add()
	}
}

func (c *chatter) room() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now := time.Now(); now.Sub(c.second) >= time.Second {
		c.second, c.lines = now, 0
	}
	c.lines++
	return c.lines <= linesPerSecond
}
