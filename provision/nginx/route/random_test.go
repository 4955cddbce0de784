package route

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// author writes small configurations at random, and what to ask them. Most of what it writes is legal.
type author struct {
	*rand.Rand
}

func (a author) pick(all ...string) string { return all[a.IntN(len(all))] }

// maybe gives one of some statements, or nothing, n times in ten.
func (a author) maybe(n int, all ...string) string {
	if a.IntN(10) < n {
		return a.pick(all...) + "\n"
	}
	return ""
}

func (a author) expression() string {
	return a.pick(`^/a`, `\.php$`, `/(b|c)`, `^/(.*)$`, `^/a/(.*)$`, `"(?<n>[^/]+)$"`, `a+b`, `^/([a-z]+)/([a-z]*)`,
		`.`,
		`x`, `^/(a)?(b)?`, `^/a/?$`, `B`, `^/[^/]*$`, `(a|ab)(c|/)?`)
}

func (a author) path() string {
	return a.pick("/", "/a", "/a/", "/a/b", "/a/b/", "/ab", "/b", "/b/", "/b/c.php", "/sub", "/sub/", "/file.txt",
		"/x/",
		"/a/b/c", "/none", "/empty/")
}

// text is a value, with variables.
func (a author) text() string {
	return a.pick("x", "$uri", "$args", "$request_uri", "$1", "$1-$2", "$m", "$k", "$v", "$http_x", "$host", "$n",
		"$2$m",
		"$is_args$args", "$document_uri/$1", "$arg_q", "$scheme", "$request_method", "$server_name", "$http_upgrade",
		"${v}y", "$request_filename")
}

func (a author) condition() string {
	left := a.pick("$http_x", "$m", "$v", "$uri", "$args", "$host", "$request_method", "$k", "$arg_q", "$http_upgrade")
	return a.pick(left, left+" = "+a.pick("a", `""`, "b", "GET", "websocket"), left+" != a",
		left+" ~ "+a.expression(), left+" !~* "+a.expression(), "-f <DIR>/www$uri", "!-f <DIR>/www/file.txt",
		"-d <DIR>/www$uri", "!-e $request_filename")
}

func (a author) rewrite() string {
	return fmt.Sprintf("rewrite %s %s%s %s;", a.expression(),
		a.pick("", "", "/", "/a/", "https://h/")+strings.TrimPrefix(a.path(), "/")+"/"[:a.IntN(2)], // may have no slash
		a.pick("", "$1", "?", "?z=1", "?z=$1", "$1?z=$2?", "$v"), a.pick("", "", "last", "break", "redirect",
			"permanent"))
}

func (a author) answer() string {
	return a.pick("return 200;", "return 404;", "return 403;", "return 301 /moved;",
		"return 302 https://$host$request_uri;",
		`return 200 "`+a.text()+`";`, "return 444;", "return 500;", `return 404 "text";`, "return 204;")
}

func (a author) script() string {
	return a.maybe(2, a.rewrite()) + a.maybe(1, a.rewrite()) + a.maybe(2, `set $v "`+a.text()+`";`,
		"set $args z=$1;") + a.maybe(1, "break;") +
		a.maybe(1, a.answer())
}

func (a author) branch(inner string) string {
	return "if (" + a.condition() + ") { " + inner + a.script() + " }\n"
}

// common may stand in a server and in a location.
func (a author) common() string {
	page := a.pick("404", "403", "404 502", "500", "401", "405", "301") + " " + a.pick("", "", "=", "=200", "=410") +
		" " +
		a.pick("/page", "/a", "@n0", "@n1", "https://h/e", "/sub/", "$http_x")
	return a.maybe(1, "error_page "+page+";") + a.maybe(1, "recursive_error_pages on;") +
		a.maybe(2, "proxy_set_header X-L "+a.text()+";") + a.maybe(1, "index "+a.pick("a.txt", "index.html /a",
		"file.txt")+";") +
		a.maybe(1, "deny all;", "allow 127.0.0.1; deny all;", "allow 10.0.0.1; deny all;") +
		a.maybe(1, "auth_basic x; auth_basic_user_file <DIR>/passwords;", "satisfy any;") +
		a.maybe(1, "auth_request /auth;") + a.maybe(1, "proxy_http_version 1.1;", "autoindex on;",
		"port_in_redirect off;",
		"proxy_intercept_errors on;", "absolute_redirect off;")
}

// backend is a proxy_pass, with a path where that is legal.
func (a author) backend(path bool) string {
	to := a.pick("http://<A>", "http://<B>", "http://group", "http://$to", "http://<DEAD>")
	if path {
		to += a.pick("", "/", "/p/", "/p")
	}
	return "proxy_pass " + to + ";"
}

