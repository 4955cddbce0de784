package firewall

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"wsprovision/firewalld"
	"wsprovision/provision/config"
	"wsprovision/provision/host"
	"wsprovision/provision/state"
	"wsprovision/systemd"
)

// Firewall is the ports that are let in.
type Firewall struct {
	*host.Host
	Config    config.Config
	Ledger    *state.Ledger
	Reverting bool
}

// The values of an opening, in the ledger's words.
const (
	open = "open"
	shut = "shut"
)

const unit = "firewalld.service"

// opening is a port that a zone lets in.
type opening struct {
	in   firewalld.Place
	zone string
	port int
}

// kinds are the ledger's, by place.
var kinds = map[firewalld.Place]state.Kind{
	firewalld.Permanent: state.KindFirewall,
	firewalld.Running:   state.KindFirewallRunning,
}

func (o opening) String() string {
	return fmt.Sprintf("port %d/tcp in the zone %s of firewalld (%s)", o.port, o.zone, o.in)
}

func (o opening) name() string { return fmt.Sprintf("%s %d/tcp", o.zone, o.port) }

// openingOf is the opening of an entry.
func openingOf(e state.Entry) (opening, error) {
	o := opening{in: firewalld.Permanent}
	if e.Kind == state.KindFirewallRunning {
		o.in = firewalld.Running
	}
	zone, rest, _ := strings.Cut(e.Name, " ")
	number, _ := strings.CutSuffix(rest, "/tcp")
	port, err := strconv.Atoi(number)
	if err != nil || !firewalld.IsZoneName(zone) || port < 1 || port > 65535 {
		return o, fmt.Errorf("%s: %q is no port of a zone", state.LedgerPath, e.Name)
	}
	o.zone, o.port = zone, port
	return o, nil
}

// wall is a firewalld to ask and to change.
type wall struct {
	firewalld.Firewall        // nil where it is not installed
	running            bool   // and not only its files are there
	off                string // why nothing is to be opened in it, and what was opened is shut all the same
}

func (f *Firewall) wall(ctx context.Context) (w wall, err error) {
	s, err := f.service(ctx)
	switch {
	case err != nil:
		return w, err
	case s.Active == "active":
		w.running = true
	case s.Load == "not-found" || s.File == "":
		return wall{off: "firewalld is not installed"}, nil
	case s.File != "enabled":
		w.off = "firewalld does not run, and is " + s.File
	}
	w.Firewall, err = f.Host.Firewall(ctx, w.running)
	return w, err
}

func (f *Firewall) service(ctx context.Context) (systemd.State, error) {
	units, err := host.Systemd(ctx, f.Host)
	if err != nil {
		return systemd.State{}, err
	}
	return units.State(ctx, unit)
}

// Present is an opening as it is now, in the ledger's words. What nothing lets in by an entry of its own is shut, also
// where no firewalld is there any more.
func (f *Firewall) Present(ctx context.Context, e state.Entry) (string, error) {
	o, err := openingOf(e)
	if err != nil {
		return "", err
	}
	w, err := f.wall(ctx)
	if err != nil || w.Firewall == nil {
		return shut, err
	}
	defer w.Close() //nolint:errcheck // nothing is owed
	return present(ctx, w, o)
}
