package diagnose

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strings"

	"wsprovision/provision/nginx"
	"wsprovision/provision/nginx/route"
)

// needed is a field that a backend has to get for a WebSocket (RFC 6455, section 4.1), and how nginx is told to send
// it.
type needed struct {
	name, value string // value is a token of it; "" is any
	set         words
}

func neededFields() []needed {
	return []needed{
		{"Upgrade", "websocket", "proxy_set_header Upgrade $http_upgrade;"},
		{"Connection", "upgrade", `proxy_set_header Connection "upgrade";`},
		{"Sec-WebSocket-Key", "", "proxy_set_header Sec-WebSocket-Key $http_sec_websocket_key;"},
		{"Sec-WebSocket-Version", "", "proxy_set_header Sec-WebSocket-Version $http_sec_websocket_version;"},
	}
}

func (n needed) lacks(f route.SentField) bool {
	return f.Value.Known && (f.Value.Text == "" || n.value != "" && !hasToken(f.Value.Text, n.value))
}

// hasToken reports whether a list of tokens has one, in any case (RFC 9110, section 5.6.1).
func hasToken(list, token string) bool {
	return slices.ContainsFunc(strings.Split(list, ","), func(each string) bool {
		return strings.EqualFold(strings.TrimSpace(each), token)
	})
}

