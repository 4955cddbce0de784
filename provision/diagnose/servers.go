package diagnose

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"wsprovision/provision/host"
	"wsprovision/provision/nginx"
)

// serverIsKnown: which server block takes the request is settled, however it goes on.
func serverIsKnown(e *evidence) bool {
	return e.treeErr == nil && e.way.Server != nil && len(e.way.End.Steps) > 0
}

// anotherListensThere: another's block is bound to the very address, the site's to every one.
func anotherListensThere(_ context.Context, e *evidence) *Diagnosis {
	if !serverIsKnown(e) || e.Site == nil || ours(e, e.way.Server.File) || listensHere(e) {
		return nil
	}
	if d := otherFamily(e); d != nil {
		return d
	}
	s, l := e.way.Server, e.way.Listen
	return diagnosis(ShadowedListen,
		fmt.Sprintf("the server block in %s:%d listens on %s itself, so that what comes to that address never "+
			"reaches %s",
			s.File, s.Line, e.address, host.SitePath(e.Site.Name)),
		say("give the site that address too (key listen) or take it from ").line(s.File, l.Line).
			say("; then nginx -t && systemctl reload nginx"), "listen in "+fmt.Sprintf("%s:%d", s.File, l.Line))
}

// anotherHasTheName: of two blocks with a name on a socket the first counts.
func anotherHasTheName(_ context.Context, e *evidence) *Diagnosis {
	if !serverIsKnown(e) || e.Site == nil || ours(e, e.way.Server.File) || !e.way.ByName {
		return nil
	}
	s := e.way.Server
	return diagnosis(ShadowedServerName,
		fmt.Sprintf("another server block has the name %s on the same address, and comes first: nginx ignores the "+
			"one in %s",
			hostSent(e), host.SitePath(e.Site.Name)),
		say("take the name out of ").line(s.File, s.Line).say(thenReload),
		fmt.Sprintf("server_name in the block at %s:%d", s.File, s.Line))
}

// nameIsNobodys: the request fell to the default server, which passes it nowhere.
func nameIsNobodys(_ context.Context, e *evidence) *Diagnosis {
	if !serverIsKnown(e) || e.way.ByName || e.Site != nil && ours(e, e.way.Server.File) {
		return nil
	}
	if e.Site == nil && (e.way.End.Answer == nil || redirectsToItself(e)) {
		return nil
	}
	s := e.way.Server
	why := "it comes first"
	if e.way.Listen.Default {
		why = "it has default_server"
	}
	evidence := []string{e.Err.Error(), fmt.Sprintf("server block in %s:%d", s.File, s.Line)}
	for _, other := range sharing(e) {
		evidence = append(evidence, fmt.Sprintf("server_name in %s:%d: %q", other.File, other.Line, other.Names))
	}
	return diagnosis(ShadowedDefault,
		fmt.Sprintf("no server block on %s has the name %s, so that the default server answers (%s)", e.address,
			hostSent(e), why), rewrite(e, nameMend(e)), evidence...)
}

// sharing are the blocks that take requests on the same socket, but for the one that answered.
func sharing(e *evidence) (all []nginx.Server) {
	for _, s := range e.tree.Sharing(e.address) {
		if s.Server.File == e.way.Server.File && s.Server.Line == e.way.Server.Line {
			continue
		}
		all = append(all, *s.Server)
	}
	return all
}

// nameMend gives the name to the one block that it can be meant for.
func nameMend(e *evidence) Mend {
	name, _, _ := strings.Cut(hostSent(e), ":")
	all := sharing(e)
	switch {
	case addressed(e):
		return say("use one of the names in server_name in place of the address")
	case len(all) == 1:
		return say("use one of the names in server_name, or add ").name(name).say(" to those in ").
			line(all[0].File, all[0].Line).say(thenReload)
	case len(all) > 1:
		return say("use one of the names in server_name, or add ").name(name).
			say(" to those of the block that is meant").
			say(thenReload)
	}
	return say("put a server block with server_name ").name(name).say(" and a location with proxy_pass into " +
		host.ConfDir + "/*.conf, which is what nginx.conf reads").say(thenReload)
}

// redirectsToItself: every name is sent to https, and the one asked for has a block there.
func redirectsToItself(e *evidence) bool {
	u, err := url.Parse(seen(e).Location)
	name, _, _ := strings.Cut(hostSent(e), ":")
	if err != nil || u.Scheme != "https" || !strings.EqualFold(u.Hostname(), name) {
		return false
	}
	return slices.ContainsFunc(e.tree.Servers(), func(s nginx.Server) bool {
		return ServerNamed(s, name) && slices.ContainsFunc(s.Listen, func(l nginx.ListenDirective) bool {
			return l.TLS
		})
	})
}

// listensHere reports whether the site's block shares the socket that took the request.
func listensHere(e *evidence) bool {
	want, ok := socketOf(e.way.Listen)
	if !ok {
		return false
	}
	for _, s := range e.tree.Servers() {
		for _, l := range s.Listen {
			if a, ok := socketOf(l); ok && ours(e, s.File) && a == want {
				return true
			}
		}
	}
	return false
}

// filesRead are the files that nginx's configuration consists of.
func filesRead(e *evidence) string {
	var names []string
	for _, f := range e.tree.Files() {
		names = append(names, f.Path)
	}
	if len(names) > 10 {
		names = append(names[:10], "…")
	}
	return "nginx reads " + strings.Join(names, " ")
}

// proxyProtocolIsWanted: a listener with proxy_protocol closes a connection that does not begin with its line.
func proxyProtocolIsWanted(_ context.Context, e *evidence) *Diagnosis {
	if e.treeErr != nil || silenceOf(e) == nil {
		return nil
	}
	for _, s := range e.tree.Sharing(e.address) {
		if l := s.Listen; l.ProxyProtocol {
			return diagnosis(ProxyProtocolWanted,
				fmt.Sprintf("the listener in %s:%d wants the PROXY protocol, which only a "+
					"load balancer in front of it speaks", l.File, l.Line),
				say("connect by way of the load balancer, or take proxy_protocol out of ").line(l.File,
					l.Line).say(thenReload),
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

func tlsIsWanted(_ context.Context, e *evidence) *Diagnosis {
	if !strings.Contains(seen(e).Body, saysPlain) || e.Target.TLS != nil {
		return nil
	}
	return diagnosis(TLSWanted, fmt.Sprintf("nginx speaks TLS on %s, and the URL has ws://", e.address),
		say("use ").name("wss"+strings.TrimPrefix(e.Target.String(), "ws")).say(" as the URL"), e.Err.Error())
}

func clientCertificateIsWanted(_ context.Context, e *evidence) *Diagnosis {
	body := seen(e).Body
	if !strings.Contains(body, saysCertificate) && !strings.Contains(body, saysBad) || e.Target.TLS == nil {
		return nil
	}
	cause, mend := "nginx wants a certificate of the client", say("have the client show one")
	if d := serverValue(e, "ssl_verify_client"); d != nil {
		cause += fmt.Sprintf(": ssl_verify_client %s in %s:%d", strings.Join(d.Args, " "), d.File, d.Line)
		mend = inFile(e, d.File, d.Line, mend.say(", or set ssl_verify_client off; in ").line(d.File, d.Line))
	}
	return diagnosis(ClientCertificateWanted, cause, mend, e.Err.Error())
}
