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

// listener: who, if anybody, takes connections at the address.
func (q *inquiry) listener(ctx context.Context) *Diagnosis {
	if !q.local() {
		return nil
	}
	if errors.Is(q.gone, nginx.ErrNotRunning) {
		return q.notRunning(ctx)
	}
	if q.gone != nil {
		return nil // who may not look at the master cannot tell
	}
	if d := q.strangers(ctx, q.address); d != nil {
		return d
	}
	if errors.Is(q.Err, syscall.ECONNREFUSED) && q.refused() {
		return q.notListening(ctx)
	}
	return nil
}

// refused: the connection to nginx, not one further on.
func (q *inquiry) refused() bool {
	var dial *websocket.DialError
	return errors.As(q.Err, &dial)
}

// strangers: another program than nginx has the socket.
func (q *inquiry) strangers(ctx context.Context, at netip.AddrPort) *Diagnosis {
	sockets := host.Taking(q.sockets, at)
	if len(sockets) == 0 {
		return nil
	}
	// A socket bound to the very address takes the connection before one bound to every address.
	var exact []host.Socket
	for _, s := range sockets {
		if s.Local.Addr().Unmap() == at.Addr().Unmap() {
			exact = append(exact, s)
		}
	}
	if len(exact) > 0 {
		sockets = exact
	}
	holders := host.Holders(ctx, q.Host, sockets)
	if len(holders) == 0 || slices.ContainsFunc(holders, q.isNginx) {
		return nil
	}
	who := holders[0]
	where := sockets[0].Local
	if left := q.left.Holding(holders); len(left) > 0 {
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
			lastBind(q.errorLog(ctx), int(at.Port()), 98)...)...)
}

// isNginx: of the nginx that is ours. Another one, and what a killed one left, is a stranger.
func (q *inquiry) isNginx(p host.Process) bool {
	if p.Pid == q.master.PID && p.Pid != 0 {
		return true
	}
	return slices.ContainsFunc(q.master.Workers, func(w nginx.Worker) bool { return w.PID == p.Pid })
}

// notRunning: there is no nginx; why not.
func (q *inquiry) notRunning(ctx context.Context) *Diagnosis {
	unit := q.unit(ctx)
	if d := q.otherNginx(unit); d != nil {
		return d
	}
	if d := q.invalid(ctx); d != nil {
		d.Evidence = append(d.Evidence, unit.String())
		return d
	}
	for _, l := range q.listens() {
		if d := q.strangers(ctx, l); d != nil {
			d.Evidence = append(d.Evidence, unit.String())
			return d
		}
	}
	if d := q.bindDenied(ctx); d != nil {
		d.Evidence = append(d.Evidence, unit.String())
		return d
	}
	if unit.refused() {
		// systemd keeps what ExecStartPre's nginx -t said, which need not be in the error log.
		if line := cmp.Or(lastEmergency(unitLog(ctx, q.Host)), lastEmergency(q.errorLog(ctx))); line != "" {
			if d := q.emergency(ctx, line); d != nil {
				d.Evidence = append(d.Evidence, unit.String())
				return d
			}
		}
	}
	if d := q.full(); d != nil && unit.failed() {
		d.Evidence = append(d.Evidence, unit.String())
		return d
	}
	return diagnosis(NginxNotRunning, "nginx is not running", do("systemctl", "start", "nginx"), q.gone.Error(),
		unit.String())
}

// otherNginx: nginx.service runs, with another configuration.
func (q *inquiry) otherNginx(unit unitFacts) *Diagnosis {
	var other *nginx.OtherError
	if !errors.As(q.gone, &other) || unit.err != nil || unit.state.MainPID != other.Other.PID {
		return nil
	}
	return diagnosis(NginxOther, fmt.Sprintf("%s runs %s: it takes nothing from %s", host.NginxUnit, other.Other, host.ConfDir),
		do("systemctl", "cat", host.NginxUnit).note("mend its ExecStart=, then systemctl daemon-reload && systemctl "+
			"restart nginx"), unit.String())
}

// listens are the addresses that nginx's configuration asks for.
func (q *inquiry) listens() []netip.AddrPort {
	var all []netip.AddrPort
	for _, s := range q.tree.Servers() {
		for _, l := range s.Listen {
			if a, ok := socketOf(l); ok && !slices.Contains(all, a) {
				all = append(all, a)
			}
		}
	}
	return all
}

