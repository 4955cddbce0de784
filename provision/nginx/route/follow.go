package route

import (
	"cmp"
	"errors"
	"strings"

	"wsprovision/provision/nginx/conf"
	"wsprovision/provision/nginx/files"
	"wsprovision/provision/nginx/head"
	"wsprovision/provision/nginx/outcome"
	"wsprovision/provision/nginx/variable"
)

// Host is what of the host a route may depend on.
type Host struct {
	// Look is OnDisk("") where it is nil.
	Look files.Look
	// Prefix is nginx's own, of which relative paths of root are parts; "" means /usr/share/nginx, as RHEL's packages
	// have it (nginx -V, --prefix).
	Prefix string
}

// Follow takes a request through a configuration as nginx would.
func Follow(tree conf.Tree, on Host, request head.Request) outcome.Route {
	sharing := tree.Sharing(request.To)
	if len(sharing) == 0 {
		return outcome.Route{End: outcome.End{Unfollowed: &outcome.Unfollowed{Why: "no server listens on " +
			request.To.String()}}}
	}
	w := &walk{Scope: variable.NewScope(request, tree.Section(), cmp.Or(on.Prefix, "/usr/share/nginx")), look: on.Look}
	if w.look == nil {
		w.look = files.OnDisk("")
	}
	return w.follow(sharing)
}

func (w *walk) follow(sharing []conf.Sharer) outcome.Route {
	w.answer.changes = mostChanges
	a := arrival{Sharer: defaultOf(sharing)}
	takeServer(w, a.Sharer)
	begin, err := a.arrive(w, sharing)
	if err != nil {
		begin = func(*walk) (phase, error) { return nil, err }
	}
	r := outcome.Route{Server: a.Server, Listen: a.Listen, ByName: a.byName, End: w.run(begin)}
	r.Location = w.Levels.Location()
	r.May = turns(nil, w.gates)
	return r
}

// mostEnds bounds the ends that may be.
const mostEnds = 100

func turns(all []outcome.End, gates []gate) []outcome.End {
	for _, g := range gates {
		if len(all) >= mostEnds {
			return append(all, outcome.End{Cause: &g.Cause,
				Unfollowed: &outcome.Unfollowed{Directive: g.Directive, Why: "there are more ends"}})
		}
		e, further := g.end()
		all = turns(append(all, e), further)
	}
	return all
}

// end follows the request where the gate turns it away.
func (g gate) end() (outcome.End, []gate) {
	cause := g.Cause
	if cause.Status == 0 {
		return outcome.End{Steps: g.before.steps, Cause: &cause,
			Unfollowed: &outcome.Unfollowed{Directive: cause.Directive, Why: cause.What}}, nil
	}
	e := g.before.run(func(w *walk) (phase, error) { return w.finish(cause.Status, cause.Directive, cause.What) })
	e.Cause = &cause
	return e, g.before.gates
}

// take makes a server the request's.
func takeServer(w *walk, chosen conf.Sharer) {
	w.Server = chosen.Server
	server := conf.Directive{Name: "server", File: chosen.Server.File, Line: chosen.Server.Line, Block: true,
		Body: chosen.Server.Body}
	w.Levels = conf.Levels{}.Below(conf.Directive{Name: "http", Block: true, Body: w.HTTP}, conf.HTTPBlock).
		Below(server, conf.ServerBlock)
}

// arrival is the server that takes a request.
type arrival struct {
	conf.Sharer
	byName bool
}

// arrive reads the request's head: it settles the server, which is the first step, and how the request begins.
func (a *arrival) arrive(w *walk, sharing []conf.Sharer) (phase, error) {
	standard := w.Levels[0].Block
	encrypted := speaksTLS(sharing, w.Levels)
	w.TLS = w.Request.TLS && encrypted
	if err := plain(sharing, w.Request, encrypted); err != nil {
		return nil, unfollowed(standard, "%v", err)
	}
	t, badTarget := head.ParseTarget(w.Request.Target, w.Levels.On("merge_slashes", true))
	w.At = variable.Address{Path: t.Path, Args: t.Args, Unparsed: w.Request.Target, Whole: true, Quoted: t.Quoted,
		Plus:    t.Plus,
		Matched: true}
	if errors.Is(badTarget, head.ErrBadTarget) {
		return refuse(400, standard, "the target"), cmp.Or(readable(w.HTTP), readable(standard.Body))
	}
	strange := wellFormed(w.Request, w.Levels)
	if head.Host(w.Request.Host) == "" || len(w.Request.Values("Host")) != 1 {
		return nil, unfollowed(standard, "%v", strange)
	}
	var err error
	if a.Sharer, a.byName, err = chooseServer(w, sharing, a.Sharer); err != nil {
		return nil, err
	}
	takeServer(w, a.Sharer)
	own := w.Levels[0].Block
	w.step(own, "server %s", cmp.Or(strings.Join(w.Server.Names, " "), "without a name"))
	if err := cmp.Or(badTarget, strange, sameSlashes(w, sharing)); err != nil {
		return nil, unfollowed(own, "%v", err)
	}
	if err := cmp.Or(readable(w.HTTP), readable(own.Body)); err != nil {
		return nil, err
	}
	return beginning(w, encrypted)
}

// beginning is what comes before the server's own statements (ngx_http_process_request).
func beginning(w *walk, encrypted bool) (phase, error) {
	own := w.Levels[0].Block
	if encrypted && !w.Request.TLS {
		return refuse(497, own, "a request without TLS on a port with TLS"), nil
	}
	if d := w.Levels.Value("ssl_verify_client"); w.TLS && d != nil && !w.Levels.Is(d.Name, "off") {
		if sni := w.Request.SNI; sni != "" && head.Host(sni) != head.Host(w.Request.Host) {
			return nil, unfollowed(*d, "ssl_verify_client, and another name in the TLS handshake, are not followed")
		}
		switch on := w.Levels.Is(d.Name, "on"); {
		case on && !w.Request.Certified:
			return refuse(496, *d, "ssl_verify_client on"), nil
		case w.Request.Certified:
			w.gated(*d, 495, "ssl_verify_client refuses the certificate")
		}
	}
	if d := w.Levels.Value("ssl_reject_handshake"); w.TLS && d != nil && !w.Levels.Is(d.Name, "off") {
		return nil, unfollowed(*d, "ssl_reject_handshake refuses TLS")
	}
	if m := w.Request.Verb(); m == "TRACE" || m == "CONNECT" {
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
		around := conf.Levels{}.Below(conf.Directive{Body: w.HTTP}, conf.HTTPBlock)
		return around.Below(conf.Directive{Body: s.Server.Body}, conf.ServerBlock).On("merge_slashes", true)
	}
	for _, s := range sharing {
		if w.TLS && merges(s) != merges(sharing[0]) {
			return errors.New("merge_slashes is by the name in the TLS handshake")
		}
	}
	return nil
}
