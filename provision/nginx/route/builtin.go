package route

import (
	"strconv"
	"strings"

	"wsprovision/provision/nginx/head"
)

// builtin is a variable of nginx's own; those that depend on what is not in the request, nor in the configuration, are
// not known.
func builtin(w *walk, name string) Value {
	switch name {
	case "uri", "document_uri":
		return known(w.at.path)
	case "request_uri":
		return known(w.at.unparsed)
	case "args", "query_string":
		return known(w.at.args)
	case "is_args":
		return known(strings.Repeat("?", min(1, len(w.at.args))))
	case "scheme":
		return known(schemeOf(w))
	case "https":
		return known(map[bool]string{true: "on"}[w.tls])
	case "request_method":
		if w.at.within != nil {
			return known(w.at.within.method)
		}
		return known(w.answer.method)
	case "server_protocol":
		return known("HTTP/1.1")
	case "host":
		return known(head.Host(w.request.Host))
	case "server_name":
		return serverName(w)
	case "server_port":
		return known(strconv.Itoa(int(w.request.To.Port())))
	case "server_addr":
		return known(w.request.To.Addr().Unmap().WithZone("").String())
	case "remote_addr":
		return clientAddress(w)
	case "document_root":
		return documentRoot(w)
	case "request_filename":
		return requestFilename(w)
	case "content_length", "content_type", "request_body", "request_body_file":
		return known("") // there is no body
	case "proxy_add_x_forwarded_for":
		return forwardedFor(w)
	case "invalid_referer":
		v := invalidReferer(w)
		w.values[name] = v // it is asked for once
		return v
	case "http_host":
		return known(w.request.Host)
	case "ssl_client_verify": // the client has none (ngx_ssl_get_client_verify)
		return known(map[bool]string{true: "NONE"}[w.tls])
	case "remote_user":
		if !w.request.has("Authorization") {
			return known("")
		}
	}
	return prefixed(w, name)
}

func prefixed(w *walk, name string) Value {
	kind, rest, _ := strings.Cut(name, "_")
	switch {
	case kind == "http" && rest != "":
		return fieldValue(w, rest)
	case kind == "arg" && rest != "":
		return known(argument(w.at.args, rest))
	case kind == "cookie" && !w.request.has("Cookie"):
		return known("")
	case kind == "ssl" && !w.tls:
		return known("")
	}
	return unknown("$%s is known to nginx alone", name)
}

// field is $http_name. Nginx drops fields whose names have anything but letters, digits and hyphens, or else an
// underscore, and does with repeated ones as its version has it.
func fieldValue(w *walk, name string) Value {
	found := w.request.values(strings.ReplaceAll(name, "_", "-"))
	for _, f := range w.request.Fields {
		if strings.Contains(f.Name, "_") && equalFold(strings.ReplaceAll(f.Name, "-", "_"), name) {
			return unknown("whether nginx takes the field %s is not followed", f.Name)
		}
	}
	switch {
	case len(found) == 0:
		return known("")
	case len(found) > 1:
		return unknown("versions of nginx read the repeated field %s differently", name)
	}
	return known(strings.Trim(found[0], " "))
}

// argument is $arg_name: the first of the query with that name, without case, as it was sent (ngx_http_arg).
func argument(args, name string) string {
	for _, each := range strings.Split(args, "&") {
		if n, value, ok := strings.Cut(each, "="); ok && equalFold(n, name) {
			return value
		}
	}
	return ""
}

func schemeOf(w *walk) string {
	if w.tls {
		return "https"
	}
	return "http"
}

// client is the address that the connection comes from, which real_ip_header replaces.
func clientAddress(w *walk) Value {
	if w.levels.value("set_real_ip_from") != nil && w.request.has(realIPField(w)) {
		return unknown("set_real_ip_from changes the client's address")
	}
	if !w.request.From.IsValid() {
		return unknown("the client's address is not known")
	}
	return known(w.request.From.Unmap().WithZone("").String())
}

// realIPField is the field that has the client's address (ngx_http_realip_module); none has it for proxy_protocol.
func realIPField(w *walk) string {
	if d := w.levels.value("real_ip_header"); d != nil {
		return d.Args[0]
	}
	return "X-Real-IP"
}

func forwardedFor(w *walk) Value {
	before, client := fieldValue(w, "x_forwarded_for"), clientAddress(w)
	switch {
	case !before.Known || before.Text == "":
		if before.Known {
			return client
		}
		return before
	case !client.Known:
		return client
	}
	return known(before.Text + ", " + client.Text)
}

// serverName is the server's first name as it is written (ngx_http_core_merge_srv_conf).
func serverName(w *walk) Value {
	if len(w.server.Names) == 0 {
		return known("")
	}
	name := w.server.Names[0]
	if strings.EqualFold(name, "$hostname") {
		return unknown("$hostname is known to nginx alone")
	}
	if strings.HasPrefix(name, "~") {
		return known(name)
	}
	return known(strings.ToLower(strings.TrimPrefix(name, ".")))
}
