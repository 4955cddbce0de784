package server

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"wsprovision/provision/diagnose/cause"
	"wsprovision/provision/diagnose/facts"
	"wsprovision/provision/nginx/conf"
)

// serverIsKnown: which server block takes the request is settled, however it goes on.
func serverIsKnown(e *facts.Evidence) bool {
	return e.TreeErr == nil && e.Way.Server != nil && len(e.Way.End.Steps) > 0
}

// AnotherListensThere: another's block is bound to the very address, the site's to every one.
func AnotherListensThere(_ context.Context, e *facts.Evidence) *cause.Diagnosis {
	if !serverIsKnown(e) || e.Site == nil || facts.Ours(e, e.Way.Server.File) || listensHere(e) {
		return nil
	}
	if d := otherFamily(e); d != nil {
		return d
	}
	s, l := e.Way.Server, e.Way.Listen
	return cause.New(cause.ShadowedListen,
		fmt.Sprintf("the server block in %s:%d listens on %s itself, so that what comes to that address never "+
			"reaches %s",
			s.File, s.Line, e.Address, e.SitePath(e.Site.Name)),
		cause.Say("give the site that address too (key listen) or take it from ").Line(s.File, l.Line).
			Say("; then nginx -t && systemctl reload nginx"), "listen in "+fmt.Sprintf("%s:%d", s.File, l.Line))
}

// AnotherHasTheName: of two blocks with a name on a socket the first counts.
func AnotherHasTheName(_ context.Context, e *facts.Evidence) *cause.Diagnosis {
	if !serverIsKnown(e) || e.Site == nil || facts.Ours(e, e.Way.Server.File) || !e.Way.ByName {
		return nil
	}
	s := e.Way.Server
	return cause.New(cause.ShadowedServerName,
		fmt.Sprintf("another server block has the name %s on the same address, and comes first: nginx ignores the "+
			"one in %s",
			facts.HostSent(e), e.SitePath(e.Site.Name)),
		cause.Say("take the name out of ").Line(s.File, s.Line).Say(facts.ThenReload),
		fmt.Sprintf("server_name in the block at %s:%d", s.File, s.Line))
}

// NameIsNobodys: the request fell to the default server, which passes it nowhere.
func NameIsNobodys(_ context.Context, e *facts.Evidence) *cause.Diagnosis {
	if !serverIsKnown(e) || e.Way.ByName || e.Site != nil && facts.Ours(e, e.Way.Server.File) {
		return nil
	}
	if e.Site == nil && (e.Way.End.Answer == nil || redirectsToItself(e)) {
		return nil
	}
	s := e.Way.Server
	why := "it comes first"
	if e.Way.Listen.Default {
		why = "it has default_server"
	}
	evidence := []string{e.Err.Error(), fmt.Sprintf("server block in %s:%d", s.File, s.Line)}
	for _, other := range sharing(e) {
		evidence = append(evidence, fmt.Sprintf("server_name in %s:%d: %q", other.File, other.Line, other.Names))
	}
	for _, other := range namedElsewhere(e) {
		evidence = append(evidence, fmt.Sprintf("the block in %s:%d has the name, and listens on %s", other.File,
			other.Line, listensOn(other)))
	}
	return cause.New(cause.ShadowedDefault,
		fmt.Sprintf("no server block on %s has the name %s, so that the default server answers (%s)", e.Address,
			facts.HostSent(e), why), facts.Rewrite(e, nameMend(e)), evidence...)
}

// namedElsewhere are the blocks with the name that listen on other sockets than the one that took the request.
func namedElsewhere(e *facts.Evidence) (all []conf.Server) {
	for _, s := range e.Tree.Servers() {
		if facts.ServerNamed(s, facts.HostSent(e)) && len(s.Listen) > 0 {
			all = append(all, s)
		}
	}
	return all
}

func listensOn(s conf.Server) string {
	var all []string
	for _, l := range s.Listen {
		all = append(all, written(l))
	}
	return strings.Join(all, " and ")
}

// written is the address of a listen, as nginx reads it.
func written(l conf.ListenDirective) string {
	switch {
	case l.Unix != "":
		return "unix:" + l.Unix
	case l.Address == "" || l.Address == "0.0.0.0":
		return strconv.Itoa(l.Port)
	}
	return net.JoinHostPort(l.Address, strconv.Itoa(l.Port))
}

// listenMend has the block with the name listen on the socket that took the request.
func listenMend(e *facts.Evidence, s conf.Server) cause.Mend {
	at, tls := e.Way.Listen, cause.Words("")
	if at.TLS {
		tls = " ssl"
	}
	mend := cause.Say("add listen ").Name(written(at)).Say(tls+"; to the server block in ").Line(s.File, s.Line)
	if ip, err := netip.ParseAddr(at.Address); err == nil && !ip.IsUnspecified() {
		mend = mend.Say(", or take the listen of that address out of ").Line(at.File, at.Line)
	} else if port := s.Listen[0].Port; port != 0 && port != at.Port {
		mend = cause.Say("use port ").Number(port).Say(" in the URL, or ").Join(mend)
	}
	return mend.Say(facts.ThenReload)
}

// sharing are the blocks that take requests on the same socket, but for the one that answered.
func sharing(e *facts.Evidence) (all []conf.Server) {
	for _, s := range e.Tree.Sharing(e.Address) {
		if s.Server.File == e.Way.Server.File && s.Server.Line == e.Way.Server.Line {
			continue
		}
		all = append(all, *s.Server)
	}
	return all
}

