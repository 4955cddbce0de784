package server

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strconv"
	"syscall"

	"wsprovision/provision/diagnose/cause"
	"wsprovision/provision/diagnose/facts"
	"wsprovision/provision/host"
	"wsprovision/provision/nginx/conf"
	"wsprovision/provision/websocket/handshake"
)

// NameHasNoAddress: the name in the URL does not resolve.
func NameHasNoAddress(_ context.Context, e *facts.Evidence) *cause.Diagnosis {
	var dns *net.DNSError
	if !errors.As(e.Err, &dns) {
		return nil
	}
	return cause.New(cause.NameUnresolved, fmt.Sprintf("the name %s does not resolve on this host", dns.Name),
		cause.Say("add it to DNS or to /etc/hosts, or name the address in the URL"), dns.Error())
}

// ConnectionIsFiltered: by somebody else's firewall. This host's firewalld lets all in that comes by the loopback,
// which what is local does.
func ConnectionIsFiltered(_ context.Context, e *facts.Evidence) *cause.Diagnosis {
	var dial *handshake.DialError
	if !errors.As(e.Err, &dial) || !dial.Timeout && !errors.Is(dial, syscall.EHOSTUNREACH) &&
		!errors.Is(dial, syscall.ETIMEDOUT) && !errors.Is(dial, syscall.EACCES) {
		return nil
	}
	if facts.IsLocal(e) && e.Check == facts.Measured {
		return nil // nginx takes its time, with that many
	}
	return cause.New(cause.AddressUnreachable,
		fmt.Sprintf("no answer comes from %s: a firewall drops or rejects the connection, or there is no route",
			e.Address),
		cause.Say("on that host: ").Join(firewalldMend("", int(e.Address.Port()))), dial.Error())
}

// NothingListensElsewhere: another host answers that nothing listens on the port.
func NothingListensElsewhere(_ context.Context, e *facts.Evidence) *cause.Diagnosis {
	if !errors.Is(e.Err, syscall.ECONNREFUSED) || !facts.Refused(e) {
		return nil
	}
	return cause.New(cause.AddressRefuses, fmt.Sprintf("nothing listens on %s", e.Address),
		cause.Say("run wsprovision verify on that host, which says why"), e.Err.Error())
}

// NoRouteToAddress: no route leads to the address.
func NoRouteToAddress(_ context.Context, e *facts.Evidence) *cause.Diagnosis {
	if !errors.Is(e.Err, syscall.ENETUNREACH) && (!errors.Is(e.Err, syscall.EADDRNOTAVAIL) || facts.IsLocal(e)) {
		return nil
	}
	return cause.New(cause.AddressUnreachable, fmt.Sprintf("this host has no route to %s", e.Address),
		cause.Do("ip", "route", "get", e.Address.Addr().String()), e.Err.Error())
}

// ClientHasNoPort: this host has no port left for a connection to the address.
func ClientHasNoPort(_ context.Context, e *facts.Evidence) *cause.Diagnosis {
	if !errors.Is(e.Err, syscall.EADDRNOTAVAIL) {
		return nil
	}
	return Exhausted(e, "the client's own connections to "+e.Address.String(), e.Address.Port(), e.Err.Error())
}

// ClientHasNoFiles: this program itself may open no more files, and thereby no more sockets.
func ClientHasNoFiles(_ context.Context, e *facts.Evidence) *cause.Diagnosis {
	if !errors.Is(e.Err, syscall.EMFILE) {
		return nil
	}
	var limit syscall.Rlimit
	told := ""
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err == nil {
		told = fmt.Sprintf("this program may open %d files (setrlimit(2), RLIMIT_NOFILE)", limit.Max)
	}
	return cause.New(cause.OpenFilesSpent, "this program itself can open no more connections (24: too many open files)",
		moreFiles(limit.Max, e.Euid), e.Err.Error(), told)
}

// moreFiles: this program has the hard limit already (package os of Go raises its own to that), and only root may go
// above it, up to fs.nr_open, which is 1048576 unless set (setrlimit(2)).
func moreFiles(hard uint64, euid int) cause.Mend {
	const usual, highest = 65536, 1048576
	more := usual
	if hard >= usual {
		more = highest
	}
	switch {
	case hard >= highest:
		return cause.Say("try fewer connections at a time")
	case euid != 0:
		return cause.Say("try fewer connections at a time than ").Number(int(hard)).
			Say(", which is this user's hard limit, or run wsprovision in a shell of root's after ").
			Do("ulimit", "-n", strconv.Itoa(more))
	}
	return cause.Do("ulimit", "-n", strconv.Itoa(more)).
		Note("in the shell of root's that runs wsprovision, or try fewer at a time")
}

// NothingListensBeside: nothing listens where the URL leads, and no file of nginx speaks of it.
func NothingListensBeside(_ context.Context, e *facts.Evidence) *cause.Diagnosis {
	if !facts.Refused(e) {
		return nil
	}
	at := e.Address.String()
	return cause.New(cause.AddressRefuses, "nothing listens on "+at,
		cause.Say("start the server that is meant to listen there"),
		e.Err.Error(), facts.Nearby(host.Listening(e.Sockets, e.Address.Port())))
}

// BesideIsNoWebSocket: what answers there, and is no nginx of this configuration, does not speak WebSocket.
func BesideIsNoWebSocket(_ context.Context, e *facts.Evidence) *cause.Diagnosis {
	at := e.Address.String()
	return cause.New(cause.NotAWebSocket, "what listens on "+at+" answers 101 and is no WebSocket server",
		facts.WhoListens(at),
		e.Err.Error())
}

// BesideRefuses: all that is known of a program that is no nginx is what it answered.
func BesideRefuses(ctx context.Context, e *facts.Evidence) *cause.Diagnosis {
	if !facts.IsLocal(e) {
		return nil
	}
	at, status := e.Address.String(), facts.StatusOf(e)
	switch silent := facts.SilenceOf(e); {
	case silent != nil && silent.Timeout:
		return cause.New(cause.BackendNotAnswering, "the backend "+at+" takes the connection and does not answer",
			cause.Say("look at the backend's own log, and restart it"), e.Err.Error())
	case status == nil:
		return nil
	case status.Code == http.StatusNotFound:
		return cause.New(cause.PathNotFound, fmt.Sprintf("the backend %s has nothing at %s (404)", at, e.Target.Path),
			cause.Say("use the path that the backend serves; its own log says more"), e.Err.Error())
	}
	return besideStatus(ctx, e, at, status)
}

func besideStatus(ctx context.Context, e *facts.Evidence, at string, status *handshake.StatusError) *cause.Diagnosis {
	if status.Code == http.StatusForbidden && e.Target.Origin != "" {
		other := e.Target
		if other.Origin = ""; facts.Shake(ctx, e, other) == nil {
			return cause.New(cause.OriginRefused, fmt.Sprintf("the backend %s refuses the Origin %s (403)", at,
				e.Target.Origin),
				cause.Say("allow that origin in the backend's own configuration"), e.Err.Error())
		}
	}
	return cause.New(cause.BackendRefused,
		fmt.Sprintf("the backend %s refuses the handshake at %s (%d)", at, e.Target.Path, status.Code),
		cause.Say("the backend's own log says why"), e.Err.Error())
}

// NginxPort reports whether nginx's configuration has a listener on that port, at whatever address.
func NginxPort(e *facts.Evidence) bool {
	return slices.ContainsFunc(e.Tree.Servers(), func(s conf.Server) bool {
		return slices.ContainsFunc(s.Listen,
			func(l conf.ListenDirective) bool { return l.Port == int(e.Address.Port()) })
	})
}
