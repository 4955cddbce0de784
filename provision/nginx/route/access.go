package route

import (
	"net/netip"
	"strconv"
	"strings"

	"wsprovision/provision/nginx/conf"
	"wsprovision/provision/nginx/variable"
)

// preaccess are the limits, which may be reached.
func preaccess(w *walk) (phase, error) {
	for _, name := range []string{"limit_req", "limit_conn"} {
		limits := w.Levels.All(name)
		if len(limits) == 0 || w.Levels.On(name+"_dry_run", false) {
			continue
		}
		status := 503
		if d := w.Levels.Value(name + "_status"); d != nil {
			status, _ = strconv.Atoi(d.Args[0])
		}
		w.gated(limits[len(limits)-1], status, name+" is reached")
	}
	return access, nil
}

// ruling is what one of the rules of access says of a request.
type ruling struct {
	status int // 0: nothing, 200: it may pass, else it is refused
	sure   bool
	by     conf.Directive
	what   string
}

// access are the rules of who may pass, in nginx's order (ngx_http_core_access_phase). A subrequest passes.
func access(w *walk) (phase, error) {
	if w.At.Within != "" {
		return precontent, nil
	}
	any := w.Levels.Is("satisfy", "any")
	var denied *ruling
	for _, rule := range []func(*walk) (ruling, error){addresses, password, asked} {
		r, err := rule(w)
		switch {
		case err != nil:
			return nil, err
		case r.status == 0:
		case any && r.sure && r.status == 200:
			return precontent, nil
		case any && (r.status == 401 || r.status == 403):
			denied = worse(denied, r)
		case r.status != 200 && r.sure:
			return w.finish(r.status, r.by, r.what)
		case r.status != 200:
			w.gated(r.by, r.status, r.what)
		}
	}
	switch {
	case denied == nil:
	case denied.sure:
		return w.finish(denied.status, denied.by, denied.what)
	default:
		w.gated(denied.by, denied.status, denied.what)
	}
	return precontent, nil
}

// worse: 401 goes before 403, and one that may let the request pass makes the whole unsure.
func worse(before *ruling, r ruling) *ruling {
	if before == nil {
		return &r
	}
	r.sure = r.sure && before.sure
	if before.status == 401 || r.status != 401 {
		sure := r.sure
		r = *before
		r.sure = sure
	}
	return &r
}

// addresses are allow and deny: the first that has the client's address decides (ngx_http_access_handler).
func addresses(w *walk) (ruling, error) {
	client := w.ClientAddress()
	address, _ := netip.ParseAddr(client.Text)
	sure := true
	var refused *conf.Directive
	for _, d := range w.Levels.All("allow", "deny") {
		switch in, told := covers(joined(d.Args), address, client.Known); {
		case !told:
			if sure = false; d.Name == "deny" && refused == nil {
				refused = &d
			}
		case !in:
		case sure:
			return ruled(d, true), nil
		case d.Name == "deny" || refused != nil:
			if refused == nil {
				refused = &d
			}
			return ruled(*refused, false), nil
		default:
			return ruling{}, nil
		}
	}
	if refused != nil {
		return ruled(*refused, false), nil
	}
	return ruling{}, nil
}

func ruled(d conf.Directive, sure bool) ruling {
	r := ruling{status: 403, sure: sure, by: d, what: d.Name + " " + joined(d.Args)}
	if d.Name == "allow" {
		r.status = 200
	}
	return r
}

// covers reports whether a rule has an address, and whether that can be told.
func covers(rule string, address netip.Addr, given bool) (in, told bool) {
	if rule == "all" {
		return true, true
	}
	if rule == "unix:" {
		return false, true
	}
	prefix, err := netip.ParsePrefix(rule)
	if one, e := netip.ParseAddr(rule); e == nil {
		prefix, err = netip.PrefixFrom(one, one.BitLen()), nil
	}
	return err == nil && given && prefix.Masked().Contains(address), err == nil && given
}

// password is auth_basic. Without one in the request it asks for it; one that is given may be wrong.
func password(w *walk) (ruling, error) {
	d := w.Levels.Value("auth_basic")
	if d == nil || w.Levels.Value("auth_basic_user_file") == nil {
		return ruling{}, nil
	}
	realm := w.Value(d.Args[0])
	switch {
	case !realm.Known:
		return ruling{}, unfollowed(*d, "%s", realm.Why)
	case realm.Text == "off":
		return ruling{}, nil
	}
	r := ruling{status: 401, sure: !w.Request.Has("Authorization"), by: *d, what: "auth_basic"}
	return r, nil
}

// asked is auth_request: the answer to a request of nginx's own decides.
func asked(w *walk) (ruling, error) {
	d := w.Levels.Value("auth_request")
	if d == nil || len(d.Args) != 1 || d.Args[0] == "off" {
		return ruling{}, nil
	}
	if strings.ContainsAny(d.Args[0], "$?") {
		return ruling{}, unfollowed(*d, "such an auth_request is not followed")
	}
	sub := w.fork()
	sub.Values, sub.Groups = w.Values, nil // a subrequest shares the variables of its main request
	sub.At = variable.Address{Path: d.Args[0], Unparsed: w.At.Unparsed, Matched: true, Internal: true, Within: w.Method}
	sub.answer, sub.Method = answering{changes: mostChanges}, "GET"
	sub.depth = mostTurns // whatever turns it away is an answer of the three
	sub.Levels = w.Levels.Server()
	w.step(*d, "auth_request asks %s", d.Args[0])
	end := sub.run(serverRewrite)
	r := ruling{status: 401, by: *d, what: "auth_request " + d.Args[0]}
	if end.Unfollowed != nil {
		return r, end.Unfollowed
	}
	if end.Answer == nil {
		for _, status := range []int{403, 500} {
			w.gated(*d, status, r.what)
		}
		return r, nil
	}
	r.sure = true
	switch status := end.Answer.Status; {
	case status >= 200 && status < 300:
		r.status = 200
	case status == 401 || status == 403:
		r.status = status
	default:
		r.status = 500
	}
	return r, nil
}
