package server

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"

	"golang.org/x/sys/unix"

	"wsprovision/provision/diagnose/cause"
	"wsprovision/provision/diagnose/facts"
	"wsprovision/provision/host"
	"wsprovision/provision/nginx"
	"wsprovision/provision/nginx/conf"
)

// StrangerHasAddress: another program than nginx takes the connections.
func StrangerHasAddress(ctx context.Context, e *facts.Evidence) *cause.Diagnosis {
	return stranger(ctx, e, e.Address)
}

// PortIsTaken: another program has a port that nginx wants.
func PortIsTaken(ctx context.Context, e *facts.Evidence) *cause.Diagnosis {
	for _, l := range append([]netip.AddrPort{e.Address}, facts.Listens(e)...) {
		if d := stranger(ctx, e, l); d != nil {
			d.Evidence = append(d.Evidence, facts.UnitOf(ctx, e).String())
			return d
		}
	}
	return nil
}

// stranger: another program than nginx has the socket.
func stranger(ctx context.Context, e *facts.Evidence, at netip.AddrPort) *cause.Diagnosis {
	sockets := host.Taking(e.Sockets, at)
	if len(sockets) == 0 {
		return nil
	}
	sockets = exactly(sockets, at)
	holders := host.Holders(ctx, e.Host, sockets)
	if len(holders) == 0 || slices.ContainsFunc(holders, func(p host.Process) bool { return facts.IsNginx(e, p) }) {
		return nil
	}
	who := holders[0]
	where := sockets[0].Local
	if left := e.Left.Holding(holders); len(left) > 0 {
		return cause.New(cause.NginxBindInUse,
			host.OrphansHold(left, map[string]bool{strconv.Itoa(int(where.Port())): true}).Error(),
			cause.Do(host.Quit(left)...).And("systemctl", "start", "nginx"),
			fmt.Sprintf("%s is held by %s", where, who))
	}
	if e.TreeErr == nil && len(e.Tree.Sharing(at)) == 0 {
		return cause.New(cause.ListenerMissing, fmt.Sprintf("%s listens on %s, and no server block of nginx does", who,
			where), cause.Say("name an address in the URL that nginx listens on; or stop that program "+
			"(systemctl status ").
			Number(who.Pid).Say(" names its unit), and add the listener to the site (key listen)"))
	}
	return cause.New(cause.NginxBindInUse,
		fmt.Sprintf("%s listens on %s, so that nginx cannot: its bind fails with 98 (address already in use)", who,
			where),
		cause.Say("stop it (systemctl status ").Number(who.Pid).
			Say(" names its unit) or give one of the two another port; then systemctl reload-or-restart nginx"),
		append([]string{fmt.Sprintf("%s is held by %s", where, who)},
			facts.LastBind(facts.ErrorLog(ctx, e), int(at.Port()), 98)...)...)
}

// exactly are those bound to the very address, which take the connection before one bound to every address.
func exactly(sockets []host.Socket, at netip.AddrPort) []host.Socket {
	var exact []host.Socket
	for _, s := range sockets {
		if s.Local.Addr().Unmap() == at.Addr().Unmap() {
			exact = append(exact, s)
		}
	}
	if len(exact) > 0 {
		return exact
	}
	return sockets
}

// UnitRunsAnother: nginx.service runs, with another configuration.
func UnitRunsAnother(ctx context.Context, e *facts.Evidence) *cause.Diagnosis {
	var other *nginx.OtherError
	unit := facts.UnitOf(ctx, e)
	if !errors.As(e.Gone, &other) || unit.Err != nil || unit.State.MainPID != other.Other.PID {
		return nil
	}
	return cause.New(cause.NginxOther, fmt.Sprintf("%s runs %s: it takes nothing from %s", host.NginxUnit, other.Other,
		e.SitesDir()),
		cause.Do("systemctl", "cat",
			host.NginxUnit).Note("mend its ExecStart=, then systemctl daemon-reload && systemctl restart nginx, "+
			"which ends all connections"), unit.String())
}