// notListening: nginx runs, and does not listen there.
func (q *inquiry) notListening(ctx context.Context) *Diagnosis {
	if q.route.Server == nil {
		return q.noListener()
	}
	evidence := fmt.Sprintf("%s:%d asks nginx to listen there, and process %d does not", q.route.Server.File,
		q.route.Listen.Line, q.master.PID)
	for _, ask := range []func(context.Context) *Diagnosis{q.bindDenied, q.invalid, q.older} {
		if d := ask(ctx); d != nil {
			d.Evidence = append(d.Evidence, evidence)
			return d
		}
	}
	return nil
}

// noListener: the configuration asks for no listener at the address.
func (q *inquiry) noListener() *Diagnosis {
	if d := q.notIncluded(); d != nil {
		return d
	}
	if d := q.otherFamily(); d != nil {
		return d
	}
	what := fmt.Sprintf("no server block of nginx listens on %s", q.address)
	if q.Site == nil {
		return diagnosis(ListenerMissing, what,
			say("name an address in the URL that nginx listens on, or add the listener to the site (key listen)"),
			q.Err.Error())
	}
	return diagnosis(ListenerMissing, what, q.applyCommand(), fmt.Sprintf("%s should have it", host.SitePath(q.Site.Name)))
}

// otherFamily: the site listens for the one family of addresses only, and was asked by the other.
func (q *inquiry) otherFamily() *Diagnosis {
	wants6 := q.address.Addr().Unmap().Is6()
	var at []string
	for _, s := range q.tree.Servers() {
		if q.Site != nil && !q.ours(s.File) || q.Site == nil && !ServerNamed(s, q.host()) && !q.addressed() {
			continue
		}
		for _, l := range s.Listen {
			a, ok := socketOf(l)
			if !ok || a.Port() != q.address.Port() {
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
	mend := line.number(int(q.address.Port())).say("; to the server block").say(thenReload)
	if q.Site != nil {
		mend = q.applyCommand().note("with ").say(lack).say(" in the site's listen")
		if q.asked() {
			mend = q.applyCommand()
		}
	}
	return diagnosis(code, fmt.Sprintf("the site listens for %s only, and %s is %s", have, q.address, lack), mend,
		at...)
}

// asked reports whether the agent's own configuration has a listener that takes the address.
func (q *inquiry) asked() bool {
	if q.Site == nil {
		return false
	}
	for _, l := range q.Site.Listen {
		a, ok := socketOf(nginx.ListenDirective{Address: l.Address, Port: l.Port})
		if ok && a.Port() == q.address.Port() && (a.Addr() == q.address.Addr().Unmap() || a.Addr().IsUnspecified() &&
			a.Addr().Is6() == q.address.Addr().Unmap().Is6()) {
			return true
		}
	}
	return false
}

// addressed: the URL has an address and no name, so that no server is named by it.
func (q *inquiry) addressed() bool {
	host := q.host()
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	_, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil
}

// bindDenied: SELinux keeps nginx from the port that it is to listen on.
func (q *inquiry) bindDenied(ctx context.Context) *Diagnosis {
	for _, l := range q.listens() {
		port := int(l.Port())
		allowed, label, err := q.SELinux.MayBind(port)
		if err != nil || allowed || !q.enforcing() {
			continue
		}
		evidence := lastBind(q.errorLog(ctx), port, 13)
		if of, ok := startAttempt(evidence); ok {
			if a, ok := lastAVC(ctx, q.Host, "name_bind", port, of); ok {
				evidence = append(evidence, a.Line)
			}
		}
		return diagnosis(NginxBindDenied,
			fmt.Sprintf("SELinux denies nginx (httpd_t) to listen on port %d, which is labelled %s", port, label),
			do(q.labelCommand(ctx, port)...).and("systemctl", "reload-or-restart", "nginx"), evidence...)
	}
	return nil
}

// full: a file system that nginx writes to has no room.
func (q *inquiry) full() *Diagnosis {
	for _, dir := range []string{"/run", "/var/log/nginx", "/var/lib/nginx"} {
		var st unix.Statfs_t
		if err := unix.Statfs(q.Root+dir, &st); err != nil || st.Blocks == 0 {
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
