package verify

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
	"wsprovision/provision/policy"
	"wsprovision/provision/proxy"
	"wsprovision/provision/websocket"
)

// prove makes one handshake for every WebSocket location, through nginx and
// with the site's name.
func (p *Proof) prove(ctx context.Context) (engine.Finding, error) {
	var f engine.Finding
	var all *multierror.Error
	tree, _ := p.Survey.Tree(nil) // of a broken one what was read serves
	logs := tree.ErrorLogs()
	for _, site := range p.Config.Sites {
		for _, l := range site.Locations {
			if guard := site.Guard(l); !l.WebSocket || guard != "" {
				if l.WebSocket {
					f.Notes = append(f.Notes, fmt.Sprintf("%s of %s is not proved: %s stands before "+
						"it", l.Path, site.Name, guard))
				}
				continue
			}
			if err := p.ProveLocation(ctx, &f, site, l, logs); err != nil {
				all = multierror.Append(all, err)
			}
		}
	}
	return f, engine.Lines(all)
}

func (p *Proof) ProveLocation(ctx context.Context, f *engine.Finding, site config.Site, l config.Location,
	logs []string) error {
	target := diagnose.Recognisable(Target(site, l))
	marks, began := diagnose.MarkLogs(p.Host, logs...), time.Now()
	hs, err := p.Probe(ctx, target)
	if err == nil {
		f.Notes = append(f.Notes, fmt.Sprintf("%s through %s: 101, %.1f ms", target, target.Address,
			float64(hs.Upgrade.Microseconds())/1000))
		return nil
	}
	s := diagnose.Symptom{Site: &site, Location: &l, Target: target, Check: "upgrade", Err: err, Lines: diagnose.LogsSince(ctx, p.Host, marks),
		Began: began, Own: OwnFile(p.Host, p.Config, &site)}
	var status *websocket.StatusError
	if !errors.As(err, &status) {
		return p.because(ctx, s, fmt.Errorf("%s through %s: %w", target, target.Address, err))
	}
	return p.because(ctx, s, p.judge(ctx, f, target, l.Backend, err))
}

// because adds to a failure of the proof what the diagnosis of verify says of
// it, where it finds a cause.
func (p *Proof) because(ctx context.Context, s diagnose.Symptom, failure error) error {
	if failure == nil {
		return nil
	}
	d := diagnose.Explain(ctx, p.Host, p.Config, s)
	if d.Code == diagnose.Unexplained {
		return failure
	}
	return fmt.Errorf("%w: %s", failure, d)
}

// judge asks the backend itself what it answers. What it refuses without
// nginx in between is its own affair and no failure of provisioning.
func (p *Proof) judge(ctx context.Context, f *engine.Finding, target websocket.Target, backend config.Backend,
	through error) error {
	direct := target
	direct.Address = net.JoinHostPort(backend.Host, strconv.Itoa(backend.Port))
	direct.TLS = nil
	_, err := p.Probe(ctx, direct)
	var refused *websocket.DialError
	switch {
	case err == nil:
		return fmt.Errorf("%s through %s: %w, although the backend %s accepts it%s", target, target.Address, through,
			direct.Address, p.Policy.Denial(backend.Port))
	case errors.As(err, &refused) && errors.Is(err, syscall.ECONNREFUSED):
		if denial := p.Policy.Denial(backend.Port); denial != "" {
			return fmt.Errorf("%s through %s: %w%s; and the backend %s is not running", target, target.Address,
				through, denial, direct.Address)
		}
		p.Unproved = append(p.Unproved, fmt.Sprintf("the backend %s is not running yet", direct.Address))
		f.Warnings = append(f.Warnings, fmt.Sprintf("the backend %s is not running yet (connection refused): start "+
			"it, and prove it with wsprovision apply again", direct.Address))
		return nil
	case errors.As(err, &refused):
		return fmt.Errorf("%s through %s: %w; the backend %s cannot be reached from here either: %w", target,
			target.Address, through, direct.Address, err)
	}
	var status *websocket.StatusError
	if errors.As(err, &status) && status.Code >= 500 { // it may still be starting; 401 and its like stay
		p.Unproved = append(p.Unproved, fmt.Sprintf("the backend %s answers %d", direct.Address, status.Code))
	}
	f.Warnings = append(f.Warnings, fmt.Sprintf("%s: the backend %s itself refuses a plain handshake: %s", target,
		direct.Address, err))
	return nil
}

// Target is a location at its site's first listening address.
func Target(site config.Site, l config.Location) websocket.Target {
	t := Reach(site, l, site.Listen[0])
	if t.TLS != nil {
		t.TLS = host.LocalTLS()
	}
	return t
}

// Proof is that a WebSocket goes through.
type Proof struct {
	*host.Host
	Config config.Config
	// Pending reports whether the host is known to be not yet as asked, or cannot be told to be.
	Pending  func() bool
	Policy   *policy.Policy
	Survey   *proxy.Survey
	Unproved []string // what the proof could not tell, and time may
}
