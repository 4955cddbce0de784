package variable

import (
	"slices"
	"strings"

	"wsprovision/provision/nginx/conf"
)

// part is a piece of a value of the configuration: text, a group of a regular expression, a variable, or the ? that
// begins the query.
type part struct {
	text     string
	group    int
	variable string
}

// parts is ngx_http_script_compile. False: nginx refuses it, or it is not understood.
func parts(text string) ([]part, bool) {
	var all []part
	for text != "" {
		dollar := strings.IndexByte(text, '$')
		if dollar != 0 {
			literal := text
			if dollar > 0 {
				literal = text[:dollar]
			}
			all, text = append(all, part{text: literal}), text[len(literal):]
			continue
		}
		p, length, ok := reference(text[1:])
		if !ok {
			return nil, false
		}
		all, text = append(all, p), text[1+length:]
	}
	return all, true
}

// HasGroups reports whether a text has groups of a regular expression in it.
func HasGroups(text string) bool {
	all, _ := parts(text)
	return slices.ContainsFunc(all, func(p part) bool { return p.group > 0 })
}

// reference reads what follows a $.
func reference(text string) (part, int, bool) {
	if text != "" && text[0] >= '1' && text[0] <= '9' {
		return part{group: int(text[0] - '0')}, 1, true
	}
	name, braces := text, 0
	if strings.HasPrefix(text, "{") {
		name, braces = text[1:], 2
	}
	end := 0
	for end < len(name) && IsWord(name[end]) {
		end++
	}
	if end == 0 || braces > 0 && !strings.HasPrefix(name[end:], "}") {
		return part{}, 0, false
	}
	return part{variable: strings.ToLower(name[:end])}, end + braces, true
}

// IsWord reports whether a byte may be part of a name.
func IsWord(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z'
}

// Value is what a text of the configuration becomes for the request (ngx_http_complex_value). Nginx measures it first
// and writes it then: a map that changes the groups between the two overruns the buffer, or is an error.
func (s *Scope) Value(text string) Value {
	all, ok := parts(text)
	if !ok {
		return s.GiveUp("%q is not understood", text)
	}
	before, grouped := s.Groups, false
	var out strings.Builder
	for _, p := range all {
		v := Known(p.text)
		switch {
		case p.group > 0:
			v, grouped = Known(group(s.Groups, p.group)), true
		case p.variable != "":
			v = s.Variable(p.variable)
		}
		if !v.Known {
			return v
		}
		if out.WriteString(v.Text); out.Len() > longest {
			return Unknown("%.20q becomes longer than is followed", text)
		}
	}
	if grouped && !SameGroups(before, s.Groups) {
		return s.GiveUp("%q has groups of a regular expression, and a map with another one", text)
	}
	return Known(out.String())
}

// SameGroups reports whether two are those of one match.
func SameGroups(a, b []string) bool { return len(a) == len(b) && (len(a) == 0 || &a[0] == &b[0]) }

func group(groups []string, n int) string {
	if n < len(groups) {
		return groups[n]
	}
	return ""
}

// Bounds of what maps of maps may cost; nginx itself stops at a hundred within one another (ngx_http_variable_depth).
const (
	mostMaps = 2000
	longest  = 1 << 16
)

// Variable is the value of a variable at this moment. Nginx keeps what it found once, but for those that change with
// the request.
func (s *Scope) Variable(name string) Value {
	if v, there := s.Values[name]; there {
		return v
	}
	d := s.defined[name]
	if d == nil {
		return builtin(s, name)
	}
	switch {
	case d.group && (d.table != nil || d.other != ""):
		return Unknown("$%s is made in two ways", name)
	case d.other != "":
		return Unknown("$%s is %s, which only nginx knows", name, d.other)
	case d.table == nil && !d.group && settable(name):
		return builtin(s, name) // until a set is come by
	case d.table == nil:
		return Known("") // of a set that was not come by, or of a group that did not match
	}
	if s.asked++; d.open > 0 || s.asked > mostMaps {
		return Unknown("the map of $%s leads to itself, or to too many others", name)
	}
	d.open++
	v := tableValue(s, *d.table)
	d.open--
	if len(conf.Named(d.table.Body, "volatile")) == 0 {
		s.Values[name] = v
	}
	return v
}

func tableValue(s *Scope, table conf.Directive) Value {
	if table.Name == "geo" {
		return located(s, table)
	}
	return mapValue(s, table)
}

// definition is where a configuration makes a variable.
type definition struct {
	table *conf.Directive // the map or geo; of several for one variable nginx uses the last
	other string          // anything else than map, geo, set and groups
	set   bool
	group bool
	open  int // while it is being asked for
}

type definitions map[string]*definition

// makers are the directives that make variables, and which of their arguments names one, from 0 or from the end.
var makers = map[string]int{"map": -1, "geo": -1, "split_clients": -1, "set": 0, "auth_request_set": 0, "perl_set": 0,
	"js_set": 0, "js_var": 0, "set_by_lua_file": 0, "geoip2": 0, "userid_name": 0}

// define finds the variables of a configuration, in the order of its statements.
func define(all definitions, body []conf.Directive) {
	for i := range body {
		d := &body[i]
		if at, makes := makers[d.Name]; makes && len(d.Args) > 0 {
			if at < 0 {
				at = len(d.Args) - 1
			}
			all.of(d.Args[at]).by(d)
		}
		for _, a := range d.Args {
			all.groups(a)
		}
		if d.Name == "map" || d.Name == "geo" {
			for _, entry := range d.Body {
				all.groups(entry.Name)
			}
			continue
		}
		define(all, d.Body)
	}
}

// settable are variables of nginx's own that set may change (ngx_http_variables_init, NGX_HTTP_VAR_WEAK).
func settable(name string) bool {
	for _, head := range []string{"http_", "arg_", "cookie_", "sent_http_", "upstream_", "limit_rate"} {
		if strings.HasPrefix(name, head) {
			return true
		}
	}
	return name == "args"
}

func (all definitions) of(name string) *definition {
	name = strings.ToLower(strings.TrimPrefix(name, "$"))
	if all[name] == nil {
		all[name] = &definition{}
	}
	return all[name]
}

func (one *definition) by(d *conf.Directive) {
	switch d.Name {
	case "map", "geo":
		one.table, one.other = d, ""
	case "set":
		one.set = true
	case "split_clients":
		one.table, one.other = nil, "of "+d.Name
	default:
		one.other = "of " + d.Name
	}
}

// groups are the names of groups, (?<name>…): a variable each, with nothing in it before the expression matches. Where
// a map has the name as well, the order of the two decides, and it is not followed.
func (all definitions) groups(text string) {
	for {
		_, rest, found := strings.Cut(text, "(?")
		if !found {
			return
		}
		text = rest
		rest = strings.TrimPrefix(rest, "P")
		if name, _, ok := strings.Cut(strings.TrimPrefix(rest, "<"), ">"); ok && rest[0] == '<' && name != "" &&
			IsWord(name[0]) {
			all.of(name).group = true
		}
	}
}