// AnotherNginxAnswers: something answered, and it is no nginx that reads /etc/nginx/nginx.conf.
func AnotherNginxAnswers(ctx context.Context, e *facts.Evidence) *cause.Diagnosis {
	others, err := e.Nginx.Others(ctx, 0)
	if err != nil {
		return nil
	}
	holders := host.Holders(ctx, e.Host, exactly(host.Taking(e.Sockets, e.Address), e.Address))
	for _, o := range others {
		if slices.ContainsFunc(holders, func(p host.Process) bool { return p.Pid == o.PID }) {
			return cause.New(cause.NginxOther, fmt.Sprintf("another nginx answers on %s: %s", e.Address, o),
				cause.Say("stop that nginx, or put the site into its configuration; the one of "+host.NginxConf+
					" does not run"), e.Gone.Error())
		}
	}
	return nil
}

// ConfigurationIsRefused: nginx -t does not pass, so that nginx neither starts nor reloads.
func ConfigurationIsRefused(ctx context.Context, e *facts.Evidence) *cause.Diagnosis {
	return withUnit(ctx, e, problemFound(ctx, e))
}

// withUnit adds what systemd says of nginx where it does not run.
func withUnit(ctx context.Context, e *facts.Evidence, d *cause.Diagnosis) *cause.Diagnosis {
	if d != nil && e.Gone != nil {
		d.Evidence = append(d.Evidence, facts.UnitOf(ctx, e).String())
	}
	return d
}

// StartFailed: systemd keeps what ExecStartPre's nginx -t said, which need not be in the error log.
func StartFailed(ctx context.Context, e *facts.Evidence) *cause.Diagnosis {
	unit := facts.UnitOf(ctx, e)
	if !unit.Refused() {
		return nil
	}
	line := cmp.Or(facts.LastEmergency(facts.UnitLog(ctx, e.Host)), facts.LastEmergency(facts.ErrorLog(ctx, e)))
	if line == "" {
		return nil
	}
	d := emergency(ctx, e, line)
	if d != nil {
		d.Evidence = append(d.Evidence, unit.String())
	}
	return d
}

// DiskIsFull: nginx did not start, and a file system that it writes to has no room.
func DiskIsFull(ctx context.Context, e *facts.Evidence) *cause.Diagnosis {
	unit := facts.UnitOf(ctx, e)
	d := fullDisk(e)
	if d == nil || !unit.Failed() {
		return nil
	}
	d.Evidence = append(d.Evidence, unit.String())
	return d
}

// NginxIsStopped: no nginx runs here, and nothing says why.
func NginxIsStopped(ctx context.Context, e *facts.Evidence) *cause.Diagnosis {
	return cause.New(cause.NginxNotRunning, "nginx is not running", cause.Do("systemctl", "start", "nginx"),
		e.Gone.Error(),
		facts.UnitOf(ctx, e).String())
}

// SiteIsNotRead: the site's file is there, or should be, and nginx does not read it.
func SiteIsNotRead(_ context.Context, e *facts.Evidence) *cause.Diagnosis {
	if e.Site == nil || e.TreeErr != nil || e.Tree.Included(e.SitePath(e.Site.Name)) {
		return nil
	}
	path := e.SitePath(e.Site.Name)
	if have, err := e.Files.Read(path); err == nil && have.Content == nil {
		return cause.New(cause.NotIncluded, fmt.Sprintf("the site's file %s is not there", path), facts.ApplyCommand(e),
			facts.FilesRead(e))
	}
	return cause.New(cause.NotIncluded, fmt.Sprintf("%s is not included by %s", path, host.NginxConf),
		cause.Say("add \"include "+host.ConfDir+"/*.conf;\" to the http block of "+
			host.NginxConf).Say(facts.ThenReload),
		facts.FilesRead(e))
}

// OtherFamilyIsListened: nginx listens on the port, and only for the other family of addresses.
func OtherFamilyIsListened(_ context.Context, e *facts.Evidence) *cause.Diagnosis {
	if e.Way.Server != nil || !facts.Refused(e) {
		return nil
	}
	return otherFamily(e)
}

// NothingIsListened: the configuration asks for no listener at the address.
func NothingIsListened(_ context.Context, e *facts.Evidence) *cause.Diagnosis {
	if e.Way.Server != nil || e.TreeErr != nil || !facts.Refused(e) {
		return nil
	}
	what := fmt.Sprintf("no server block of nginx listens on %s", e.Address)
	otherwise := cause.Say("name an address in the URL that nginx listens on, or add the listener to the site (key " +
		"listen)")
	if e.Site == nil {
		return cause.New(cause.ListenerMissing, what, otherwise, e.Err.Error())
	}
	return cause.New(cause.ListenerMissing, what, facts.Rewrite(e, otherwise),
		fmt.Sprintf("%s should have it", e.SitePath(e.Site.Name)))
}

