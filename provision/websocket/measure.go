package websocket

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"wsprovision/provision/websocket/handshake"
)

// Load is how much Measure does: at most 100 000 connections, 1000 of them at a time. 0 is 1.
type Load struct{ Count, Concurrency int }

// Percentiles are by nearest rank: each is a time that was measured.
type Percentiles struct{ P50, P90, P99, Max time.Duration }

// Timing is of the connections that went well.
type Timing struct {
	Count, Failed int
	// Handshake is from the dial to the 101; RoundTrip from a ping to its pong, which every backend gives, echo or not.
	Handshake, RoundTrip Percentiles
	Elapsed              time.Duration
}

// measureTimeout is for one connection, from dial to close.
const measureTimeout = 15 * time.Second

type sample struct {
	handshake, trip time.Duration
	err             error
}

// Measure opens l.Count connections, each with a handshake, a ping and a clean close. Connections that fail are
// counted, and the first of their errors is wrapped in the one returned; the timing is of the others.
func Measure(ctx context.Context, t handshake.Target, l Load) (Timing, error) {
	count := min(max(l.Count, 1), 100_000)
	width := min(max(l.Concurrency, 1), 1000, count)
	start := time.Now()
	samples := gather(ctx, count, width, func() sample { return once(ctx, t) })
	timing, first := summarize(samples)
	timing.Elapsed = time.Since(start)
	if err := ctx.Err(); err != nil && len(samples) < count {
		return timing, fmt.Errorf("measure: stopped after %d of %d connections: %w", len(samples), count, err)
	}
	if first != nil {
		return timing, fmt.Errorf("measure: %d of %d connections: %w", timing.Failed, count, first)
	}
	return timing, nil
}

func gather(ctx context.Context, count, width int, do func() sample) []sample {
	work, out := make(chan struct{}), make(chan sample)
	go func() {
		defer close(work)
		for range count {
			select {
			case work <- struct{}{}:
			case <-ctx.Done():
				return
			}
		}
	}()
	var group sync.WaitGroup
	for range width {
		group.Go(func() {
			for range work {
				out <- do()
			}
		})
	}
	go func() { group.Wait(); close(out) }()
	var samples []sample
	for s := range out {
		samples = append(samples, s)
	}
	return samples
}

func once(ctx context.Context, t handshake.Target) (out sample) {
	ctx, cancel := context.WithTimeout(ctx, measureTimeout)
	defer cancel()
	start := time.Now()
	s, _, err := open(ctx, t, dialOptions{limit: verifyLimit})
	if err != nil {
		return sample{err: err}
	}
	defer s.end()
	out.handshake = time.Since(start)
	start = time.Now()
	if out.err = s.ping(ctx); out.err != nil {
		out.err = s.lost(start, out.err)
		return out
	}
	out.trip = time.Since(start)
	_, _, _ = s.shut(ctx, 1000, "")
	return out
}

func summarize(samples []sample) (t Timing, first error) {
	var shakes, trips []time.Duration
	for _, s := range samples {
		if s.err != nil {
			t.Failed++
			if first == nil {
				first = s.err
			}
			continue
		}
		shakes, trips = append(shakes, s.handshake), append(trips, s.trip)
	}
	t.Count = len(shakes)
	t.Handshake, t.RoundTrip = percentiles(shakes), percentiles(trips)
	return t, first
}

func percentiles(d []time.Duration) Percentiles {
	if len(d) == 0 {
		return Percentiles{}
	}
	slices.Sort(d)
	rank := func(p int) time.Duration { return d[(len(d)*p+99)/100-1] }
	return Percentiles{P50: rank(50), P90: rank(90), P99: rank(99), Max: d[len(d)-1]}
}
