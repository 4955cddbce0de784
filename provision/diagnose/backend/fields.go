package backend

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strings"

	"wsprovision/provision/diagnose/cause"
	"wsprovision/provision/diagnose/facts"
	"wsprovision/provision/nginx/conf"
	"wsprovision/provision/nginx/outcome"
)

// needed is a field that a backend has to get for a WebSocket (RFC 6455, section 4.1), and how nginx is told to send
// it.
type needed struct {
	name, value string // value is a token of it; "" is any
	set         cause.Words
}

func neededFields() []needed {
	return []needed{
		{"Upgrade", "websocket", "proxy_set_header Upgrade $http_upgrade;"},
		{"Connection", "upgrade", `proxy_set_header Connection "upgrade";`},
		{"Sec-WebSocket-Key", "", "proxy_set_header Sec-WebSocket-Key $http_sec_websocket_key;"},
		{"Sec-WebSocket-Version", "", "proxy_set_header Sec-WebSocket-Version $http_sec_websocket_version;"},
	}
}

func (n needed) lacks(f outcome.SentField) bool {
	return f.Value.Known && (f.Value.Text == "" || n.value != "" && !hasToken(f.Value.Text, n.value))
}

// hasToken reports whether a list of tokens has one, in any case (RFC 9110, section 5.6.1).
func hasToken(list, token string) bool {
	return slices.ContainsFunc(strings.Split(list, ","), func(each string) bool {
		return strings.EqualFold(strings.TrimSpace(each), token)
	})
}

// UpgradeIsNotPassedOn: hop-by-hop fields are not passed on unless nginx is told to.
func UpgradeIsNotPassedOn(ctx context.Context, e *facts.Evidence) *cause.Diagnosis {
	p := facts.Passed(e)
	if p == nil || facts.NginxFailed(e) || len(p.Backends) > 0 && facts.Accepting(ctx, e, true) == "" &&
		facts.Accepting(ctx, e, false) == "" {
		return nil
	}
	missing := missingOf(p)
	if len(missing) == 0 {
		return nil
	}
	return notPassedOn(e, p, missing)
}

// missingOf are the fields that a backend does not get.
func missingOf(p *outcome.Pass) (missing []needed) {
	for _, n := range neededFields() {
		if n.lacks(p.Field(n.name)) {
			missing = append(missing, n)
		}
	}
	return missing
}

// NotJudged are the fields of a handshake whose value only nginx knows.
func NotJudged(e *facts.Evidence) (all []string) {
	p := facts.Passed(e)
	if p == nil {
		return nil
	}
	for _, n := range neededFields() {
		if f := p.Field(n.name); f.Set != nil && !f.Value.Known {
			all = append(all, fmt.Sprintf("what %s becomes by %s in %s:%d was not found out", n.name,
				facts.Written(*f.Set), f.Set.File, f.Set.Line))
		}
	}
	return all
}

// before are the listeners of this nginx before this one that do not pass on a WebSocket either: mended alone, each
// would give another failure.
func before(e *facts.Evidence) (all []*facts.Evidence) {
	for o := e.Outer; o != nil; o = o.Outer {
		if p := facts.Passed(o); p != nil && (len(missingOf(p)) > 0 || p.Version == "1.0") {
			all = append(all, o)
		}
	}
	return all
}

// LackingBefore says so.
func LackingBefore(e *facts.Evidence) (all []string) {
	for _, o := range before(e) {
		all = append(all, "there is a second cause before it: no WebSocket is passed on either by "+
			facts.PassedBy(facts.Passed(o)))
	}
	return all
}

// andBefore mends those, too.
func andBefore(e *facts.Evidence, mend cause.Mend) cause.Mend {
	for _, o := range before(e) {
		p := facts.Passed(o)
		mend = mend.Say("; and ").Join(setFields(o, p, missingOf(p), p.Version == "1.0"))
	}
	return mend
}

func notPassedOn(e *facts.Evidence, p *outcome.Pass, missing []needed) *cause.Diagnosis {
	var names, evidence []string
	for _, n := range missing {
		names = append(names, n.name)
		evidence = append(evidence, facts.SentAs(e, p.Field(n.name)))
	}
	why := "nginx does not pass on " + strings.Join(names, " and ") +
		", which belong to one hop only unless they are set"
	if len(missing) == 1 {
		why = "nginx does not pass on " + names[0] + ", which belongs to one hop only unless it is set"
	}
	old := p.Version != "1.1"
	if old {
		why += "; nor does it speak HTTP/1.1 to the backend"
	}
	evidence = append(evidence, e.Err.Error())
	return cause.New(cause.UpgradeHeaderMissing, why, andBefore(e, setFields(e, p, missing, old)),
		append(append(evidence, LackingBefore(e)...), facts.WayOf(e)...)...)
}

