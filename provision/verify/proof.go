package verify

import (
	"context"

	"wsprovision/provision/engine"
)

// Check sends a WebSocket handshake through nginx to every location, once
// nothing else is pending: a host that is about to change, or where another
// step has already said what is wrong, proves nothing.
func (p *Proof) Check(ctx context.Context) (engine.Finding, error) {
	var f engine.Finding
	if p.Where.Offline() {
		f.Changes = []engine.Change{{Object: "WebSocket handshake", From: "not made", To: "101",
			Deferred: "nginx does not run here"}}
		return f, nil
	}
	if p.Pending() {
		f.Notes = []string{"a WebSocket handshake through nginx will prove it, once the rest is as asked"}
		return f, nil
	}
	p.Unproved = nil
	return p.prove(ctx)
}
