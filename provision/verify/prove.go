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
	"wsprovision/provision/proxy"
	"wsprovision/provision/websocket/handshake"
)

// prove makes one handshake for every WebSocket location, through nginx and
// with the site's name.
func (p *Proof) prove(ctx context.Context) (engine.Finding, error) {
	var f engine.Finding
	var all *multierror.Error
	around := p.Around()
	for _, site := range p.Config.Sites {
		for _, l := range site.Locations {
			if !l.WebSocket {
				continue
			}
			if !hasPath(l) {
				f.Notes = append(f.Notes, fmt.Sprintf("%s of %s is not proved: %s", l.Path, site.Name, pathless))
				continue
			}
			if err := p.ProveLocation(ctx, &f, site, l, around); err != nil {
				all = multierror.Append(all, err)
			}
		}
	}
	return f, engine.Lines(all)
}

// Around is what of nginx's whole configuration all handshakes have to know.
type Around struct {
	logs         []string
	recognisable bool // a handshake may be told from others by its Referer
}

// Around reads it, once for all of them.
func (p *Proof) Around() Around {
	tree, _ := p.Survey.Tree(nil) // of a broken one what was read serves
	return Around{tree.Paths().ErrorLogs(), !facts.JudgesReferer(tree)}
}

// ProveLocation makes the handshake that the location's probe asks for. Nothing secret of it is said.
func (p *Proof) ProveLocation(ctx context.Context, f *engine.Finding, site config.Site, l config.Location,
	around Around) error {
	target, sent, err := Target(ctx, p.Root, site, l)
	if err != nil {
		return fmt.Errorf("%s of %s: %w", l.Path, site.Name, err)
	}
	target.Pace = p.paces.location(site, l)
	var own engine.Finding
	if around.recognisable {
		target = facts.Recognisable(target)
	}
	err = p.proveTarget(ctx, &own, site, l, target, around.logs)
	hide := hider(target, sent)
	for _, note := range own.Notes {
		f.Notes = append(f.Notes, hide(note))
	}
	for _, warning := range own.Warnings {
		f.Warnings = append(f.Warnings, hide(warning))
	}
	if err == nil {
		return nil
	}
	return &hiddenError{hide(err.Error()), err}
}

func (p *Proof) proveTarget(ctx context.Context, f *engine.Finding, site config.Site, l config.Location,
	target handshake.Target, logs []string) error {
	marks, began := facts.MarkLogs(p.Host, logs...), time.Now()
	hs, err := p.Probe(ctx, target)
	if err == nil {
		f.Notes = append(f.Notes, proved(target, hs))
		p.sayLeftOut(ctx, f, target, l)
		return nil
	}
	s := facts.Symptom{Site: &site, Location: &l, Target: target, Check: "upgrade", Err: err,
		Lines: facts.LogsSince(ctx, p.Host, marks),
		Began: began, Own: OwnFile(ctx, p.Host, p.Config, &site)}
	if end := stopped(ctx, p.Host, p.Config, s); end != nil {
		f.Notes = append(f.Notes, fmt.Sprintf("%s through %s: %s", target, target.Address, end))
		return nil
	}
	var status *handshake.StatusError
	if !errors.As(err, &status) {
		return p.because(ctx, s, fmt.Errorf("%s through %s: %w", target, target.Address, err))
	}
	return p.because(ctx, s, p.judge(ctx, f, target, l, err))
}

// proved says what was seen.
func proved(target handshake.Target, hs handshake.Result) string {
	text := fmt.Sprintf("%s through %s: %d, %.1f ms", target, target.Address, max(hs.Status, 101),
		float64(hs.Upgrade.Microseconds())/1000)
	if hs.Status > 101 {
		return text + ", as the probe expects it: behind it nothing is proved"
	}
	if more := target.Expect.String(); more != "" {
		text += "; " + more
	}
	return text
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

// Proof is that a WebSocket goes through.
type Proof struct {
	*host.Host
	Config config.Config
	// Pending reports whether the host is known to be not yet as asked, or cannot be told to be.
	Pending  func() bool
	Denial   func(port int) string // by SELinux, of nginx's connection to that port; "" for none
	Survey   *proxy.Survey
	Unproved []string // what the proof could not tell, and time may

	paces paces
}
