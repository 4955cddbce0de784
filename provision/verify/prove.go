package verify

import (
	"context"
	"errors"
	"fmt"
	"time"

	multierror "github.com/hashicorp/go-multierror"

	"wsprovision/provision/config"
	"wsprovision/provision/diagnose"
	"wsprovision/provision/diagnose/cause"
	"wsprovision/provision/diagnose/facts"
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
	target := facts.Recognisable(Target(site, l))
	marks, began := facts.MarkLogs(p.Host, logs...), time.Now()
	hs, err := p.Probe(ctx, target)
	if err == nil {
		f.Notes = append(f.Notes, fmt.Sprintf("%s through %s: 101, %.1f ms", target, target.Address,
			float64(hs.Upgrade.Microseconds())/1000))
		p.sayLeftOut(ctx, f, target, l)
		return nil
	}
	s := facts.Symptom{Site: &site, Location: &l, Target: target, Check: "upgrade", Err: err,
		Lines: facts.LogsSince(ctx, p.Host, marks),
		Began: began, Own: OwnFile(p.Host, p.Config, &site)}
	var status *websocket.StatusError
	if !errors.As(err, &status) {
		return p.because(ctx, s, fmt.Errorf("%s through %s: %w", target, target.Address, err))
	}
	return p.because(ctx, s, p.judge(ctx, f, target, l, err))
}

// because adds to a failure of the proof what the diagnosis of verify says of
// it, where it finds a cause.
func (p *Proof) because(ctx context.Context, s facts.Symptom, failure error) error {
	if failure == nil {
		return nil
	}
	d := diagnose.Explain(ctx, p.Host, p.Config, s)
	if d.Code == cause.Unexplained {
		return failure
	}
	return fmt.Errorf("%w: %s", failure, d)
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