// otherFamily: the site listens for the one family of addresses only, and was asked by the other.
func otherFamily(e *facts.Evidence) *cause.Diagnosis {
	wants6 := e.Address.Addr().Unmap().Is6()
	var at []string
	for _, s := range e.Tree.Servers() {
		if e.Site != nil && !facts.Ours(e, s.File) || e.Site == nil && !facts.ServerNamed(s, facts.HostSent(e)) &&
			!facts.Addressed(e) {
			continue
		}
		for _, l := range s.Listen {
			a, ok := facts.SocketOf(l)
			if !ok || a.Port() != e.Address.Port() {
				continue
			}
			if a.Addr().Is6() == wants6 || l.DualStack {
				return nil
			}
			at = append(at, fmt.Sprintf("%s:%d listens on %s", s.File, l.Line, a))
		}
	}
	if len(at) == 0 {
		return nil
	}
	code, have, lack, line := cause.ListenerIPv4Only, "IPv4", cause.Words("IPv6"), cause.Say("add listen [::]:")
	if !wants6 {
		code, have, lack, line = cause.ListenerIPv6Only, "IPv6", cause.Words("IPv4"), cause.Say("add listen ")
	}
	mend := line.Number(int(e.Address.Port())).Say("; to the server block").Say(facts.ThenReload)
	if e.Site != nil {
		mend = facts.ApplyCommand(e).Note("with ").Say(lack).Say(" in the site's listen")
		if asked(e) {
			mend = facts.ApplyCommand(e)
		}
	}
	return cause.New(code, fmt.Sprintf("the site listens for %s only, and %s is %s", have, e.Address, lack), mend,
		at...)
}

// asked reports whether the agent's own configuration has a listener that takes the address.
func asked(e *facts.Evidence) bool {
	if e.Site == nil {
		return false
	}
	for _, l := range e.Site.Listen {
		a, ok := facts.SocketOf(conf.ListenDirective{Address: l.Address, Port: l.Port})
		if ok && a.Port() == e.Address.Port() && (a.Addr() == e.Address.Addr().Unmap() || a.Addr().IsUnspecified() &&
			a.Addr().Is6() == e.Address.Addr().Unmap().Is6()) {
			return true
		}
	}
	return false
}

// BindIsDenied: SELinux keeps nginx from the port that it is to listen on.
func BindIsDenied(ctx context.Context, e *facts.Evidence) *cause.Diagnosis {
	return withUnit(ctx, e, deniedBind(ctx, e))
}

func deniedBind(ctx context.Context, e *facts.Evidence) *cause.Diagnosis {
	for _, l := range facts.Listens(e) {
		port := int(l.Port())
		allowed, label, err := e.SELinux.Kernel().MayBind(port)
		if err != nil || allowed || !facts.Enforcing(e) {
			continue
		}
		evidence := facts.LastBind(facts.ErrorLog(ctx, e), port, 13)
		if of, ok := facts.StartAttempt(evidence); ok {
			if a, ok := facts.LastAVC(ctx, e.Host, "name_bind", port, of); ok {
				evidence = append(evidence, a.Line)
			}
		}
		return cause.New(cause.NginxBindDenied,
			fmt.Sprintf("SELinux denies nginx (httpd_t) to listen on port %d, which is labelled %s", port, label),
			cause.Do(facts.LabelCommand(ctx, e, port)...).And("systemctl", "reload-or-restart", "nginx"), evidence...)
	}
	return nil
}

// fullDisk: a file system that nginx writes to has no room.
func fullDisk(e *facts.Evidence) *cause.Diagnosis {
	for _, dir := range []string{"/run", "/var/log/nginx", "/var/lib/nginx"} {
		var st unix.Statfs_t
		if err := unix.Statfs(e.Root+dir, &st); err != nil || st.Blocks == 0 {
			continue
		}
		if st.Bavail == 0 || st.Files > 0 && st.Ffree == 0 {
			return cause.New(cause.DiskFull, fmt.Sprintf("the file system of %s is full (28: no space left on device)",
				dir),
				cause.Do("du", "-xh", dir).Say(" | sort -h | tail").Note("make room, then systemctl "+
					"reload-or-restart nginx"),
				fmt.Sprintf("%s: %d of %d blocks free, %d of %d inodes free", dir, st.Bavail, st.Blocks, st.Ffree,
					st.Files))
		}
	}
	return nil
}
