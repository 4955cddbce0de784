package firewall

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"wsprovision/firewalld"
	"wsprovision/provision/config"
	"wsprovision/provision/engine"
	"wsprovision/provision/host"
	"wsprovision/provision/state"
)

// move is an opening that is to be opened, or shut again.
type move struct {
	opening
	entry state.Entry // as it is announced
}

// asks: somebody wants ports to be opened.
func (f *Firewall) asks() bool {
	return !f.Reverting && f.Config.Firewall != "" && f.Config.Firewall != config.FirewallLeave
}

func (f *Firewall) recorded() []state.Entry {
	return slices.DeleteFunc(slices.Clone(f.Ledger.Entries), func(e state.Entry) bool {
		return e.Kind != state.KindFirewall && e.Kind != state.KindFirewallRunning
	})
}

// Concerned reports whether there is anything to look at: most hosts leave firewalld alone.
func (f *Firewall) Concerned() bool { return f.asks() || len(f.recorded()) > 0 }

// Check compares what the zone lets in with the ports of the sites, and finds what the agent opened and nobody asks
// for.
func (f *Firewall) Check(ctx context.Context) (engine.Finding, error) {
	var found engine.Finding
	f.sayOthers(ctx, &found)
	w, err := f.wall(ctx)
	if err != nil {
		return found, f.readable(&found, err)
	}
	if f.asks() && w.off != "" {
		found.Notes = append(found.Notes, w.off+" here: no port is opened in it")
	}
	if w.Firewall == nil {
		return found, nil
	}
	defer w.Close() //nolint:errcheck // nothing is owed
	moves, err := f.moves(ctx, w, &found)
	for _, m := range moves {
		found.Changes = append(found.Changes, engine.Change{Object: m.String(), From: m.entry.Before, To: m.entry.Left})
	}
	return found, f.readable(&found, err)
}

// readable lets a plan without root go on: firewalld tells others what it likes.
func (f *Firewall) readable(found *engine.Finding, err error) error {
	if err != nil && f.Euid != 0 && !errors.Is(err, firewalld.ErrNoZone) {
		found.Warnings = append(found.Warnings, "cannot tell without root: "+err.Error())
		return nil
	}
	return err
}

// others are the units that set up a firewall of their own, which is left as it is.
var others = []string{"iptables.service", "ip6tables.service", "nftables.service"}

func (f *Firewall) sayOthers(ctx context.Context, found *engine.Finding) {
	if !f.asks() || f.Where.Offline() {
		return
	}
	for _, name := range others {
		if f.active(ctx, name) {
			found.Warnings = append(found.Warnings, fmt.Sprintf("%s runs, with rules of its own, which are left as "+
				"they are: whether they let port %s in is for whoever wrote them to see to", name, numbers(f.ports())))
		}
	}
}

func numbers(ports []int) string {
	return strings.Trim(strings.ReplaceAll(fmt.Sprint(ports), " ", ", "), "[]")
}

// moves are what is to be opened and, behind that, what is to be shut.
func (f *Firewall) moves(ctx context.Context, w wall, found *engine.Finding) (all []move, err error) {
	wanted := map[string]bool{}
	if f.asks() && w.off == "" {
		zone, err := f.zone(ctx, w)
		if err != nil {
			return nil, err
		}
		if w.running {
			sayBound(ctx, w, zone, found)
		}
		for _, port := range f.ports() {
			wanted[opening{zone: zone, port: port}.name()] = true
		}
		if all, err = f.lacking(ctx, w, zone); err != nil {
			return nil, err
		}
	}
	for _, e := range slices.Backward(f.recorded()) {
		if wanted[e.Name] {
			continue
		}
		o, err := openingOf(e)
		if err != nil {
			return nil, err
		}
		now, err := present(ctx, w, o)
		if err != nil {
			return nil, err
		}
		if now != e.Before && e.IsAgents(now) {
			all = append(all, move{o, e.Undoing(now)})
		}
	}
	return all, nil
}

func (f *Firewall) zone(ctx context.Context, w firewalld.Firewall) (string, error) {
	if f.Config.Firewall == config.FirewallOpen {
		return w.DefaultZone(ctx)
	}
	return f.Config.Firewall, nil
}

// lacking are the ports that the zone does not let in.
func (f *Firewall) lacking(ctx context.Context, w firewalld.Firewall, zone string) (all []move, err error) {
	z, err := w.Zone(ctx, zone)
	if errors.Is(err, firewalld.ErrNoZone) {
		return nil, fmt.Errorf("firewall: %s: %w; firewall-cmd --get-zones lists them, or have firewall: open, which "+
			"is the default zone", zone, err)
	}
	if err != nil {
		return nil, err
	}
	for _, port := range f.ports() {
		if !z.Permanent.Lets(port) {
			all = append(all, opened(firewalld.Permanent, zone, port))
		}
		if z.Running != nil && !z.Running.Lets(port) {
			all = append(all, opened(firewalld.Running, zone, port))
		}
	}
	return all, nil
}

func opened(in firewalld.Place, zone string, port int) move {
	o := opening{in, zone, port}
	return move{o, state.Entry{Kind: kinds[in], Name: o.name(), Before: shut, Left: open}}
}

// sayBound warns where nothing comes in by the zone: every interface belongs to another.
func sayBound(ctx context.Context, w firewalld.Firewall, zone string, found *engine.Finding) {
	bound, err := w.Bound(ctx)
	if err != nil || len(bound) == 0 || slices.Contains(bound, zone) {
		return
	}
	found.Warnings = append(found.Warnings, fmt.Sprintf("no interface belongs to the zone %s of firewalld; those in "+
		"use are %s: firewall: %s opens the ports there", zone, strings.Join(bound, " and "), bound[0]))
}

// ports are those that the sites listen on for others than this host.
func (f *Firewall) ports() (all []int) {
	for _, site := range f.Config.Sites {
		for _, l := range site.Sockets() {
			ip, err := netip.ParseAddr(l.Address)
			if err == nil && ip.IsLoopback() || slices.Contains(all, l.Port) {
				continue
			}
			all = append(all, l.Port)
		}
	}
	return all
}

// present is an opening of the zone's own, in the ledger's words; a zone that is gone has none.
func present(ctx context.Context, w firewalld.Firewall, o opening) (string, error) {
	z, err := w.Zone(ctx, o.zone)
	if errors.Is(err, firewalld.ErrNoZone) {
		return shut, nil
	}
	if err != nil {
		return "", err
	}
	a := &z.Permanent
	if o.in == firewalld.Running {
		a = z.Running
	}
	if a != nil && a.Lists(o.port) {
		return open, nil
	}
	return shut, nil
}

func (f *Firewall) active(ctx context.Context, name string) bool {
	units, err := host.Systemd(ctx, f.Host)
	if err != nil {
		return false
	}
	s, err := units.State(ctx, name)
	return err == nil && s.Active == "active"
}
