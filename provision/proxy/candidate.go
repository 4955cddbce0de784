package proxy

import (
	"context"
	"errors"
	"fmt"

	multierror "github.com/hashicorp/go-multierror"

	"wsprovision/provision/config"
	"wsprovision/provision/engine"
	"wsprovision/provision/host"
	"wsprovision/provision/managed"
	"wsprovision/provision/nginx"
	"wsprovision/provision/nginx/conf"
	"wsprovision/provision/nginx/glob"
	"wsprovision/provision/nginx/render"
	"wsprovision/provision/sitecheck"
)

// Check tests the whole configuration with the candidate in place of
// what is there, before anything under /etc/nginx changes: first for what
// nginx accepts in silence and does not mean, then by nginx itself. Where
// nginx is still to be installed, the test follows its installation.
func (v *Candidate) Check(ctx context.Context) (engine.Finding, error) {
	var f engine.Finding
	due, err := v.validationDue(ctx)
	if err == nil && !due {
		v.sayUnread(ctx, &f)
		return f, v.checkGone(&f)
	}
	// All that is wrong is told at once: an administrator mends it together.
	known := errors.Join(err, v.checkFiles(ctx, &f), v.checkAddresses(ctx), v.checkBackends(ctx, &f))
	if err != nil || context.Cause(ctx) != nil {
		return f, known
	}
	files, err := v.Sites.All()
	if err != nil {
		return f, errors.Join(known, err)
	}
	o := managed.Overlay(files)
	if have, err := v.HasNginx(ctx); !have || err != nil {
		f.Notes = append(f.Notes, v.untilInstalled()...)
		if err == nil {
			err = v.checkBare(ctx, &f, o)
		}
		return f, errors.Join(known, err)
	}
	return f, errors.Join(known, v.checkInstalled(ctx, &f, o))
}

// checkFiles judges the files that the sites name. Who is not root cannot read keys and credentials, and is told so by
// nginx -t's absence.
func (v *Candidate) checkFiles(ctx context.Context, f *engine.Finding) error {
	if v.Reverting {
		return nil
	}
	var err error
	if v.Euid == 0 {
		err = errors.Join(sitecheck.Certificates(ctx, v.Host, v.Config.Sites, f),
			sitecheck.Probes(ctx, v.Host, v.Config.Sites))
	}
	sitecheck.NamedFiles(v.Host, v.Config.Sites, f)
	return err
}

func (v *Candidate) checkBackends(ctx context.Context, f *engine.Finding) error {
	if v.Reverting {
		return nil
	}
	return sitecheck.Backends(ctx, v.Host, v.Config.Sites, f)
}

// checkInstalled judges the tree of the nginx that is there, and has nginx judge it.
func (v *Candidate) checkInstalled(ctx context.Context, f *engine.Finding, o map[string][]byte) error {
	tree, unread := v.Survey.Tree(o)
	if p := (*glob.PatternError)(nil); errors.As(unread, &p) && !v.Reverting {
		return fmt.Errorf("%w: which files nginx reads is not known, nor what a site collides with; name them by *, "+
			"? and sets such as [a-z]", unread)
	}
	if unread == nil {
		if err := v.checkTree(ctx, f, tree); err != nil {
			return err
		}
	}
	if v.Euid != 0 {
		f.Warnings = append(f.Warnings, "nginx -t was not run: it needs root")
		return unread
	}
	if err := v.TestCandidate(ctx, f, o); err != nil {
		return err
	}
	if unread != nil {
		f.Warnings = append(f.Warnings,
			"nginx accepts the configuration, but whether a name of ours collides cannot be told: "+unread.Error())
	}
	return nil
}

// sayUnread is for a run that tests nothing: nginx runs on with what it has read, and its next start reads it anew.
func (v *Candidate) sayUnread(ctx context.Context, f *engine.Finding) {
	have, err := v.HasNginx(ctx)
	if err != nil || !have {
		return // the packages step says so
	}
	if _, err := v.Survey.Tree(nil); err != nil {
		f.Warnings = append(f.Warnings, "what nginx reads at its next start cannot be told: "+err.Error())
	}
}

// untilInstalled is what can be told before there is an nginx.conf.
func (v *Candidate) untilInstalled() []string {
	notes := []string{"nginx -t follows the installation of nginx, and the directives are those of EPEL 7's " +
		render.EPEL7.Version.String()}
	if v.Config.Nginx.StockIPv6 == config.StockRemove {
		notes = append(notes, "listen [::]:80 is taken out of the nginx.conf that comes ("+stockIPv6+")")
	}
	if n := v.Config.Connections; n > 0 {
		notes = append(notes, fmt.Sprintf("worker_connections %d takes the place of that in the nginx.conf that "+
			"comes (%s)",
			n.WorkerConnections(), connections))
	}
	if len(v.Config.Sites) > 0 {
		notes = append(notes, "where the nginx.conf that comes names no default_server (EPEL's since 1.20.1), the "+
			"first site on a port answers requests for any other name too")
	}
	if v.Reverting {
		return notes
	}
	return append(notes, sitecheck.Notes(v.Config.Sites)...)
}

