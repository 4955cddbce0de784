package provision

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"syscall"
	"time"

	multierror "github.com/hashicorp/go-multierror"

	"wsprovision/provision/config"
	"wsprovision/provision/diagnose"
	"wsprovision/provision/engine"
	"wsprovision/provision/host"
	"wsprovision/provision/websocket"
)

// prove makes one handshake for every WebSocket location, through nginx and
// with the site's name.
func (r *Run) prove(ctx context.Context) (engine.Finding, error) {
	var f engine.Finding
	var all *multierror.Error
	tree, _ := r.tree(nil) // of a broken one what was read serves
	logs := tree.ErrorLogs()
	for _, site := range r.Config.Sites {
		for _, l := range site.Locations {
			if !l.WebSocket {
				continue
			}
			if err := r.proveLocation(ctx, &f, site, l, logs); err != nil {
				all = multierror.Append(all, err)
			}
		}
	}
	return f, engine.Lines(all)
}

func (r *Run) proveLocation(ctx context.Context, f *engine.Finding, site config.Site, l config.Location,
	logs []string) error {
	target := diagnose.Recognisable(target(site, l))
	marks, began := diagnose.MarkLogs(r.Host, logs...), time.Now()
	hs, err := r.Probe(ctx, target)
	if err == nil {
		f.Notes = append(f.Notes, fmt.Sprintf("%s through %s: 101, %.1f ms", target, target.Address,
			float64(hs.Upgrade.Microseconds())/1000))
		return nil
	}
	s := diagnose.Symptom{Site: &site, Location: &l, Target: target, Check: "upgrade", Err: err, Lines: diagnose.LogsSince(ctx, r.Host, marks),
		Began: began, Own: ownFile(r.Host, r.Config, &site)}
	var status *websocket.StatusError
	if !errors.As(err, &status) {
		return r.because(ctx, s, fmt.Errorf("%s through %s: %w", target, target.Address, err))
	}
	return r.because(ctx, s, r.judge(ctx, f, target, l.Backend, err))
}

// because adds to a failure of the proof what the diagnosis of verify says of
// it, where it finds a cause.
func (r *Run) because(ctx context.Context, s diagnose.Symptom, failure error) error {
	if failure == nil {
		return nil
	}
	d := diagnose.Explain(ctx, r.Host, r.Config, s)
	if d.Code == diagnose.Unexplained {
		return failure
	}
	return fmt.Errorf("%w: %s", failure, d)
}

// judge asks the backend itself what it answers. What it refuses without
// nginx in between is its own affair and no failure of provisioning.
func (r *Run) judge(ctx context.Context, f *engine.Finding, target websocket.Target, backend config.Backend,
	through error) error {
	direct := target
	direct.Address = net.JoinHostPort(backend.Host, strconv.Itoa(backend.Port))
	direct.TLS = nil
	_, err := r.Probe(ctx, direct)
	var refused *websocket.DialError
	switch {
	case err == nil:
		return fmt.Errorf("%s through %s: %w, although the backend %s accepts it%s", target, target.Address, through,
			direct.Address, r.denial(backend.Port))
	case errors.As(err, &refused) && errors.Is(err, syscall.ECONNREFUSED):
		if denial := r.denial(backend.Port); denial != "" {
			return fmt.Errorf("%s through %s: %w%s; and the backend %s is not running", target, target.Address,
				through, denial, direct.Address)
		}
		r.unproved = append(r.unproved, fmt.Sprintf("the backend %s is not running yet", direct.Address))
		f.Warnings = append(f.Warnings, fmt.Sprintf("the backend %s is not running yet (connection refused): start "+
			"it, and prove it with wsprovision apply again", direct.Address))
		return nil
	case errors.As(err, &refused):
		return fmt.Errorf("%s through %s: %w; the backend %s cannot be reached from here either: %w", target,
			target.Address, through, direct.Address, err)
	}
	var status *websocket.StatusError
	if errors.As(err, &status) && status.Code >= 500 { // it may still be starting; 401 and its like stay
		r.unproved = append(r.unproved, fmt.Sprintf("the backend %s answers %d", direct.Address, status.Code))
	}
	f.Warnings = append(f.Warnings, fmt.Sprintf("%s: the backend %s itself refuses a plain handshake: %s", target,
		direct.Address, err))
	return nil
}

// denial says where the running policy keeps nginx from the port.
func (r *Run) denial(port int) string {
	allowed, label, err := r.SELinux.MayConnect(port)
	if err != nil || allowed {
		return ""
	}
	return fmt.Sprintf(": SELinux denies httpd_t to connect to port %d (%s)", port, label)
}

// target is a location at its site's first listening address.
func target(site config.Site, l config.Location) websocket.Target {
	t := reach(site, l, site.Listen[0])
	if t.TLS != nil {
		t.TLS = host.LocalTLS()
	}
	return t
}
