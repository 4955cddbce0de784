package facts

import (
	"fmt"
	"strings"
	"time"

	"wsprovision/provision/nginx/conf"
	"wsprovision/provision/nginx/outcome"
)

// WayOf tells how the request was followed, and where that ended.
func WayOf(e *Evidence) (all []string) {
	if e.Way.Server == nil || e.TreeErr != nil {
		return nil
	}
	for _, s := range e.Way.End.Steps {
		all = append(all, s.String())
	}
	switch end := e.Way.End; {
	case end.Unfollowed != nil:
		all = append(all, "from there on it is not followed: "+end.Unfollowed.Error())
	case end.Pass != nil && len(end.Pass.Backends) > 0:
		all = append(all, fmt.Sprintf("passed to %s by %s:%d", end.Pass.Backends, end.Pass.Directive.File,
			end.Pass.Directive.Line))
	}
	return append(all, e.Asked.Told()...)
}

// Seen is the answer as it came.
func Seen(e *Evidence) outcome.Seen {
	status := StatusOf(e)
	if status == nil {
		return outcome.Seen{Status: 444}
	}
	return outcome.Seen{Status: status.Code, Location: status.Header.Get("Location"),
		Server: status.Header.Get("Server"),
		Body:   string(status.Body)}
}

// ServerValue is a directive of the server's level, or of http's.
func ServerValue(e *Evidence, name string) *conf.Directive {
	if e.Way.Server == nil {
		return nil
	}
	for _, level := range [][]conf.Directive{e.Way.Server.Body, e.Tree.Section()} {
		for i := range level {
			if level[i].Name == name {
				return &level[i]
			}
		}
	}
	return nil
}

// SentAs says what a backend gets in a field, and by which lines.
func SentAs(e *Evidence, f outcome.SentField) string {
	if f.Set == nil {
		return f.Name + " is not set, and nginx sends none, or its own"
	}
	text := fmt.Sprintf("%s becomes %q by proxy_set_header in %s:%d", f.Name, f.Value.Text, f.Set.File, f.Set.Line)
	for _, m := range mapsOf(e, f.Set.Args[len(f.Set.Args)-1]) {
		text += fmt.Sprintf("; map of %s in %s:%d", m.Args[1], m.File, m.Line)
	}
	return text
}

// PassedBy is the proxy_pass with its place.
func PassedBy(p *outcome.Pass) string {
	return fmt.Sprintf("%s in %s:%d", p.Directive.Name+" "+strings.Join(p.Directive.Args, " "), p.Directive.File,
		p.Directive.Line)
}

// mapsOf are the maps that define the variables of a value; of two of one variable nginx uses the later.
func mapsOf(e *Evidence, value string) (all []conf.Directive) {
	for _, d := range e.Tree.Section() {
		if d.Name == "map" && d.Block && len(d.Args) == 2 && strings.Contains(strings.ToLower(value),
			strings.ToLower(d.Args[1])) {
			all = append(all, d)
		}
	}
	return all
}

// Additions is where a proxy_set_header is added: beside those in force, which one at another level would hide.
func Additions(p *outcome.Pass) conf.Directive {
	for _, f := range p.Fields {
		if f.Set != nil {
			return *f.Set
		}
	}
	return p.Directive
}

// ReadTimeout is for how long a WebSocket may be silent, with the directive that says so; 60 s unless set.
func ReadTimeout(e *Evidence) (time.Duration, *conf.Directive) {
	p := Passed(e)
	if p == nil {
		return time.Minute, nil
	}
	d := e.Way.End.InForce("proxy_read_timeout")
	if d == nil {
		return time.Minute, nil
	}
	if span, ok := conf.ParseSpan(strings.Join(d.Args, "")); ok {
		return span, d
	}
	return time.Minute, d
}
