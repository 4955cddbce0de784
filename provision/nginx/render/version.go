package render

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"

	"wsprovision/provision/lazy"
	"wsprovision/provision/site"
)

// Version is nginx's own or OpenSSL's: three numbers.
type Version [3]int

func (v Version) String() string { return fmt.Sprintf("%d.%d.%d", v[0], v[1], v[2]) }

// atLeast compares number by number.
func (v Version) atLeast(a, b, c int) bool {
	for i, n := range [3]int{a, b, c} {
		if v[i] != n {
			return v[i] > n
		}
	}
	return true
}

// Build is what an nginx can, by its own word (nginx -V). The zero value is EPEL 7's: nginx 1.20.1 with OpenSSL 1.1.1.
type Build struct {
	Version, OpenSSL Version
	// Lacks are the modules of ours that it was built without: realip, v2, ssl.
	Lacks []string
}

// EPEL7 is the nginx that EPEL 7 ends with: 1:1.20.1-10.el7, linked to openssl11.
var EPEL7 = Build{Version: Version{1, 20, 1}, OpenSSL: Version{1, 1, 1}}

func (b Build) known() Build {
	if b.Version == (Version{}) {
		return EPEL7
	}
	return b
}

// SocketKeepalive: proxy_socket_keepalive came with 1.15.6.
func (b Build) SocketKeepalive() bool { return b.known().Version.atLeast(1, 15, 6) }

// RejectsHandshakes: ssl_reject_handshake came with 1.19.4.
func (b Build) RejectsHandshakes() bool { return b.known().Version.atLeast(1, 19, 4) }

// http2Directive: http2 on came with 1.25.1, in which the parameter of listen is deprecated.
func (b Build) http2Directive() bool { return b.known().Version.atLeast(1, 25, 1) }

// HTTP2Alone: a socket with http2 and without ssl takes no HTTP/1.1 before 1.25.1.
func (b Build) HTTP2Alone() bool { return !b.http2Directive() }

// permanentRedirect: 308 is a redirect from 1.13.0 on.
func (b Build) permanentRedirect() int {
	if b.known().Version.atLeast(1, 13, 0) {
		return 308
	}
	return 301
}

// TLS13 needs nginx 1.13.0 and OpenSSL 1.1.1.
func (b Build) TLS13() bool {
	return b.known().Version.atLeast(1, 13, 0) && b.known().OpenSSL.atLeast(1, 1, 1)
}

// Protocols are those of Mozilla's profile that the build has.
func (b Build) Protocols(p site.Profile) []string {
	switch {
	case p == site.ProfileModern:
		return []string{"TLSv1.3"}
	case b.TLS13():
		return []string{"TLSv1.2", "TLSv1.3"}
	}
	return []string{"TLSv1.2"}
}

// can names what the site asks for and the installed nginx has not.
func (i Installed) can(s Site) error {
	var all error
	lacks := func(wanted bool, module, field string) {
		for _, m := range i.Build.Lacks {
			if wanted && m == module {
				all = errors.Join(all, fmt.Errorf("%s: nginx %s was built without the module http_%s: remove the "+
					"key, or install EPEL's nginx", field, i.Build.Version, module))
			}
		}
	}
	lacks(len(s.TrustedProxies) > 0, "realip", "trusted_proxies")
	lacks(s.TLS != nil, "ssl", "tls")
	lacks(s.TLS != nil && s.TLS.HTTP2, "v2", "tls.http2")
	if s.TLS != nil && s.TLS.Profile == site.ProfileModern && !i.Build.TLS13() {
		all = errors.Join(all, fmt.Errorf("tls.profile: modern is TLS 1.3 alone, which nginx %s with OpenSSL %s has "+
			"not: use intermediate", i.Build.Version, i.Build.OpenSSL))
	}
	return all
}

var (
	nginxVersion   = lazy.Regexp(`(?m)^nginx version: \S+/(\d+)\.(\d+)\.(\d+)`)
	openSSLVersion = lazy.Regexp(`(?m)^built with OpenSSL (\d+)\.(\d+)\.(\d+)`)
)

// ParseBuild reads what nginx -V says.
func ParseBuild(text string) (Build, error) {
	own := nginxVersion().FindStringSubmatch(text)
	if own == nil {
		return Build{}, fmt.Errorf("how nginx was built: no version in %q", text[:min(len(text), 200)])
	}
	b := Build{Version: numbers(own)}
	if ssl := openSSLVersion().FindStringSubmatch(text); ssl != nil {
		b.OpenSSL = numbers(ssl)
	}
	for _, module := range []string{"realip", "ssl", "v2"} {
		if !regexp.MustCompile(`--with-http_` + module + `_module\b`).MatchString(text) {
			b.Lacks = append(b.Lacks, module)
		}
	}
	return b, nil
}

func numbers(found []string) (v Version) {
	for i := range v {
		v[i], _ = strconv.Atoi(found[i+1]) // digits, by the expression; too many of them are no version
	}
	return v
}