// validationDue reports whether nginx is about to read its configuration
// anew. A run that changes nothing tests nothing, and what is wrong with a file
// of ours is the server-block step's to report.
func (v *Candidate) validationDue(ctx context.Context) (bool, error) {
	files, err := v.Sites.All()
	if err != nil || len(managed.Overlay(files)) > 0 {
		return err == nil, nil
	}
	if v.Where.Offline() {
		return false, nil
	}
	service, err := v.Unit.State(ctx)
	return service.due(), err
}

// checkTree finds what nginx -t does not complain of, or only warns of.
func (v *Candidate) checkTree(ctx context.Context, f *engine.Finding, tree conf.Tree) error {
	tree = tree.Resolved(conf.HostAddresses(ctx))
	all := collisions(v.Reverting, tree)
	collide := all.ErrorOrNil() != nil // what nginx holds now is then beside the point
	for _, site := range v.Config.Sites {
		if err := context.Cause(ctx); err != nil {
			return err
		}
		path := v.SitePath(site.Name)
		for _, c := range tree.Conflicts(path) {
			if c.Fatal {
				all = multierror.Append(all, fmt.Errorf("%s: %s", path, c))
			} else {
				f.Warnings = append(f.Warnings, c.String())
			}
		}
		for _, c := range tree.Sockets(site, path, v.ours) {
			if c.Fatal && !v.Reverting {
				all = multierror.Append(all, fmt.Errorf("%s: %s", path, c))
			} else {
				f.Warnings = append(f.Warnings, c.String())
			}
		}
		v.sayDefault(f, tree, site)
	}
	if !v.Reverting {
		f.Notes = append(f.Notes, sitecheck.Notes(v.Config.Sites)...)
		f.Warnings = append(f.Warnings, sitecheck.Warnings(v.Config.Sites)...)
	}
	if err := v.checkFolder(f, tree); err != nil {
		all = multierror.Append(all, err)
	}
	if err := v.checkShutdown(ctx, f, tree); err != nil {
		all = multierror.Append(all, err)
	}
	if !collide {
		if err := v.checkExchange(ctx, tree); err != nil {
			all = multierror.Append(all, err)
		}
	}
	return engine.Lines(all)
}

// mostCollisions bounds what is told of sockets that collide: each is enough to keep nginx from its start.
const mostCollisions = 20

// collisions are what keeps nginx from binding its sockets, whoever's they are; nginx -t says nothing of it. What a
// revert leaves is not the agent's.
func collisions(reverting bool, tree conf.Tree) *multierror.Error {
	if reverting {
		return nil
	}
	var all *multierror.Error
	found := tree.Bindings().Collisions()
	for i, c := range found {
		if i == mostCollisions {
			return multierror.Append(all, fmt.Errorf("%d more sockets of nginx collide", len(found)-i))
		}
		all = multierror.Append(all, errors.New(c.String()))
	}
	return all
}

func (v *Candidate) TestCandidate(ctx context.Context, f *engine.Finding, o map[string][]byte) error {
	found, err := v.tester().Test(ctx, o)
	if errors.Is(err, nginx.ErrNeedsRoot) && v.Where.Offline() { // the build of a container's image
		f.Warnings = append(f.Warnings, "nginx -t was not run: "+nginx.ErrNeedsRoot.Error()+
			"; nginx.service runs it before it starts")
		return nil
	}
	if err != nil {
		return err
	}
	var all *multierror.Error
	for _, p := range found {
		switch {
		case p.FewFiles() && v.Config.Connections > 0: // nginx's are not the agent's own; the step capacity raises them
		case p.Unresolved() && v.Where.Offline():
			f.Warnings = append(f.Warnings, "nginx -t: "+p.String()+
				"; nothing after it was tested, and nginx does not start before the name resolves")
		case p.Unresolved():
			all = multierror.Append(all, fmt.Errorf("nginx -t: %s: %w", p, ErrUnresolved))
		case p.NoFamily() != "" && v.Where.Offline():
			f.Warnings = append(f.Warnings, "nginx -t: "+p.String()+
				"; nothing after it was tested; the first boot finds out whether the host has IPv6")
		case p.NoFamily() != "":
			all = multierror.Append(all, fmt.Errorf("nginx -t: %s: %s", p, v.withoutFamily(p.NoFamily(), o)))
		case p.Fatal() && !(v.Reverting && p.Conflict()): // what a revert leaves is not the agent's
			all = multierror.Append(all, fmt.Errorf("nginx -t: %s", p))
		default:
			f.Warnings = append(f.Warnings, "nginx -t: "+p.String())
		}
	}
	return engine.Lines(all)
}

// ErrUnresolved says that nginx could not find a backend's address by its
// name, which may come with the network.
var ErrUnresolved = errors.New("a name does not resolve")

// Candidate is nginx's configuration as it is to be, before it is.
type Candidate struct {
	*host.Host
	Config    config.Config
	HasNginx  func(ctx context.Context) (bool, error)
	Unit      *Unit
	Sites     *Sites
	Survey    *Survey
	Reverting bool
}
