package route

import (
	"slices"
	"strings"

	"wsprovision/provision/nginx/conf"
)

// standardFields are those that nginx sets where no proxy_set_header does (ngx_http_proxy_headers).
var standardFields = []Field{{"Host", "$proxy_host"}, {"Connection", "close"}, {"Content-Length", ""},
	{"Transfer-Encoding", ""}, {"TE", ""}, {"Keep-Alive", ""}, {"Expect", ""}, {"Upgrade", ""}}

// fields are those of the request that the backend gets. A block that sets any has none of those around it.
func fieldsFor(w *walk, u url) []SentField {
	w.values["proxy_host"], w.values["proxy_port"] = u.proxyHost(), proxyPort(u)
	defer delete(w.values, "proxy_host")
	defer delete(w.values, "proxy_port")
	var all []SentField
	for _, d := range w.levels.all("proxy_set_header") {
		if len(d.Args) == 2 {
			all = append(all, SentField{d.Args[0], sentValue(w, d), &d})
		}
	}
	isSet := func(name string) bool {
		return slices.ContainsFunc(all, func(f SentField) bool { return equalFold(f.Name, name) })
	}
	for _, f := range standardFields {
		if !isSet(f.Name) {
			all = append(all, SentField{Name: f.Name, Value: w.value(f.Value)})
		}
	}
	return append(all, passedOn(w, isSet)...)
}

func proxyPort(u url) Value {
	_, port := u.port()
	switch {
	case !u.text.Known:
		return u.text
	case port == "" && !strings.HasPrefix(u.authority, "unix:"):
		return known(u.standardPort())
	}
	return known(port)
}

func sentValue(w *walk, d conf.Directive) Value {
	if len(d.Args) < 2 || d.Args[1] == "" {
		return known("")
	}
	return w.value(d.Args[1])
}

// passedOn are the client's own fields that nothing sets.
func passedOn(w *walk, isSet func(string) bool) []SentField {
	if w.levels.value("proxy_pass_request_headers") != nil && !w.levels.on("proxy_pass_request_headers", true) {
		return nil
	}
	var all []SentField
	for _, f := range w.request.Fields {
		if isSet(f.Name) {
			continue
		}
		v := known(strings.Trim(f.Value, " "))
		if strings.Contains(f.Name, "_") && !takesUnderscores(w) {
			v = known("")
		}
		all = append(all, SentField{Name: f.Name, Value: v})
	}
	return all
}

// takesUnderscores: nginx drops a field with an underscore in its name, unless it is told to take those, or whatever
// there is (ngx_http_process_request_headers). Which server says so is settled by Host, which comes first.
func takesUnderscores(w *walk) bool {
	return w.levels.on("underscores_in_headers", false) || !w.levels.on("ignore_invalid_headers", true)
}
