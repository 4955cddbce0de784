package nginx

import (
	"regexp"
	"strings"
)

// InHandshake is what a value becomes in the request of a WebSocket handshake: through the maps of the configuration,
// from Upgrade and Connection as the client sends them. False: it has a variable that only nginx knows.
func (t Tree) InHandshake(value string) (string, bool) { return t.expand(value, deepestMap) }

// deepestMap bounds maps that lead to maps; nginx itself stops at one that leads to itself.
const deepestMap = 20

var variable = regexp.MustCompile(`\$(\{\w+\}|\w+)`)

func (t Tree) expand(value string, depth int) (string, bool) {
	known := true
	text := variable.ReplaceAllStringFunc(value, func(v string) string {
		became, ok := t.variable(strings.ToLower(strings.Trim(v, "${}")), depth)
		known = known && ok
		return became
	})
	return text, known
}

func (t Tree) variable(name string, depth int) (string, bool) {
	switch {
	case name == "http_upgrade":
		return "websocket", true
	case name == "http_connection":
		return "Upgrade", true
	case depth == 0:
		return "", false
	}
	m := t.mapOf("$" + name)
	if m == nil {
		return "", false
	}
	source, ok := t.expand(m.Args[0], depth-1)
	if !ok {
		return "", false
	}
	chosen, ok := pick(m.Body, source)
	if !ok {
		return "", false
	}
	return t.expand(chosen, depth-1)
}

// mapOf is the map that defines the variable; of two nginx uses the later.
func (t Tree) mapOf(name string) *Directive {
	var last *Directive
	for _, d := range t.http() {
		if d.Name == "map" && d.Block && len(d.Args) == 2 && strings.EqualFold(d.Args[1], name) {
			last = &d
		}
	}
	return last
}

// pick chooses an entry as ngx_http_map_find does: the word itself without case, else the first regular expression,
// else the default. False: it cannot be told.
func pick(entries []Directive, source string) (string, bool) {
	standard, matched := "", (*string)(nil)
	for _, e := range entries {
		if len(e.Args) != 1 {
			if e.Name == "hostnames" {
				return "", false
			}
			continue // volatile
		}
		switch pattern, isExpression := strings.CutPrefix(e.Name, "~"); {
		case e.Name == "default":
			standard = e.Args[0]
		case isExpression:
			if matched != nil {
				continue
			}
			re, err := expression(pattern)
			if err != nil {
				return "", false
			}
			if re.MatchString(source) {
				matched = &e.Args[0]
			}
		case strings.EqualFold(strings.TrimPrefix(e.Name, `\`), source):
			return e.Args[0], true
		}
	}
	if matched != nil {
		return *matched, true
	}
	return standard, true
}

// expression reads what follows the ~ of a regular expression: ~* is one without case.
func expression(pattern string) (*regexp.Regexp, error) {
	if rest, ok := strings.CutPrefix(pattern, "*"); ok {
		pattern = "(?i)" + rest
	}
	return regexp.Compile(pattern)
}
