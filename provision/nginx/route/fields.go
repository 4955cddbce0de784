package route

import (
	"slices"
	"strings"

	"wsprovision/provision/nginx/conf"
	"wsprovision/provision/nginx/outcome"
	"wsprovision/provision/nginx/variable"
)

// standardFields are those that nginx sets where no proxy_set_header does (ngx_http_proxy_headers).
var standardFields = [][2]string{{"Host", "$proxy_host"}, {"Connection", "close"}, {"Content-Length", ""},
	{"Transfer-Encoding", ""}, {"TE", ""}, {"Keep-Alive", ""}, {"Expect", ""}, {"Upgrade", ""}}

// fields are those of the request that the backend gets. A block that sets any has none of those around it.
func fieldsFor(w *walk, u url) []outcome.SentField {
	w.Values["proxy_host"], w.Values["proxy_port"] = u.proxyHost(), proxyPort(u)
	defer delete(w.Values, "proxy_host")
	defer delete(w.Values, "proxy_port")
	var all []outcome.SentField
	for _, d := range w.Levels.All("proxy_set_header") {
		if len(d.Args) == 2 {
			all = append(all, outcome.SentField{Name: d.Args[0], Value: sentValue(w, d), Set: &d})
		}
	}
	isSet := func(name string) bool {
		return slices.ContainsFunc(all, func(f outcome.SentField) bool { return strings.EqualFold(f.Name, name) })
	}
	for _, f := range standardFields {
		if !isSet(f[0]) {
			all = append(all, outcome.SentField{Name: f[0], Value: w.Value(f[1])})
		}
	}
	return append(all, passedOn(w, isSet)...)
}

func proxyPort(u url) variable.Value {
	_, port := u.port()
	switch {
	case !u.text.Known:
		return u.text
	case port == "" && !strings.HasPrefix(u.authority, "unix:"):
		return variable.Known(u.standardPort())
	}
	return variable.Known(port)
}

func sentValue(w *walk, d conf.Directive) variable.Value {
	if len(d.Args) < 2 || d.Args[1] == "" {
		return variable.Known("")
	}
	return w.Value(d.Args[1])
}

// passedOn are the client's own fields that nothing sets.
func passedOn(w *walk, isSet func(string) bool) []outcome.SentField {
	if w.Levels.Value("proxy_pass_request_headers") != nil && !w.Levels.On("proxy_pass_request_headers", true) {
		return nil
	}
	var all []outcome.SentField
	for _, f := range w.Request.Fields {
		if isSet(f.Name) {
			continue
		}
		v := variable.Known(strings.Trim(f.Value, " "))
		if strings.Contains(f.Name, "_") && !takesUnderscores(w) {
			v = variable.Known("")
		}
		all = append(all, outcome.SentField{Name: f.Name, Value: v})
	}
	return all
}

// takesUnderscores: nginx drops a field with an underscore in its name, unless it is told to take those, or whatever
// there is (ngx_http_process_request_headers). Which server says so is settled by Host, which comes first.
func takesUnderscores(w *walk) bool {
	return w.Levels.On("underscores_in_headers", false) || !w.Levels.On("ignore_invalid_headers", true)
}
