package route

import (
	"net/netip"
	"strings"

	"wsprovision/provision/nginx/conf"
	"wsprovision/provision/nginx/variable"
)

// url is what a proxy_pass leads to.
type url struct {
	text      variable.Value
	dynamic   bool // it has variables
	scheme    string
	authority string
	uri       string
	location  string // the name that the uri replaces
}

// url reads a proxy_pass (ngx_http_proxy_pass, ngx_http_proxy_eval).
func urlOf(w *walk, d conf.Directive) (url, error) {
	u := url{text: variable.Known(d.Args[0]), dynamic: strings.Contains(d.Args[0], "$")}
	if u.dynamic {
		u.text = w.Value(d.Args[0])
	}
	if l := w.Levels.Location(); l != nil {
		if modifier, name := conf.LocationName(l.Args); !conf.IsRegular(modifier) && modifier != "@" {
			u.location = name
		}
	}
	if u.text.Known {
		u.split()
	} else if scheme, _, ok := strings.Cut(d.Args[0], "://"); ok && !strings.Contains(scheme, "$") {
		u.scheme = strings.ToLower(scheme)
	}
	return u, nil
}

func (u *url) split() {
	scheme, rest, _ := strings.Cut(u.text.Text, "://")
	scheme = strings.ToLower(scheme)
	if scheme != "http" && scheme != "https" || rest == "" {
		return
	}
	u.scheme, u.authority = scheme, rest
	if path, ok := strings.CutPrefix(rest, "unix:"); ok {
		path, u.uri, _ = strings.Cut(path, ":")
		u.authority = "unix:" + path
	} else if at := strings.IndexAny(rest, "/?"); at >= 0 {
		u.authority, u.uri = rest[:at], rest[at:]
	}
	if u.dynamic && strings.HasPrefix(u.uri, "?") {
		u.uri = "/" + u.uri
	}
}

// port gives host and port, the port as it is written.
func (u url) port() (host, port string) {
	colon := strings.LastIndexByte(u.authority, ':')
	if strings.HasPrefix(u.authority, "unix:") || colon <= strings.IndexByte(u.authority, ']') {
		return u.authority, ""
	}
	return u.authority[:colon], u.authority[colon+1:]
}

func (u url) standardPort() string {
	if u.scheme == "https" {
		return "443"
	}
	return "80"
}

func (u url) isAddress() bool {
	host, _ := u.port()
	_, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil || strings.HasPrefix(host, "unix:")
}

// proxyHost is $proxy_host (ngx_http_proxy_set_vars).
func (u url) proxyHost() variable.Value {
	host, port := u.port()
	switch {
	case !u.text.Known:
		return u.text
	case strings.HasPrefix(host, "unix:"):
		return variable.Known("localhost")
	case port == "" || port == u.standardPort():
		return variable.Known(host)
	}
	return variable.Known(u.authority)
}

// backends are the servers of the group that has the name, else the one that is named.
func backendsOf(w *walk, u url) (all []string, group string) {
	host, port := u.port()
	for _, d := range conf.Named(w.HTTP, "upstream") {
		if port == "" && len(d.Args) == 1 && strings.EqualFold(d.Args[0], host) {
			return servers(d), d.Args[0]
		}
	}
	if host == "" {
		return nil, ""
	}
	return []string{withPort(u.authority, u.standardPort())}, ""
}

// servers are those of a group that are not down.
func servers(group conf.Directive) []string {
	var all []string
	for _, s := range conf.Named(group.Body, "server") {
		down := len(s.Args) == 0
		for _, a := range s.Args {
			down = down || a == "down"
		}
		if !down {
			all = append(all, withPort(s.Args[0], "80"))
		}
	}
	return all
}

func withPort(authority, standard string) string {
	u := url{authority: authority}
	if _, port := u.port(); port == "" && !strings.HasPrefix(authority, "unix:") {
		return authority + ":" + standard
	}
	return authority
}
