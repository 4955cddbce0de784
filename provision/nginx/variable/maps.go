package variable

import (
	"strings"

	"wsprovision/provision/nginx/conf"
	"wsprovision/provision/nginx/head"
	"wsprovision/provision/nginx/pcre"
)

// mapped is ngx_http_map_variable: the exact text without case, host names with wildcards where the map has hostnames,
// else the first regular expression, else the default.
func mapValue(s *Scope, table conf.Directive) Value {
	if len(table.Args) != 2 {
		return Unknown("the map in %s:%d is not understood", table.File, table.Line)
	}
	source := s.Value(table.Args[0])
	if !source.Known {
		return source
	}
	text, hosts := source.Text, len(conf.Named(table.Body, "hostnames")) > 0
	if hosts {
		text = strings.TrimSuffix(text, ".")
	}
	if entry := exactly(table.Body, text, hosts); entry != nil {
		return s.Value(entry.Args[0])
	}
	standard := ""
	for _, entry := range table.Body {
		if len(entry.Args) != 1 {
			continue
		}
		if entry.Name == "default" {
			standard = entry.Args[0]
		}
		if text == "" || !strings.HasPrefix(entry.Name, "~") {
			continue
		}
		matched, err := s.Match(expression(entry.Name[1:]))(text)
		if err != nil {
			return Unknown("%v in %s:%d", err, entry.File, entry.Line)
		}
		if matched {
			return s.Value(entry.Args[0])
		}
	}
	return s.Value(standard)
}

// exactly is the entry of a text in a map's table of texts, or of host names.
func exactly(body []conf.Directive, text string, hosts bool) *conf.Directive {
	table := head.NewNames[*conf.Directive]()
	for i := range body {
		e := &body[i]
		key := strings.TrimPrefix(e.Name, `\`)
		switch {
		case len(e.Args) != 1 || e.Name == "default" || strings.HasPrefix(e.Name, "~"):
		case hosts:
			table.Add(key, e)
		default:
			table.AddWord(key, e)
		}
	}
	found, _ := table.Find(strings.ToLower(text))
	return found
}

// expression reads what follows the ~ of a regular expression: ~* is one without case.
func expression(text string) (pattern string, anyCase bool) {
	rest, anyCase := strings.CutPrefix(text, "*")
	return rest, anyCase
}

// Match gives a function that tries a text, and keeps the groups where it matches (ngx_http_regex_exec).
func (s *Scope) Match(text string, anyCase bool) func(subject string) (bool, error) {
	p, err := pcre.Compile(text, anyCase)
	return func(subject string) (bool, error) {
		if err != nil {
			return false, err
		}
		groups, err := p.Match(subject)
		if err != nil || groups == nil {
			return false, err
		}
		for i, name := range p.Names() {
			if name != "" {
				s.Values[strings.ToLower(name)] = Known(groups[i])
			}
		}
		s.Groups = groups
		return true, nil
	}
}
