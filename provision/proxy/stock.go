package proxy

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"os"
	"syscall"

	multierror "github.com/hashicorp/go-multierror"

	"wsprovision/provision/engine"
	"wsprovision/provision/host"
	"wsprovision/provision/nginx/conf"
)

// stockConf is what counts of the nginx.conf that EPEL 7's nginx 1.20.1 brings: what it listens on and includes.
const stockConf = `user nginx;
include /usr/share/nginx/modules/*.conf;
events {
}
http {
    include /etc/nginx/conf.d/*.conf;
    server {
        listen 80;
        listen [::]:80;
        server_name _;
        root /usr/share/nginx/html;
        include /etc/nginx/default.d/*.conf;
    }
}
`

// checkBare judges the sites in the tree that there will be once nginx is installed, so that what would fail then is
// known before EPEL, packages and policy are changed. What somebody has left in /etc/nginx rpm leaves there.
func (v *Candidate) checkBare(ctx context.Context, f *engine.Finding, o map[string][]byte) error {
	var all *multierror.Error
	if err := v.checkStock(); err != nil {
		all = multierror.Append(all, err)
	}
	// A power cut may have left an empty one, which is brought again.
	if info, err := os.Stat(v.Root + host.NginxConf); errors.Is(err, os.ErrNotExist) || err == nil && info.Size() == 0 {
		o = maps.Clone(o)
		o[host.NginxConf] = []byte(stockConf)
	}
	tree, err := v.Survey.Tree(o)
	if err != nil { // nginx -t names it, once it is there
		return engine.Lines(all)
	}
	var later engine.Finding // its notes are those of the tree that there is then
	if err := v.checkTree(ctx, &later, tree); err != nil {
		all = multierror.Append(all, err)
	}
	f.Warnings = append(f.Warnings, later.Warnings...)
	if err := v.checkOthers(ctx, tree); err != nil {
		all = multierror.Append(all, err)
	}
	return engine.Lines(all)
}

// checkOthers finds the addresses on which nginx is to listen for somebody else's server, as that of EPEL's nginx.conf,
// and another program does: a nginx that does not run would not start.
func (v *Candidate) checkOthers(ctx context.Context, tree conf.Tree) error {
	if v.Where.Offline() || v.Reverting {
		return nil
	}
	s, err := v.Unit.State(ctx)
	if err != nil || s.Running() || len(host.OrphansOf(ctx, v.Host)) > 0 { // which the service step says
		return nil
	}
	ours := map[netip.AddrPort]bool{}
	for _, site := range v.Config.Sites {
		for _, l := range site.Sockets() {
			ours[at(l)] = true
		}
	}
	var all *multierror.Error
	for _, a := range tree.Bindings().Bound() {
		if err := context.Cause(ctx); err != nil {
			return err
		}
		if !ours[a] && errors.Is(v.TryBind(a), syscall.EADDRINUSE) {
			all = multierror.Append(all, fmt.Errorf("another program listens on %s (ss -ltnp shows which), and "+
				"nginx's own configuration does too, so that nginx would not start: stop that program, or take the "+
				"listen out of the configuration", a))
		}
	}
	return engine.Lines(all)
}
