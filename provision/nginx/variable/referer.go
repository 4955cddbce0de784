package variable

import (
	"strings"

	"wsprovision/provision/nginx/head"
)

// invalidReferer is $invalid_referer: nothing, or 1 where the request's Referer is none of valid_referers
// (ngx_http_referer_variable). Names with a path, and regular expressions, are not followed.
func invalidReferer(s *Scope) Value {
	var given []string
	for _, d := range s.Levels.All("valid_referers") {
		given = append(given, d.Args...)
	}
	table, options := head.NewNames[bool](), map[string]bool{}
	for _, g := range given {
		switch {
		case g == "none" || g == "blocked" || g == "server_names":
			options[g] = true
		case strings.ContainsAny(g, "~/$"):
			return Unknown("valid_referers %s is not followed", g)
		default:
			table.Add(g, true)
		}
	}
	for _, name := range s.Server.Names {
		if options["server_names"] && strings.ContainsAny(name, "~$") {
			return Unknown("valid_referers with server_name %s is not followed", name)
		}
		if options["server_names"] {
			table.Add(name, true)
		}
	}
	field := fieldValue(s, "referer")
	switch {
	case len(given) == 0:
		return Known("")
	case !field.Known:
		return field
	}
	return Known(map[bool]string{false: "1"}[isValid(table, options, field.Text)])
}

func isValid(names *head.Names[bool], options map[string]bool, referer string) bool {
	scheme, rest, found := strings.Cut(strings.ToLower(referer), "://")
	switch {
	case referer == "":
		return options["none"]
	case !found || scheme != "http" && scheme != "https" || len(referer) < len("http://i.ru"):
		return options["blocked"]
	}
	host := rest
	if end := strings.IndexAny(rest, "/:"); end >= 0 {
		host = rest[:end]
	}
	_, found = names.Find(host)
	return found && len(host) <= 256
}
