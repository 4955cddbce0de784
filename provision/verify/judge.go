package verify

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"syscall"

	multierror "github.com/hashicorp/go-multierror"

	"wsprovision/provision/config"
	"wsprovision/provision/engine"
	"wsprovision/provision/websocket/handshake"
)

// answered is what one backend of a location says without nginx in between.
type answered struct {
	backend config.Backend
	address string
	err     error // nil: it takes the handshake
}

// ask makes the handshake with every backend of the location.
func (p *Proof) ask(ctx context.Context, target handshake.Target, l config.Location) []answered {
	var all []answered
	for _, b := range l.Backends {
		direct, err := Direct(ctx, p.Host, l, b, target)
		if err == nil {
			_, err = p.Probe(ctx, direct)
		}
		all = append(all, answered{b, b.Address(), err})
	}
	return all
}

// absent: nobody listens there.
func (a answered) absent() bool {
	var refused *handshake.DialError
	return errors.As(a.err, &refused) && (errors.Is(a.err, syscall.ECONNREFUSED) || errors.Is(a.err, fs.ErrNotExist))
}

// judge asks the backends themselves what they answer. What they refuse without nginx in between is their own affair
// and no failure of provisioning.
func (p *Proof) judge(ctx context.Context, f *engine.Finding, target handshake.Target, l config.Location,
	through error) error {
	all := p.ask(ctx, target, l)
	for _, a := range all {
		if a.err == nil {
			return fmt.Errorf("%s through %s: %w, although the backend %s accepts it%s", target, target.Address,
				through,
				a.address, p.Denial(a.backend.Port))
		}
	}
	var failed *multierror.Error
	for _, a := range all {
		if err := p.judgeOne(f, target, a, through); err != nil {
			failed = multierror.Append(failed, err)
		}
	}
	return engine.Lines(failed)
}

func (p *Proof) judgeOne(f *engine.Finding, target handshake.Target, a answered, through error) error {
	var refused *handshake.DialError
	var status *handshake.StatusError
	switch {
	case a.absent():
		if denial := p.Denial(a.backend.Port); denial != "" {
			return fmt.Errorf("%s through %s: %w%s; and the backend %s is not running", target, target.Address,
				through, denial, a.address)
		}
		p.Unproved = append(p.Unproved, fmt.Sprintf("the backend %s is not running yet", a.address))
		f.Warnings = append(f.Warnings, fmt.Sprintf("the backend %s is not running yet (%s): start it, and prove it "+
			"with wsprovision apply again", a.address, a.absence()))
		return nil
	case errors.As(a.err, &refused):
		return fmt.Errorf("%s through %s: %w; the backend %s cannot be reached from here either: %w", target,
			target.Address, through, a.address, a.err)
	}
	if expected := target.Expect.Any() && errors.As(a.err, &status) && status.Code < 500; expected {
		return fmt.Errorf("%s: the backend %s itself does not answer as the location's probe expects it: %w", target,
			a.address, a.err)
	}
	if errors.As(a.err, &status) && status.Code >= 500 { // it may still be starting; 401 and its like stay
		p.Unproved = append(p.Unproved, fmt.Sprintf("the backend %s answers %d", a.address, status.Code))
	}
	f.Warnings = append(f.Warnings, fmt.Sprintf("%s: the backend %s itself refuses a plain handshake: %s", target,
		a.address, a.err))
	return nil
}

func (a answered) absence() string {
	if errors.Is(a.err, fs.ErrNotExist) {
		return "there is no such socket"
	}
	return "connection refused"
}

// sayLeftOut names the backends of a list that do not take the handshake: nginx leaves them out, so that the proof
// through it says nothing of them.
func (p *Proof) sayLeftOut(ctx context.Context, f *engine.Finding, target handshake.Target, l config.Location) {
	if len(l.Backends) < 2 {
		return
	}
	for _, a := range p.ask(ctx, target, l) {
		switch {
		case a.err == nil:
			f.Notes = append(f.Notes, fmt.Sprintf("the backend %s takes the handshake", a.address))
		case a.absent():
			f.Warnings = append(f.Warnings,
				fmt.Sprintf("the backend %s is not running (%s): nginx goes on with the others",
					a.address, a.absence()))
		default:
			f.Warnings = append(f.Warnings, fmt.Sprintf("the backend %s does not take the handshake: %s", a.address,
				a.err))
		}
	}
}
