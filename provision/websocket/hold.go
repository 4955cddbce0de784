package websocket

import (
	"context"
	"sync"
	"time"

	"wsprovision/provision/websocket/handshake"
)

// holdTimeout is for opening all that are held.
const holdTimeout = 5 * time.Second

// Hold opens as many connections as Measure does at a time, and calls look while those that came about are open.
func Hold(ctx context.Context, t handshake.Target, l Load, look func()) (held int) {
	ctx, cancel := context.WithTimeout(ctx, holdTimeout)
	defer cancel()
	sessions := make([]*session, min(max(l.Concurrency, 1), 1000, max(l.Count, 1)))
	var group sync.WaitGroup
	for i := range sessions {
		group.Go(func() { sessions[i], _, _ = open(ctx, t, dialOptions{limit: verifyLimit}) })
	}
	group.Wait()
	for _, s := range sessions {
		if s != nil {
			held++
		}
	}
	look()
	for _, s := range sessions {
		if s != nil {
			group.Go(s.end)
		}
	}
	group.Wait()
	return held
}
