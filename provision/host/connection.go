package host

import (
	"context"

	"wsprovision/systemd"
)

// connection is to systemd, for as long as one command runs.
type connection struct {
	units systemd.Units
	err   error
}

// Systemd connects to systemd once for a command. A systemd that did not answer is not asked again by the next step, or
// for the next diagnosis: each would wait as long, for nothing.
func Systemd(ctx context.Context, h *Host) (systemd.Units, error) {
	if h.conn.units == nil && h.conn.err == nil {
		units, err := h.Units(ctx)
		if err != nil && ctx.Err() != nil { // the caller left, which says nothing of systemd
			return nil, err
		}
		h.conn = connection{units, err}
	}
	return h.conn.units, h.conn.err
}

// Disconnect ends what units began.
func Disconnect(h *Host) {
	if h.conn.units != nil {
		_ = h.conn.units.Close()
	}
	h.conn = connection{}
}