func (a author) location(within string, depth int) string {
	head := within + strings.TrimPrefix(a.path(), "/")
	plain := true
	switch kind := a.pick("", "", "", "=", "^~", "~", "~*"); {
	case kind == "~" || kind == "~*":
		head, plain = kind+" "+a.expression(), false
	default:
		head = kind + " " + head
	}
	body := a.script() + a.common()
	if a.IntN(3) == 0 {
		body += a.branch(a.maybe(3, a.backend(false)) + a.maybe(2, "proxy_set_header X-I $v;", "root <DIR>/alias;",
			"error_page 404 /a;", "proxy_method PUT;", "auth_basic off;"))
	}
	body += a.maybe(4, a.backend(plain)) + a.maybe(2, a.tries()) + a.maybe(1, "internal;")
	if plain {
		body += a.maybe(1, "alias <DIR>/alias/;", "alias <DIR>/www/sub;", "root <DIR>/alias;", "root <DIR>/$v;",
			"alias <DIR>/www/$arg_q;")
	}
	body += a.maybe(1, "limit_except GET { "+a.pick("deny all;", "allow all;", a.backend(false))+" }")
	if depth > 0 && !strings.HasPrefix(head, "=") && plain {
		body += a.maybe(3, a.location(strings.Fields(head)[len(strings.Fields(head))-1], depth-1))
	}
	return "location " + head + " {\n" + body + "}\n"
}

func (a author) tries() string {
	return "try_files " + a.pick("$uri", "/none", "$uri $uri/", "$uri.txt", "/file.txt", "$v") + " " +
		a.pick("@n0", "@n1", "=404", "/a", "/b?x=$uri", "/page", "/sub/", "$uri", "=403") + ";"
}

func (a author) server(name string) string {
	text := "server { listen 127.0.0.1:<PORT>; server_name " + name + "; root <DIR>/www;\n" + a.common() +
		a.maybe(1, "merge_slashes off;")
	if a.IntN(3) == 0 {
		text += a.script()
	}
	if a.IntN(4) == 0 {
		text += a.branch("")
	}
	seen := map[string]bool{}
	for range 2 + a.IntN(5) {
		l := a.location("/", 2)
		if line, _, _ := strings.Cut(l, "{"); !seen[line] {
			seen[line] = true
			text += l
		}
	}
	return text + "location = /page { return 200 page; } location = /auth { " + a.pick("return 204;", "return 401;",
		"return 403;", a.backend(false)) + ` }
		location @n0 { ` + a.script() + a.backend(false) + " } location @n1 { " + a.script() + a.common() + " } }\n"
}

func (a author) configuration() string {
	return `map $http_x $m { default d; a A; b "$uri"; "~^(c)(.*)" "$2$1"; "" none; ` + a.maybe(2, "volatile;") + `}
		map $uri $k { default k; /a ka; ~\.php$ php; "~^/(?<n>b)" "$n"; }
		map $http_x $to { default <A>; b <B>; g group; }
		upstream group { server <A>; server <B>; }
		` + a.server(a.pick("example.com", "*.example.com", "_")) + a.server(a.pick("www.example.com", ".example.com",
		`~^(www)\.(?<n>[a-z]+)`, "x"))
}

func (a author) request() string {
	return a.pick("GET", "GET", "GET", "HEAD", "POST", "DELETE") + " " + a.pick(a.path(), a.path(), "/a%20b", "/a//b",
		"/a/../b", "/%61/b", "/a+b", "/b/c.php/d", "/a/%2e%2e/b", "/a%2fb", "/sub/a.txt", "/bc", "/none/x") +
		a.pick("", "", "?q=1", "?q=a%20b&r", "?") + a.pick("", " host=www.example.com", " host=x", " host=b.test") +
		a.pick("", "", " X:a", " X:b", " X:cde", " X:g", " handshake", " X:/page", " X:@n0")
}

// attempt writes a configuration, and compares what it is asked. It tells how much of that was followed.
func attempt(t *testing.T, seed uint64) (followed, asked int) {
	a := author{Rand: rand.New(rand.NewPCG(seed, 1))}
	r := newRig(t, a.configuration())
	if r.start() != nil {
		return 0, 0 // nginx does not take it
	}
	tree := r.tree()
	for range 15 {
		text := a.request()
		_, request := r.request(text)
		route := Follow(tree, Host{Look: anywhere}, request)
		s, err := ask(request)
		if err != nil {
			t.Fatal(err)
		}
		if why := judge(route, s); why != "" {
			t.Fatalf("seed %d: %s: %s\n  route: %s\n  nginx: %v\n%s", seed, text, why, describe(route.End), s,
				strings.Join(strings.Fields(a.text()), " "))
		}
		if asked++; route.End.Unfollowed == nil {
			followed++
		}
	}
	return followed, asked
}

// TestHostileConfigurations: whatever a configuration consists of, no verdict is certain and wrong.
func TestHostileConfigurations(t *testing.T) {
	needNginx(t)
	followed, asked := 0, 0
	for seed := range uint64(60) {
		f, n := attempt(t, seed)
		followed, asked = followed+f, asked+n
	}
	t.Logf("%d of %d followed", followed, asked)
	if asked < 300 || followed*10 < asked*7 {
		t.Errorf("%d of %d followed, want most", followed, asked)
	}
}

// FuzzConfigurations is the same for longer.
func FuzzConfigurations(f *testing.F) {
	f.Add(uint64(1))
	f.Fuzz(func(t *testing.T, seed uint64) {
		needNginx(t)
		attempt(t, seed)
	})
}