// upgradeIsNotPassedOn: hop-by-hop fields are not passed on unless nginx is told to.
func upgradeIsNotPassedOn(ctx context.Context, e *evidence) *Diagnosis {
	p := passed(e)
	if p == nil || nginxFailed(e) || len(p.Backends) > 0 && accepting(ctx, e, true) == "" &&
		accepting(ctx, e, false) == "" {
		return nil
	}
	var missing []needed
	for _, n := range neededFields() {
		if n.lacks(p.Field(n.name)) {
			missing = append(missing, n)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	return notPassedOn(e, p, missing)
}

func notPassedOn(e *evidence, p *route.Pass, missing []needed) *Diagnosis {
	var names, evidence []string
	for _, n := range missing {
		names = append(names, n.name)
		evidence = append(evidence, sentAs(e, p.Field(n.name)))
	}
	cause := "nginx does not pass on " + strings.Join(names, " and ") +
		", which belong to one hop only unless they are set"
	if len(missing) == 1 {
		cause = "nginx does not pass on " + names[0] + ", which belongs to one hop only unless it is set"
	}
	old := p.Version != "1.1"
	if old {
		cause += "; nor does it speak HTTP/1.1 to the backend"
	}
	evidence = append(evidence, e.Err.Error())
	return diagnosis(UpgradeHeaderMissing, cause, setFields(e, p, missing, old), append(evidence, wayOf(e)...)...)
}

func passedBy(p *route.Pass) string {
	return fmt.Sprintf("%s in %s:%d", p.Directive.Name+" "+strings.Join(p.Directive.Args, " "), p.Directive.File,
		p.Directive.Line)
}

// sentAs says what a backend gets in a field, and by which lines.
func sentAs(e *evidence, f route.SentField) string {
	if f.Set == nil {
		return f.Name + " is not set, and nginx sends none, or its own"
	}
	text := fmt.Sprintf("%s becomes %q by proxy_set_header in %s:%d", f.Name, f.Value.Text, f.Set.File, f.Set.Line)
	for _, m := range mapsOf(e, f.Set.Args[len(f.Set.Args)-1]) {
		text += fmt.Sprintf("; map of %s in %s:%d", m.Args[1], m.File, m.Line)
	}
	return text
}

// mapsOf are the maps that define the variables of a value; of two of one variable nginx uses the later.
func mapsOf(e *evidence, value string) (all []nginx.Directive) {
	for _, d := range e.tree.Section() {
		if d.Name == "map" && d.Block && len(d.Args) == 2 && strings.Contains(strings.ToLower(value),
			strings.ToLower(d.Args[1])) {
			all = append(all, d)
		}
	}
	return all
}

// setFields is how the fields are set: what sets one wrongly is replaced, what is not there is added.
func setFields(e *evidence, p *route.Pass, missing []needed, old bool) Mend {
	place := additions(p)
	var mends []Mend
	add := say("add")
	adds := false
	for _, n := range missing {
		switch f := p.Field(n.name); {
		case f.Set != nil:
			mends = append(mends, replaceLine(*f.Set, n.set))
		case off(e, "proxy_pass_request_headers") != nil:
			d := off(e, "proxy_pass_request_headers")
			mends = append(mends, say("take out proxy_pass_request_headers off; in ").line(d.File, d.Line))
		default:
			add, adds = add.say(" ").say(n.set), true
		}
	}
	if old {
		if d := e.way.End.InForce("proxy_http_version"); d != nil {
			mends = append(mends, replaceLine(*d, "proxy_http_version 1.1;"))
		} else {
			add, adds = add.say(" proxy_http_version 1.1;"), true
		}
	}
	if adds {
		mends = append(mends, add.say(" in ").line(place.File, place.Line))
	}
	return inFile(e, place.File, place.Line, together(mends))
}

// additions is where a proxy_set_header is added: beside those in force, which one at another level would hide.
func additions(p *route.Pass) nginx.Directive {
	for _, f := range p.Fields {
		if f.Set != nil {
			return *f.Set
		}
	}
	return p.Directive
}

func replaceLine(d nginx.Directive, by words) Mend {
	return say("replace ").name(written(d)).say(" in ").line(d.File, d.Line).
		say(" by ").say(by)
}

// written is a directive as nginx would read it.
func written(d nginx.Directive) string {
	text := d.Name
	for _, a := range d.Args {
		if a == "" || strings.ContainsAny(a, " ;{}") {
			a = `"` + a + `"`
		}
		text += " " + a
	}
	return text + ";"
}

func together(mends []Mend) Mend {
	var all Mend
	for i, m := range mends {
		if slices.ContainsFunc(mends[:i], func(o Mend) bool { return o == m }) {
			continue
		}
		if i > 0 {
			all = all.say(", and ")
		}
		all = all.join(m)
	}
	return all
}

// inFile is a mend that says its own places; the agent's own file is the agent's to write.
func inFile(e *evidence, file string, line int, what Mend) Mend {
	if ours(e, file) {
		if asConfigured(e, file) || !hasOthersLines(e, file) {
			return edit(e, file, line, what)
		}
	}
	return what.say(thenReload)
}

// off is the directive in force, where it says off.
func off(e *evidence, name string) *nginx.Directive {
	d := e.way.End.InForce(name)
	if d == nil || len(d.Args) != 1 || d.Args[0] != "off" {
		return nil
	}
	return d
}

// httpIsOld: a WebSocket handshake is HTTP/1.1.
func httpIsOld(ctx context.Context, e *evidence) *Diagnosis {
	p := passed(e)
	if p == nil || p.Version != "1.0" || nginxFailed(e) || len(p.Backends) > 0 && accepting(ctx, e, false) == "" {
		return nil
	}
	mend := say("add proxy_http_version 1.1;").say(" in ").line(p.Directive.File, p.Directive.Line)
	if d := e.way.End.InForce("proxy_http_version"); d != nil {
		mend = replaceLine(*d, "proxy_http_version 1.1;")
	}
	return diagnosis(UpstreamHTTP10, "nginx speaks HTTP/1.0 to the backend, and a WebSocket handshake is HTTP/1.1",
		inFile(e, p.Directive.File, p.Directive.Line, mend), append([]string{e.Err.Error(), passedBy(p)},
			e.asked.told()...)...)
}

// pathIsChanged: the backend has a WebSocket where the client asked, and nginx asks it for another path.
func pathIsChanged(ctx context.Context, e *evidence) *Diagnosis {
	p := passed(e)
	if p == nil || nginxFailed(e) || !p.Target.Known || p.Target.Text == pathSent(e) || accepting(ctx, e, false) != "" {
		return nil
	}
	backend := accepting(ctx, e, true)
	if backend == "" {
		return nil
	}
	if d := rewriteOf(e); d != nil {
		return diagnosis(PathRewritten, fmt.Sprintf("a rewrite has nginx ask the backend for %s in place of %s",
			p.Target.Text,
			pathSent(e)), inFile(e, d.File, d.Line, say("take the rewrite out of ").line(d.File, d.Line)),
			append(wayOf(e), e.Err.Error())...)
	}
	uri := uriOf(p)
	if uri == "" {
		return nil
	}
	return diagnosis(ProxyPassSlash,
		fmt.Sprintf("proxy_pass has a path of its own (%s), so that nginx asks the backend for %s in place of %s", uri,
			p.Target.Text, pathSent(e)),
		inFile(e, p.Directive.File, p.Directive.Line, say("take the ").name(uri).
			say(" after the port out of proxy_pass in ").line(p.Directive.File, p.Directive.Line)),
		append([]string{e.Err.Error(), passedBy(p)}, e.asked.told()...)...)
}

func rewriteOf(e *evidence) *route.Step {
	for i, s := range e.way.End.Steps {
		if strings.HasPrefix(s.What, "rewrite ") {
			return &e.way.End.Steps[i]
		}
	}
	return nil
}

// uriOf is what follows the backend in proxy_pass.
func uriOf(p *route.Pass) string {
	_, rest, ok := strings.Cut(p.Directive.Args[0], "://")
	slash := strings.IndexByte(rest, '/')
	if !ok || slash < 0 || strings.HasPrefix(rest, "unix:") || strings.Contains(rest, "$") {
		return ""
	}
	return rest[slash:]
}

// hostIsChanged: the backend takes the handshake with another Host only.
func hostIsChanged(ctx context.Context, e *evidence) *Diagnosis {
	p := passed(e)
	if p == nil {
		return nil
	}
	for _, b := range backends(e) {
		sent := asNginx(e, b)
		if !sameAnswer(e, shake(ctx, e, sent)) {
			continue
		}
		sends := p.Field("Host")
		if shake(ctx, e, asNginx(e, b, "Host")) == nil {
			return hostDiffers(e, p, sends, b)
		}
		for _, name := range ownNames(p, b) {
			own := sent
			own.Host = name
			if shake(ctx, e, own) == nil {
				return diagnosis(HostRefused, fmt.Sprintf("the backend %s refuses the Host %s, and takes %s", b,
					sent.Host, name),
					setHost(e, p, sends, name), append([]string{e.Err.Error(), sentAs(e, sends)}, e.asked.told()...)...)
			}
		}
	}
	return nil
}

// hostDiffers: with the client's own Host it would go through.
func hostDiffers(e *evidence, p *route.Pass, sends route.SentField, backend string) *Diagnosis {
	evidence := append([]string{e.Err.Error(), sentAs(e, sends)}, e.asked.told()...)
	mend := setHost(e, p, sends, "$http_host")
	if statusOf(e).Code == 403 && e.Target.Origin != "" {
		return diagnosis(OriginRefused,
			fmt.Sprintf("the backend %s refuses the Origin %s (403), because it compares it "+
				"with Host, which nginx sets to %s", backend, e.Target.Origin, sends.Value.Text), mend, evidence...)
	}
	return diagnosis(HostRefused, fmt.Sprintf("the backend %s refuses the Host %s, which nginx sends in place of %s",
		backend, sends.Value.Text, hostSent(e)), mend, evidence...)
}

// setHost is a proxy_set_header of Host. A value of the backend's own is quoted.
func setHost(e *evidence, p *route.Pass, sends route.SentField, name string) Mend {
	place := additions(p)
	var what Mend
	if sends.Set != nil {
		place = *sends.Set
		what = say("replace ").name(written(place)).say(" in ").
			line(place.File, place.Line).say(" by ")
	} else {
		what = say("add ")
	}
	if name == "$http_host" {
		what = what.say("proxy_set_header Host $http_host;")
	} else {
		what = what.say("proxy_set_header Host ").name(name).say(";")
	}
	if sends.Set == nil {
		what = what.say(" in ").line(place.File, place.Line)
	}
	return inFile(e, place.File, place.Line, what)
}

// ownNames are those by which a backend may know itself.
func ownNames(p *route.Pass, backend string) []string {
	_, port, err := net.SplitHostPort(backend)
	if err != nil {
		return nil
	}
	return []string{"localhost:" + port, backend, "localhost"}
}

// fieldIsRefused: the backend takes the handshake as the client makes it, but for one field that nginx sets, changes or
// leaves out.
func fieldIsRefused(ctx context.Context, e *evidence) *Diagnosis {
	p := passed(e)
	if p == nil {
		return nil
	}
	for _, b := range backends(e) {
		if !sameAnswer(e, shake(ctx, e, asNginx(e, b))) {
			continue
		}
		for _, name := range changedFields(e) {
			if strings.EqualFold(name, "Host") || shake(ctx, e, asNginx(e, b, name)) != nil {
				continue
			}
			return fieldDiffers(e, p.Field(name), clientsField(e, name), b)
		}
	}
	return nil
}

func fieldDiffers(e *evidence, f route.SentField, clients, backend string) *Diagnosis {
	cause := fmt.Sprintf("the backend %s refuses the field %s that nginx sets (%d)", backend, f.Name, statusOf(e).Code)
	if f.Value.Text == "" {
		cause = fmt.Sprintf("the backend %s wants the field %s, which the client sends and nginx leaves out (%d)",
			backend,
			f.Name, statusOf(e).Code)
	}
	evidence := append([]string{e.Err.Error(), sentAs(e, f)}, e.asked.told()...)
	if f.Set == nil {
		return diagnosis(FieldRefused, cause, say("have the backend take it"), evidence...)
	}
	return diagnosis(FieldRefused, cause, inFile(e, f.Set.File, f.Set.Line, say("take out ").
		name(written(*f.Set)).say(" in ").line(f.Set.File, f.Set.Line).
		say(", or have the backend take it")), evidence...)
}