// setFields is how the fields are set: what sets one wrongly is replaced, what is not there is added.
func setFields(e *facts.Evidence, p *outcome.Pass, missing []needed, old bool) cause.Mend {
	place := facts.Additions(p)
	var mends []cause.Mend
	add := cause.Say("add")
	adds := false
	for _, n := range missing {
		switch f := p.Field(n.name); {
		case f.Set != nil:
			mends = append(mends, facts.ReplaceLine(*f.Set, n.set))
		case off(e, "proxy_pass_request_headers") != nil:
			d := off(e, "proxy_pass_request_headers")
			mends = append(mends, cause.Say("take out proxy_pass_request_headers off; in ").Line(d.File, d.Line))
		default:
			add, adds = add.Say(" ").Say(n.set), true
		}
	}
	if old {
		if d := e.Way.End.InForce("proxy_http_version"); d != nil {
			mends = append(mends, facts.ReplaceLine(*d, "proxy_http_version 1.1;"))
		} else {
			add, adds = add.Say(" proxy_http_version 1.1;"), true
		}
	}
	if adds {
		mends = append(mends, add.Say(" in ").Line(place.File, place.Line))
	}
	return facts.InFile(e, place.File, place.Line, together(mends))
}

func together(mends []cause.Mend) cause.Mend {
	var all cause.Mend
	for i, m := range mends {
		if slices.ContainsFunc(mends[:i], func(o cause.Mend) bool { return o == m }) {
			continue
		}
		if i > 0 {
			all = all.Say(", and ")
		}
		all = all.Join(m)
	}
	return all
}

// off is the directive in force, where it says off.
func off(e *facts.Evidence, name string) *conf.Directive {
	d := e.Way.End.InForce(name)
	if d == nil || len(d.Args) != 1 || d.Args[0] != "off" {
		return nil
	}
	return d
}

// HttpIsOld: a WebSocket handshake is HTTP/1.1.
func HttpIsOld(ctx context.Context, e *facts.Evidence) *cause.Diagnosis {
	p := facts.Passed(e)
	if p == nil || p.Version != "1.0" || facts.NginxFailed(e) || len(p.Backends) > 0 &&
		facts.Accepting(ctx, e, false) == "" {
		return nil
	}
	mend := cause.Say("add proxy_http_version 1.1;").Say(" in ").Line(p.Directive.File, p.Directive.Line)
	if d := e.Way.End.InForce("proxy_http_version"); d != nil {
		mend = facts.ReplaceLine(*d, "proxy_http_version 1.1;")
	}
	mend = andBefore(e, facts.InFile(e, p.Directive.File, p.Directive.Line, mend))
	return cause.New(cause.UpstreamHTTP10,
		"nginx speaks HTTP/1.0 to the backend, and a WebSocket handshake is HTTP/1.1", mend,
		append(append([]string{e.Err.Error(), facts.PassedBy(p)}, LackingBefore(e)...), e.Asked.Told()...)...)
}

// HostIsChanged: the backend takes the handshake with another Host only.
func HostIsChanged(ctx context.Context, e *facts.Evidence) *cause.Diagnosis {
	p := facts.Passed(e)
	if p == nil {
		return nil
	}
	for _, b := range facts.Backends(e) {
		sent := facts.AsNginx(e, b)
		if !facts.SameAnswer(e, facts.Shake(ctx, e, sent)) {
			continue
		}
		sends := p.Field("Host")
		if facts.Shake(ctx, e, facts.AsNginx(e, b, "Host")) == nil {
			return hostDiffers(e, p, sends, b)
		}
		for _, name := range ownNames(p, b) {
			own := sent
			own.Host = name
			if facts.Shake(ctx, e, own) == nil {
				return cause.New(cause.HostRefused, fmt.Sprintf("the backend %s refuses the Host %s, and takes %s", b,
					sent.Host, name),
					setHost(e, p, sends, name),
					append([]string{e.Err.Error(), facts.SentAs(e, sends)}, e.Asked.Told()...)...)
			}
		}
	}
	return nil
}

// hostDiffers: with the client's own Host it would go through.
func hostDiffers(e *facts.Evidence, p *outcome.Pass, sends outcome.SentField, backend string) *cause.Diagnosis {
	evidence := append([]string{e.Err.Error(), facts.SentAs(e, sends)}, e.Asked.Told()...)
	mend := setHost(e, p, sends, "$http_host")
	if facts.StatusOf(e).Code == 403 && e.Target.Origin != "" {
		return cause.New(cause.OriginRefused,
			fmt.Sprintf("the backend %s refuses the Origin %s (403), because it compares it with Host, which nginx "+
				"sets to %s", backend, e.Target.Origin, sends.Value.Text), mend, evidence...)
	}
	why := fmt.Sprintf("the backend %s refuses the Host %s, which nginx sends in place of %s", backend,
		sends.Value.Text, facts.HostSent(e))
	if sends.Value.Text == "" {
		why = fmt.Sprintf("the backend %s wants a Host, which the client sends and nginx leaves out (%d)", backend,
			facts.StatusOf(e).Code)
	}
	return cause.New(cause.HostRefused, why, mend, evidence...)
}

