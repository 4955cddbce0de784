package route

import (
	"cmp"
	"errors"
	"strings"

	"wsprovision/provision/nginx/conf"
	"wsprovision/provision/nginx/head"
)

// Host is what of the host a route may depend on.
type Host struct {
	// Look is OnDisk("") where it is nil.
	Look Look
	// Prefix is nginx's own, of which relative paths of root are parts; "" means /usr/share/nginx, as RHEL's packages
	// have it (nginx -V, --prefix).
	Prefix string
}

// Follow takes a request through a configuration as nginx would.
func Follow(tree conf.Tree, on Host, request Request) Route {
	sharing := tree.Sharing(request.To)
	if len(sharing) == 0 {
		return Route{End: End{Unfollowed: &Unfollowed{Why: "no server listens on " + request.To.String()}}}
	}
	s := &scene{request: request, look: on.Look, prefix: on.Prefix, http: tree.Section(), tree: tree,
		defined: definitions{}}
	if s.look == nil {
		s.look = OnDisk("")
	}
	if s.prefix == "" {
		s.prefix = "/usr/share/nginx"
	}
	define(s.defined, s.http)
	return s.follow(sharing)
}

func (s *scene) follow(sharing []conf.Sharer) Route {
	w := &walk{scene: s, values: map[string]Value{}}
	w.answer = answering{changes: mostChanges, method: s.request.method()}
	a := arrival{Sharer: defaultOf(sharing)}
	takeServer(w, a.Sharer)
	begin, err := a.arrive(w, sharing)
	if err != nil {
		begin = func(*walk) (phase, error) { return nil, err }
	}
	r := Route{Server: a.Server, Listen: a.Listen, ByName: a.byName, End: w.run(begin)}
	r.Location = w.levels.location()
	r.May = turns(nil, w.gates)
	return r
}

// mostEnds bounds the ends that may be.
const mostEnds = 100

func turns(all []End, gates []gate) []End {
	for _, g := range gates {
		if len(all) >= mostEnds {
			return append(all, End{Cause: &g.Cause, Unfollowed: &Unfollowed{g.Directive, "there are more ends"}})
		}
		e, further := g.end()
		all = turns(append(all, e), further)
	}
	return all
}

// end follows the request where the gate turns it away.
func (g gate) end() (End, []gate) {
	cause := g.Cause
	if cause.Status == 0 {
		return End{Steps: g.before.steps, Cause: &cause, Unfollowed: &Unfollowed{cause.Directive, cause.What}}, nil
	}
	e := g.before.run(func(w *walk) (phase, error) { return w.finish(cause.Status, cause.Directive, cause.What) })
	e.Cause = &cause
	return e, g.before.gates
}

// take makes a server the request's.
func takeServer(w *walk, chosen conf.Sharer) {
	w.server = chosen.Server
	block := conf.Directive{Name: "server", File: chosen.Server.File, Line: chosen.Server.Line, Block: true,
		Body: chosen.Server.Body}
	w.levels = levels{}.below(conf.Directive{Name: "http", Block: true, Body: w.http}, httpLevel).
		below(block, serverLevel)
}

// arrival is the server that takes a request.
type arrival struct {
	conf.Sharer
	byName bool
}

// arrive reads the request's head: it settles the server, which is the first step, and how the request begins.
func (a *arrival) arrive(w *walk, sharing []conf.Sharer) (phase, error) {
	standard := w.levels[0].block
	encrypted := speaksTLS(sharing, w.levels)
	w.tls = w.request.TLS && encrypted
	if err := plain(sharing, w.request, encrypted); err != nil {
		return nil, unfollowed(standard, "%v", err)
	}
	t, badTarget := head.ParseTarget(w.request.Target, w.levels.on("merge_slashes", true))
	w.at = address{path: t.Path, args: t.Args, unparsed: w.request.Target, whole: true, quoted: t.Quoted, plus: t.Plus,
		matched: true}
	if errors.Is(badTarget, head.ErrBadTarget) {
		return refuse(400, standard, "the target"), cmp.Or(readable(w.http), readable(standard.Body))
	}
	strange := wellFormed(w.request, w.levels)
	if head.Host(w.request.Host) == "" || len(w.request.values("Host")) != 1 {
		return nil, unfollowed(standard, "%v", strange)
	}
	var err error
	if a.Sharer, a.byName, err = chooseServer(w, sharing, a.Sharer); err != nil {
		return nil, err
	}
	takeServer(w, a.Sharer)
	own := w.levels[0].block
	w.step(own, "server %s", cmp.Or(strings.Join(w.server.Names, " "), "without a name"))
	if err := cmp.Or(badTarget, strange, sameSlashes(w, sharing)); err != nil {
		return nil, unfollowed(own, "%v", err)
	}
	if err := cmp.Or(readable(w.http), readable(own.Body)); err != nil {
		return nil, err
	}
	return beginning(w, encrypted)
}

// beginning is what comes before the server's own statements (ngx_http_process_request).
func beginning(w *walk, encrypted bool) (phase, error) {
	own := w.levels[0].block
	if encrypted && !w.request.TLS {
		return refuse(497, own, "a request without TLS on a port with TLS"), nil
	}
	if d := w.levels.value("ssl_verify_client"); w.tls && d != nil && !w.levels.is(d.Name, "off") {
		if sni := w.request.SNI; sni != "" && head.Host(sni) != head.Host(w.request.Host) {
			return nil, unfollowed(*d, "ssl_verify_client, and another name in the TLS handshake, are not followed")
		}
		switch on := w.levels.is(d.Name, "on"); {
		case on && !w.request.Certified:
			return refuse(496, *d, "ssl_verify_client on"), nil
		case w.request.Certified:
			w.gated(*d, 495, "ssl_verify_client refuses the certificate")
		}
	}
	if d := w.levels.value("ssl_reject_handshake"); w.tls && d != nil && !w.levels.is(d.Name, "off") {
		return nil, unfollowed(*d, "ssl_reject_handshake refuses TLS")
	}
	if m := w.request.method(); m == "TRACE" || m == "CONNECT" {
		return nil, unfollowed(own, "the method %s is not followed", m)
	}
	return serverRewrite, nil
}

func refuse(status int, d conf.Directive, what string) phase {
	return func(w *walk) (phase, error) { return w.finish(status, d, what) }
}

// sameSlashes: a target is read by the default server's merge_slashes or, with TLS, by that of the server with the name
// in the handshake (ngx_http_process_request_uri).
func sameSlashes(w *walk, sharing []conf.Sharer) error {
	merges := func(s conf.Sharer) bool {
		http := conf.Directive{Body: w.http}
		return levels{{conf.Directive{Body: s.Server.Body}, serverLevel}, {http, httpLevel}}.on("merge_slashes", true)
	}
	for _, s := range sharing {
		if w.tls && merges(s) != merges(sharing[0]) {
			return errors.New("merge_slashes is by the name in the TLS handshake")
		}
	}
	return nil
}