// nameMend gives the name to the one block that it can be meant for.
func nameMend(e *facts.Evidence) cause.Mend {
	name, _, _ := strings.Cut(facts.HostSent(e), ":")
	all := sharing(e)
	if e.Outer != nil && facts.Passed(e.Outer) != nil {
		return outerName(e.Outer)
	}
	if elsewhere := namedElsewhere(e); len(elsewhere) > 0 && !facts.Addressed(e) {
		return listenMend(e, elsewhere[0])
	}
	switch {
	case facts.Addressed(e):
		return cause.Say("use one of the names in server_name in place of the address")
	case len(all) == 1:
		return cause.Say("use one of the names in server_name, or add ").Name(name).Say(" to those in ").
			Line(all[0].File, all[0].Line).Say(facts.ThenReload)
	case len(all) > 1:
		return cause.Say("use one of the names in server_name, or add ").Name(name).
			Say(" to those of the block that is meant").
			Say(facts.ThenReload)
	}
	return cause.Say("put a server block with server_name ").Name(name).Say(" and a location with proxy_pass into ").
		Name(e.SitesDir()).Say("/*.conf, which is what nginx.conf reads").Say(facts.ThenReload)
}

// outerName: nginx itself sent the name, one block before this.
func outerName(outer *facts.Evidence) cause.Mend {
	p := facts.Passed(outer)
	place, what := p.Directive, cause.Say("add ")
	if f := p.Field("Host"); f.Set != nil {
		place = *f.Set
		what = cause.Say("in place of ").Name(facts.Written(place)).Say(" write ")
	}
	return facts.InFile(outer, place.File, place.Line,
		what.Say("proxy_set_header Host and the name of the block that is "+
			"meant in ").Line(place.File, place.Line))
}

// redirectsToItself: every name is sent to https, and the one asked for has a block there.
func redirectsToItself(e *facts.Evidence) bool {
	u, err := url.Parse(facts.Seen(e).Location)
	name, _, _ := strings.Cut(facts.HostSent(e), ":")
	if err != nil || u.Scheme != "https" || !strings.EqualFold(u.Hostname(), name) {
		return false
	}
	return slices.ContainsFunc(e.Tree.Servers(), func(s conf.Server) bool {
		return facts.ServerNamed(s, name) && slices.ContainsFunc(s.Listen, func(l conf.ListenDirective) bool {
			return l.TLS
		})
	})
}

// listensHere reports whether the site's block shares the socket that took the request.
func listensHere(e *facts.Evidence) bool {
	want, ok := facts.SocketOf(e.Way.Listen)
	if !ok {
		return false
	}
	for _, s := range e.Tree.Servers() {
		for _, l := range s.Listen {
			if a, ok := facts.SocketOf(l); ok && facts.Ours(e, s.File) && a == want {
				return true
			}
		}
	}
	return false
}

// ProxyProtocolIsWanted: a listener with proxy_protocol closes a connection that does not begin with its line.
func ProxyProtocolIsWanted(_ context.Context, e *facts.Evidence) *cause.Diagnosis {
	failed := facts.TlsFailure(e)
	if e.Target.Proxied || e.TreeErr != nil || facts.SilenceOf(e) == nil &&
		(failed == nil || len(failed.Facts.Chain) > 0) {
		return nil
	}
	for _, s := range e.Tree.Sharing(e.Address) {
		if l := s.Listen; l.ProxyProtocol {
			return cause.New(cause.ProxyProtocolWanted,
				fmt.Sprintf("the listener in %s:%d wants the PROXY protocol, which only a load balancer in front of "+
					"it speaks", l.File, l.Line),
				cause.Say("connect by way of the load balancer, or take proxy_protocol out of ").Line(l.File,
					l.Line).Say(facts.ThenReload),
				e.Err.Error())
		}
	}
	return nil
}

// What nginx answers on a listener with TLS (ngx_http_special_response.c).
const (
	saysPlain       = "The plain HTTP request was sent to HTTPS port"
	saysCertificate = "No required SSL certificate was sent"
	saysBad         = "The SSL certificate error"
)

// TLSIsWanted: a plain request came to a socket that speaks TLS.
func TLSIsWanted(_ context.Context, e *facts.Evidence) *cause.Diagnosis {
	if !strings.Contains(facts.Seen(e).Body, saysPlain) || e.Target.TLS != nil {
		return nil
	}
	return cause.New(cause.TLSWanted, fmt.Sprintf("nginx speaks TLS on %s, and the URL has ws://", e.Address),
		cause.Say("use ").Name("wss"+strings.TrimPrefix(e.Target.String(), "ws")).Say(" as the URL"), e.Err.Error())
}

// ClientCertificateIsWanted: the server block verifies clients, and this one has no certificate.
func ClientCertificateIsWanted(_ context.Context, e *facts.Evidence) *cause.Diagnosis {
	body := facts.Seen(e).Body
	if !strings.Contains(body, saysCertificate) && !strings.Contains(body, saysBad) || e.Target.TLS == nil {
		return nil
	}
	why, mend := "nginx wants a certificate of the client", cause.Say("have the client show one")
	if d := facts.ServerValue(e, "ssl_verify_client"); d != nil {
		why += fmt.Sprintf(": ssl_verify_client %s in %s:%d", strings.Join(d.Args, " "), d.File, d.Line)
		mend = facts.InFile(e, d.File, d.Line, mend.Say(", or set ssl_verify_client off; in ").Line(d.File, d.Line))
	}
	return cause.New(cause.ClientCertificateWanted, why, mend, e.Err.Error())
}
