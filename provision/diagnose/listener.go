package diagnose

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"wsprovision/provision/host"
	"wsprovision/provision/nginx"
	"wsprovision/provision/websocket"
)

// refused: the connection to nginx, not one further on.
func refused(e *evidence) bool {
	var dial *websocket.DialError
	return errors.As(e.Err, &dial) && errors.Is(e.Err, syscall.ECONNREFUSED)
}

// strangerHasAddress: another program than nginx takes the connections.
func strangerHasAddress(ctx context.Context, e *evidence) *Diagnosis {
	return stranger(ctx, e, e.address)
}

// portIsTaken: another program has a port that nginx wants.
func portIsTaken(ctx context.Context, e *evidence) *Diagnosis {
	for _, l := range append([]netip.AddrPort{e.address}, listens(e)...) {
		if d := stranger(ctx, e, l); d != nil {
			d.Evidence = append(d.Evidence, unitOf(ctx, e).String())
			return d
		}
	}
	return nil
}

// stranger: another program than nginx has the socket.
func stranger(ctx context.Context, e *evidence, at netip.AddrPort) *Diagnosis {
	sockets := host.Taking(e.sockets, at)
	if len(sockets) == 0 {
		return nil
	}
	sockets = exactly(sockets, at)
	holders := host.Holders(ctx, e.Host, sockets)
	if len(holders) == 0 || slices.ContainsFunc(holders, func(p host.Process) bool { return isNginx(e, p) }) {
		return nil
	}
	who := holders[0]
	where := sockets[0].Local
	if left := e.left.Holding(holders); len(left) > 0 {
		return diagnosis(NginxBindInUse,
			host.OrphansHold(left, map[string]bool{strconv.Itoa(int(where.Port())): true}).Error(),
			do(host.Quit(left)...).and("systemctl", "start", "nginx"), fmt.Sprintf("%s is held by %s", where, who))
	}
	return diagnosis(NginxBindInUse,
		fmt.Sprintf("%s listens on %s, so that nginx cannot: its bind fails with 98 (address already in use)", who,
			where),
		say("stop it (systemctl status ").number(who.Pid).
			say(" names its unit) or give one of the two another port; then systemctl reload-or-restart nginx"),
		append([]string{fmt.Sprintf("%s is held by %s", where, who)},
			lastBind(errorLog(ctx, e), int(at.Port()), 98)...)...)
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

// isNginx: of the nginx that is ours. Another one, and what a killed one left, is a stranger.
func isNginx(e *evidence, p host.Process) bool {
	if p.Pid == e.master.PID && p.Pid != 0 {
		return true
	}
	return slices.ContainsFunc(e.master.Workers, func(w nginx.Worker) bool { return w.PID == p.Pid })
}

// unitRunsAnother: nginx.service runs, with another configuration.
func unitRunsAnother(ctx context.Context, e *evidence) *Diagnosis {
	var other *nginx.OtherError
	unit := unitOf(ctx, e)
	if !errors.As(e.gone, &other) || unit.err != nil || unit.state.MainPID != other.Other.PID {
		return nil
	}
	return diagnosis(NginxOther, fmt.Sprintf("%s runs %s: it takes nothing from %s", host.NginxUnit, other.Other,
		host.ConfDir),
		do("systemctl", "cat", host.NginxUnit).note("mend its ExecStart=, then systemctl daemon-reload && systemctl "+
			"restart nginx, which ends all connections"), unit.String())
}

// anotherNginxAnswers: something answered, and it is no nginx that reads /etc/nginx/nginx.conf.
func anotherNginxAnswers(ctx context.Context, e *evidence) *Diagnosis {
	others, err := e.Nginx.Others(ctx, 0)
	if err != nil {
		return nil
	}
	holders := host.Holders(ctx, e.Host, exactly(host.Taking(e.sockets, e.address), e.address))
	for _, o := range others {
		if slices.ContainsFunc(holders, func(p host.Process) bool { return p.Pid == o.PID }) {
			return diagnosis(NginxOther, fmt.Sprintf("another nginx answers on %s: %s", e.address, o),
				say("stop that nginx, or put the site into its configuration; the one of "+host.NginxConf+
					" does not run"), e.gone.Error())
		}
	}
	return nil
}

// configurationIsRefused: nginx -t does not pass, so that nginx neither starts nor reloads.
func configurationIsRefused(ctx context.Context, e *evidence) *Diagnosis {
	return withUnit(ctx, e, problemFound(ctx, e))
}

// withUnit adds what systemd says of nginx where it does not run.
func withUnit(ctx context.Context, e *evidence, d *Diagnosis) *Diagnosis {
	if d != nil && e.gone != nil {
		d.Evidence = append(d.Evidence, unitOf(ctx, e).String())
	}
	return d
}

// startFailed: systemd keeps what ExecStartPre's nginx -t said, which need not be in the error log.
func startFailed(ctx context.Context, e *evidence) *Diagnosis {
	unit := unitOf(ctx, e)
	if !unit.refused() {
		return nil
	}
	line := cmp.Or(lastEmergency(unitLog(ctx, e.Host)), lastEmergency(errorLog(ctx, e)))
	if line == "" {
		return nil
	}
	d := emergency(ctx, e, line)
	if d != nil {
		d.Evidence = append(d.Evidence, unit.String())
	}
	return d
}

// diskIsFull: nginx did not start, and a file system that it writes to has no room.
func diskIsFull(ctx context.Context, e *evidence) *Diagnosis {
	unit := unitOf(ctx, e)
	d := fullDisk(e)
	if d == nil || !unit.failed() {
		return nil
	}
	d.Evidence = append(d.Evidence, unit.String())
	return d
}

func nginxIsStopped(ctx context.Context, e *evidence) *Diagnosis {
	return diagnosis(NginxNotRunning, "nginx is not running", do("systemctl", "start", "nginx"), e.gone.Error(),
		unitOf(ctx, e).String())
}

// listens are the addresses that nginx's configuration asks for.
func listens(e *evidence) []netip.AddrPort {
	var all []netip.AddrPort
	for _, s := range e.tree.Servers() {
		for _, l := range s.Listen {
			if a, ok := socketOf(l); ok && !slices.Contains(all, a) {
				all = append(all, a)
			}
		}
	}
	return all
}

// siteIsNotRead: the site's file is there, or should be, and nginx does not read it.
func siteIsNotRead(_ context.Context, e *evidence) *Diagnosis {
	if e.Site == nil || e.treeErr != nil || e.tree.Included(host.SitePath(e.Site.Name)) {
		return nil
	}
	path := host.SitePath(e.Site.Name)
	if have, err := e.Files.Read(path); err == nil && have.Content == nil {
		return diagnosis(NotIncluded, fmt.Sprintf("the site's file %s is not there", path), applyCommand(e),
			filesRead(e))
	}
	return diagnosis(NotIncluded, fmt.Sprintf("%s is not included by %s", path, host.NginxConf),
		say("add \"include "+host.ConfDir+"/*.conf;\" to the http block of "+host.NginxConf).say(thenReload),
		filesRead(e))
}

func otherFamilyIsListened(_ context.Context, e *evidence) *Diagnosis {
	if e.way.Server != nil || !refused(e) {
		return nil
	}
	return otherFamily(e)
}

// nothingIsListened: the configuration asks for no listener at the address.
func nothingIsListened(_ context.Context, e *evidence) *Diagnosis {
	if e.way.Server != nil || e.treeErr != nil || !refused(e) {
		return nil
	}
	what := fmt.Sprintf("no server block of nginx listens on %s", e.address)
	otherwise := say("name an address in the URL that nginx listens on, or add the listener to the site (key listen)")
	if e.Site == nil {
		return diagnosis(ListenerMissing, what, otherwise, e.Err.Error())
	}
	return diagnosis(ListenerMissing, what, rewrite(e, otherwise),
		fmt.Sprintf("%s should have it", host.SitePath(e.Site.Name)))
}

// otherFamily: the site listens for the one family of addresses only, and was asked by the other.
func otherFamily(e *evidence) *Diagnosis {
	wants6 := e.address.Addr().Unmap().Is6()
	var at []string
	for _, s := range e.tree.Servers() {
		if e.Site != nil && !ours(e, s.File) || e.Site == nil && !ServerNamed(s, hostSent(e)) && !addressed(e) {
			continue
		}
		for _, l := range s.Listen {
			a, ok := socketOf(l)
			if !ok || a.Port() != e.address.Port() {
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
	code, have, lack, line := ListenerIPv4Only, "IPv4", words("IPv6"), say("add listen [::]:")
	if !wants6 {
		code, have, lack, line = ListenerIPv6Only, "IPv6", words("IPv4"), say("add listen ")
	}
	mend := line.number(int(e.address.Port())).say("; to the server block").say(thenReload)
	if e.Site != nil {
		mend = applyCommand(e).note("with ").say(lack).say(" in the site's listen")
		if asked(e) {
			mend = applyCommand(e)
		}
	}
	return diagnosis(code, fmt.Sprintf("the site listens for %s only, and %s is %s", have, e.address, lack), mend,
		at...)
}

// asked reports whether the agent's own configuration has a listener that takes the address.
func asked(e *evidence) bool {
	if e.Site == nil {
		return false
	}
	for _, l := range e.Site.Listen {
		a, ok := socketOf(nginx.ListenDirective{Address: l.Address, Port: l.Port})
		if ok && a.Port() == e.address.Port() && (a.Addr() == e.address.Addr().Unmap() || a.Addr().IsUnspecified() &&
			a.Addr().Is6() == e.address.Addr().Unmap().Is6()) {
			return true
		}
	}
	return false
}

// addressed: the URL has an address and no name, so that no server is named by it.
func addressed(e *evidence) bool {
	host := hostSent(e)
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	_, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil
}

// bindIsDenied: SELinux keeps nginx from the port that it is to listen on.
func bindIsDenied(ctx context.Context, e *evidence) *Diagnosis {
	return withUnit(ctx, e, deniedBind(ctx, e))
}

func deniedBind(ctx context.Context, e *evidence) *Diagnosis {
	for _, l := range listens(e) {
		port := int(l.Port())
		allowed, label, err := e.SELinux.MayBind(port)
		if err != nil || allowed || !enforcing(e) {
			continue
		}
		evidence := lastBind(errorLog(ctx, e), port, 13)
		if of, ok := startAttempt(evidence); ok {
			if a, ok := lastAVC(ctx, e.Host, "name_bind", port, of); ok {
				evidence = append(evidence, a.Line)
			}
		}
		return diagnosis(NginxBindDenied,
			fmt.Sprintf("SELinux denies nginx (httpd_t) to listen on port %d, which is labelled %s", port, label),
			do(labelCommand(ctx, e, port)...).and("systemctl", "reload-or-restart", "nginx"), evidence...)
	}
	return nil
}

// fullDisk: a file system that nginx writes to has no room.
func fullDisk(e *evidence) *Diagnosis {
	for _, dir := range []string{"/run", "/var/log/nginx", "/var/lib/nginx"} {
		var st unix.Statfs_t
		if err := unix.Statfs(e.Root+dir, &st); err != nil || st.Blocks == 0 {
			continue
		}
		if st.Bavail == 0 || st.Files > 0 && st.Ffree == 0 {
			return diagnosis(DiskFull, fmt.Sprintf("the file system of %s is full (28: no space left on device)", dir),
				do("du", "-xh", dir).say(" | sort -h | tail").note("make room, then systemctl reload-or-restart nginx"),
				fmt.Sprintf("%s: %d of %d blocks free, %d of %d inodes free", dir, st.Bavail, st.Blocks, st.Ffree,
					st.Files))
		}
	}
	return nil
}
