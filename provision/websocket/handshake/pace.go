package handshake

import (
	"context"
	"sync"
	"time"
)

// Pace keeps requests apart, for a server that counts them: those that have it ask one after the other.
type Pace struct {
	Every time.Duration

	mu   sync.Mutex
	next time.Time
}

// NewPace takes it that a request was made when it began.
func NewPace(began time.Time, every time.Duration) *Pace {
	return &Pace{Every: every, next: began.Add(every)}
}

// Least is how long a request may have to wait; nil waits for nothing.
func (p *Pace) Least() time.Duration {
	if p == nil {
		return 0
	}
	return p.Every
}

// wait waits for a request's turn. answered is to be called when the answer is there: when a request came to the server
// is known to lie before that.
func (p *Pace) wait(ctx context.Context) (answered func(), err error) {
	if p == nil {
		return func() {}, nil
	}
	p.mu.Lock()
	turn := time.NewTimer(time.Until(p.next))
	defer turn.Stop()
	select {
	case <-ctx.Done():
		p.mu.Unlock()
		return nil, ctx.Err()
	case <-turn.C:
	}
	return func() {
		p.next = time.Now().Add(p.Every)
		p.mu.Unlock()
	}, nil
}
