package proxy

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"wsprovision/provision/engine"
	"wsprovision/provision/host"
	"wsprovision/provision/nginx"
	"wsprovision/systemd"
)

// checkRunning refuses what a start or a reload of nginx.service would fail of, or would not be one of the nginx that
// reads the agent's configuration, and names every other nginx.
func (n *Unit) checkRunning(ctx context.Context, f *engine.Finding, s ServiceState) error {
	if s.Running() {
		if err := n.CheckMaster(ctx, s.State); err != nil {
			return err
		}
	}
	others, err := n.Nginx.Others(ctx, s.State.MainPID)
	if err != nil {
		f.Warnings = append(f.Warnings, err.Error())
	}
	for _, o := range others {
		if o.Same && !s.Running() {
			return fmt.Errorf("nginx runs already, and not as %s: %s. systemd cannot start a second one beside it: "+
				"kill -QUIT %d lets it finish its connections and end; then run this again", host.NginxUnit, o, o.PID)
		}
	}
	f.Notes = append(f.Notes, beside(others)...)
	if s.Running() {
		return nil
	}
	return n.checkOrphans(ctx)
}

// CheckMaster is an error where nginx.service runs an nginx with another configuration.
func (n *Unit) CheckMaster(ctx context.Context, state systemd.State) error {
	_, err := n.Nginx.Master(ctx, state.MainPID)
	var other *nginx.OtherError
	if !errors.As(err, &other) {
		return nil // what else there is to say of it the reload does
	}
	return fmt.Errorf("%s runs %s: it takes nothing from %s. Mend its ExecStart= (systemctl cat %[1]s shows where it "+
		"stands), then systemctl daemon-reload and systemctl restart %[1]s, which cuts every WebSocket",
		host.NginxUnit, other.Other, n.SitesDir())
}

// mostBeside are named of the other nginx's on a host: anybody may start processes that look like one.
const mostBeside = 5

func beside(others []nginx.Other) []string {
	var all []string
	for i, o := range others {
		if i == mostBeside {
			return append(all, fmt.Sprintf("%d more of them run", len(others)-i))
		}
		all = append(all, "another nginx runs and is left alone: "+o.String())
	}
	return all
}

// checkOrphans is an error where workers that a killed master left behind listen where nginx is to.
func (n *Unit) checkOrphans(ctx context.Context) error {
	left := host.OrphansOf(ctx, n.Host)
	pending, err := n.Pending()
	if err != nil || len(left) == 0 {
		return nil // the server-block step says what is wrong with a file
	}
	tree, _ := n.Survey.Tree(pending) // as much of it as can be read
	var inWay []host.Process
	ports := map[string]bool{}
	o := n.Survey.occupied()
	for _, at := range tree.Bindings().Bound() {
		if err := context.Cause(ctx); err != nil {
			return err
		}
		for _, p := range left.Holding(o.Holders(ctx, conflicting(o.Listening(at.Port()), at))) {
			ports[strconv.Itoa(int(at.Port()))] = true
			if !slices.Contains(inWay, p) {
				inWay = append(inWay, p)
			}
		}
	}
	if len(inWay) == 0 {
		return nil
	}
	return host.OrphansHold(inWay, ports)
}
