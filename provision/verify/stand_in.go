package verify

import (
	"context"
	"fmt"
	"net"
	"time"

	"wsprovision/provision/config"
	"wsprovision/provision/websocket"
)

// standIns starts an echo backend in place of each one that does not run; nil where all of them do.
func (v *Verification) standIns(ctx context.Context, backends []config.Backend) (stop func(), err error) {
	var all []func()
	end := func() {
		for _, one := range all {
			one()
		}
	}
	for _, b := range backends {
		one, err := v.standIn(ctx, b)
		if err != nil {
			end()
			return nil, err
		}
		if one != nil {
			all = append(all, one)
		}
	}
	if all == nil {
		return nil, nil
	}
	return end, nil
}

// standIn starts an echo backend where nobody listens; nil where somebody does, and where it cannot: it has no
// certificate, and makes no socket in somebody's directory.
func (v *Verification) standIn(ctx context.Context, backend config.Backend) (stop func(), err error) {
	if !loopback(backend.Host) || backend.HTTPS {
		return nil, nil
	}
	address := backend.Address()
	if conn, err := net.DialTimeout("tcp", address, 2*time.Second); err == nil {
		conn.Close()
		return nil, nil
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("start an echo backend in place of %s: %w", address, err)
	}
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = websocket.Serve(ctx, listener, v.standInLimits(), v.Log)
	}()
	return func() { cancel(); <-done }, nil
}