// setHost is a proxy_set_header of Host. A value of the backend's own is quoted.
func setHost(e *facts.Evidence, p *outcome.Pass, sends outcome.SentField, name string) cause.Mend {
	place := facts.Additions(p)
	var what cause.Mend
	if sends.Set != nil {
		place = *sends.Set
		what = cause.Say("replace ").Name(facts.Written(place)).Say(" in ").
			Line(place.File, place.Line).Say(" by ")
	} else {
		what = cause.Say("add ")
	}
	if name == "$http_host" {
		what = what.Say("proxy_set_header Host $http_host;")
	} else {
		what = what.Say("proxy_set_header Host ").Name(name).Say(";")
	}
	if sends.Set == nil {
		what = what.Say(" in ").Line(place.File, place.Line)
	}
	return facts.InFile(e, place.File, place.Line, what)
}

// ownNames are those by which a backend may know itself.
func ownNames(p *outcome.Pass, backend string) []string {
	_, port, err := net.SplitHostPort(backend)
	if err != nil {
		return nil
	}
	return []string{"localhost:" + port, backend, "localhost"}
}

// FieldIsRefused: the backend takes the handshake as the client makes it, but for one field that nginx sets, changes or
// leaves out.
func FieldIsRefused(ctx context.Context, e *facts.Evidence) *cause.Diagnosis {
	p := facts.Passed(e)
	if p == nil {
		return nil
	}
	for _, b := range facts.Backends(e) {
		if !facts.SameAnswer(e, facts.Shake(ctx, e, facts.AsNginx(e, b))) {
			continue
		}
		for _, name := range facts.ChangedFields(e) {
			if strings.EqualFold(name, "Host") || facts.Shake(ctx, e, facts.AsNginx(e, b, name)) != nil {
				continue
			}
			return fieldDiffers(e, p.Field(name), facts.ClientsField(e, name), b)
		}
		if d := fieldsDiffer(ctx, e, p, b); d != nil {
			return d
		}
	}
	return nil
}

// fieldsDiffer: each of several fields is enough for the backend to refuse, so that leaving out one of them does not
// do.
func fieldsDiffer(ctx context.Context, e *facts.Evidence, p *outcome.Pass, backend string) *cause.Diagnosis {
	changed := facts.ChangedFields(e)
	if len(changed) < 2 || facts.Shake(ctx, e, facts.AsNginx(e, backend, changed...)) != nil {
		return nil
	}
	var names []string
	var mends []cause.Mend
	for i, name := range changed {
		f := p.Field(name)
		others := slices.Concat(changed[:i], changed[i+1:])
		if f.Set == nil || facts.Shake(ctx, e, facts.AsNginx(e, backend, others...)) == nil {
			continue
		}
		names = append(names, f.Name)
		mends = append(mends, cause.Say("take out ").Name(facts.Written(*f.Set)).Say(" in ").Line(f.Set.File,
			f.Set.Line))
	}
	if len(names) < 2 {
		return nil
	}
	place := p.Field(names[0]).Set
	return cause.New(cause.FieldRefused,
		fmt.Sprintf("the backend %s refuses each of the fields %s that nginx sets (%d)",
			backend, strings.Join(names, " and "), facts.StatusOf(e).Code),
		facts.InFile(e, place.File, place.Line, together(mends).Say(", or have the backend take them")),
		append([]string{e.Err.Error()}, e.Asked.Told()...)...)
}

func fieldDiffers(e *facts.Evidence, f outcome.SentField, clients, backend string) *cause.Diagnosis {
	why := fmt.Sprintf("the backend %s refuses the field %s that nginx sets (%d)", backend, f.Name,
		facts.StatusOf(e).Code)
	if f.Value.Text == "" {
		why = fmt.Sprintf("the backend %s wants the field %s, which the client sends and nginx leaves out (%d)",
			backend,
			f.Name, facts.StatusOf(e).Code)
	}
	evidence := append([]string{e.Err.Error(), facts.SentAs(e, f)}, e.Asked.Told()...)
	if f.Set == nil && strings.Contains(f.Name, "_") && e.Way.Server != nil {
		s := e.Way.Server
		return cause.New(cause.FieldRefused, why+": nginx drops fields with an underscore in the name",
			facts.InFile(e, s.File, s.Line, cause.Say("add underscores_in_headers on; to the server block in ").
				Line(s.File, s.Line)), evidence...)
	}
	if f.Set == nil {
		return cause.New(cause.FieldRefused, why, cause.Say("have the backend take it"), evidence...)
	}
	return cause.New(cause.FieldRefused, why, facts.InFile(e, f.Set.File, f.Set.Line, cause.Say("take out ").
		Name(facts.Written(*f.Set)).Say(" in ").Line(f.Set.File, f.Set.Line).
		Say(", or have the backend take it")), evidence...)
}
