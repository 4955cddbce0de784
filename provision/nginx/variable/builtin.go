package variable

import (
	"strconv"
	"strings"

	"wsprovision/provision/nginx/head"
)

// builtin is a variable of nginx's own; those that depend on what is not in the request, nor in the configuration, are
// not known.
func builtin(s *Scope, name string) Value {
	switch name {
	case "uri", "document_uri":
		return Known(s.At.Path)
	case "request_uri":
		return Known(s.At.Unparsed)
	case "args", "query_string":
		return Known(s.At.Args)
	case "is_args":
		return Known(strings.Repeat("?", min(1, len(s.At.Args))))
	case "scheme":
		return Known(s.Scheme())
	case "https":
		return Known(map[bool]string{true: "on"}[s.TLS])
	case "request_method":
		if s.At.Within != "" {
			return Known(s.At.Within)
		}
		return Known(s.Method)
	case "server_protocol":
		return Known("HTTP/1.1")
	case "host":
		return Known(head.Host(s.Request.Host))
	case "server_name":
		return s.ServerName()
	case "server_port":
		return Known(strconv.Itoa(int(s.Request.To.Port())))
	case "server_addr":
		return Known(s.Request.To.Addr().Unmap().WithZone("").String())
	case "remote_addr":
		return s.ClientAddress()
	case "document_root":
		return documentRoot(s)
	case "request_filename":
		return requestFilename(s)
	case "content_length", "content_type", "request_body", "request_body_file":
		return Known("") // there is no body
	case "proxy_add_x_forwarded_for":
		return forwardedFor(s)
	case "invalid_referer":
		v := invalidReferer(s)
		s.Values[name] = v // it is asked for once
		return v
	case "http_host":
		return Known(s.Request.Host)
	case "ssl_client_verify": // the client has none (ngx_ssl_get_client_verify)
		return Known(map[bool]string{true: "NONE"}[s.TLS])
	case "remote_user":
		if !s.Request.Has("Authorization") {
			return Known("")
		}
	}
	return prefixed(s, name)
}

func prefixed(s *Scope, name string) Value {
	kind, rest, _ := strings.Cut(name, "_")
	switch {
	case kind == "http" && rest != "":
		return fieldValue(s, rest)
	case kind == "arg" && rest != "":
		return Known(argument(s.At.Args, rest))
	case kind == "cookie" && !s.Request.Has("Cookie"):
		return Known("")
	case kind == "ssl" && !s.TLS:
		return Known("")
	}
	return Unknown("$%s is known to nginx alone", name)
}

// fieldValue is $http_name. Nginx drops fields whose names have anything but letters, digits and hyphens, or else an
// underscore, and does with repeated ones as its version has it.
func fieldValue(s *Scope, name string) Value {
	found := s.Request.Values(strings.ReplaceAll(name, "_", "-"))
	for _, f := range s.Request.Fields {
		if strings.Contains(f.Name, "_") && strings.EqualFold(strings.ReplaceAll(f.Name, "-", "_"), name) {
			return Unknown("whether nginx takes the field %s is not followed", f.Name)
		}
	}
	switch {
	case len(found) == 0:
		return Known("")
	case len(found) > 1:
		return Unknown("versions of nginx read the repeated field %s differently", name)
	}
	return Known(strings.Trim(found[0], " "))
}

// argument is $arg_name: the first of the query with that name, without case, as it was sent (ngx_http_arg).
func argument(args, name string) string {
	for _, each := range strings.Split(args, "&") {
		if n, value, ok := strings.Cut(each, "="); ok && strings.EqualFold(n, name) {
			return value
		}
	}
	return ""
}

// Scheme is $scheme.
func (s *Scope) Scheme() string {
	if s.TLS {
		return "https"
	}
	return "http"
}

// ClientAddress is the address that the connection comes from, which real_ip_header replaces.
func (s *Scope) ClientAddress() Value {
	if s.Levels.Value("set_real_ip_from") != nil && s.Request.Has(realIPField(s)) {
		return Unknown("set_real_ip_from changes the client's address")
	}
	if !s.Request.From.IsValid() {
		return Unknown("the client's address is not known")
	}
	return Known(s.Request.From.Unmap().WithZone("").String())
}

// realIPField is the field that has the client's address (ngx_http_realip_module); none has it for proxy_protocol.
func realIPField(s *Scope) string {
	if d := s.Levels.Value("real_ip_header"); d != nil {
		return d.Args[0]
	}
	return "X-Real-IP"
}

func forwardedFor(s *Scope) Value {
	before, client := fieldValue(s, "x_forwarded_for"), s.ClientAddress()
	switch {
	case !before.Known || before.Text == "":
		if before.Known {
			return client
		}
		return before
	case !client.Known:
		return client
	}
	return Known(before.Text + ", " + client.Text)
}

// ServerName is the server's first name as it is written (ngx_http_core_merge_srv_conf).
func (s *Scope) ServerName() Value {
	if len(s.Server.Names) == 0 {
		return Known("")
	}
	name := s.Server.Names[0]
	if strings.EqualFold(name, "$hostname") {
		return Unknown("$hostname is known to nginx alone")
	}
	if strings.HasPrefix(name, "~") {
		return Known(name)
	}
	return Known(strings.ToLower(strings.TrimPrefix(name, ".")))
}
