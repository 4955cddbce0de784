package route

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"wsprovision/provision/nginx/conf"
	"wsprovision/provision/nginx/files"
	"wsprovision/provision/nginx/head"
	"wsprovision/provision/nginx/outcome"
)

const mainFile = "/etc/nginx/nginx.conf"

// parsed reads a configuration that is on no disk, as far as it can be read.
func parsed(t testing.TB, text string) conf.Tree {
	t.Helper()
	tree, _ := conf.Load(t.TempDir(), mainFile, map[string][]byte{mainFile: []byte(text)})
	return tree
}

func follow(t testing.TB, text, target string) outcome.Route {
	t.Helper()
	request := head.Handshake(loopback(80), false, "example.com", target, "http://example.com")
	return Follow(parsed(t, text), Host{Look: func(string) files.Found {
		return files.Found{Kind: files.Absent}
	}}, request)
}

// TestHostileMaps: maps that grow, or lead to one another, cost little and are not followed.
func TestHostileMaps(t *testing.T) {
	began := time.Now()
	for name, maps := range map[string]string{
		"to itself":    `map $a $b { default $a; } map $b $a { default $b; } map $x $v0 { default $b; }`,
		"ever longer":  doubling(60, ""),
		"ever more":    doubling(60, "volatile;"),
		"a long chain": chain(5000),
	} {
		r := follow(t, "http { "+maps+" server { listen 80; if ($v0) { return 403; } return 200; } }", "/")
		if r.End.Unfollowed == nil {
			t.Errorf("%s: %s", name, describe(r.End))
		}
	}
	if took := time.Since(began); took > 20*time.Second {
		t.Errorf("took %s", took)
	}
}

func doubling(n int, option string) string {
	var text strings.Builder
	for i := range n {
		fmt.Fprintf(&text, "map $host $v%d { default a$v%d$v%d; %s }\n", i, i+1, i+1, option)
	}
	return text.String() + fmt.Sprintf("map $host $v%d { default b; }", n)
}

func chain(n int) string {
	var text strings.Builder
	for i := range n {
		fmt.Fprintf(&text, "map $host $v%d { default $v%d; }\n", i, i+1)
	}
	return text.String() + fmt.Sprintf("map $host $v%d { default b; }", n)
}

// TestHostileStatements: what nginx would refuse is not followed, and does no harm.
func TestHostileStatements(t *testing.T) {
	for _, statement := range []string{"return;", "return x;", "rewrite;", "rewrite a;", "rewrite ( b;", "set;",
		"set $a;",
		"if { }", "if () { return 200; }", "if ($a { return 200; }", "if (a) { return 200; }",
		"if ($host ~ [) { return 1; }",
		"location { return 200; }", "location / / / { return 200; }", "location;", "location ~ [ { return 200; }",
		"try_files;", "try_files a;", "proxy_pass;", "proxy_pass x;", "proxy_pass http://;", "proxy_pass http://a b;",
		"auth_basic; auth_basic_user_file;", "auth_request;", "error_page; return 404;", "error_page 404; return 404;",
		"error_page = =; return 404;", `error_page 404 ""; return 404;`, "index; ", "root;", "alias;", "allow;",
		"deny;",
		"limit_req; limit_req_status;", "limit_except { deny; }", "proxy_set_header; proxy_pass http://a;",
		"proxy_http_version; proxy_pass http://a;", "proxy_method; proxy_pass http://a;", "if ($x", "return 200 $;",
		"return 200 ${;", "set $x ${a; return 200 $x;", "satisfy;", "internal x;", "content_by_lua_file x;",
		`index ""; `, "limit_conn a 1; limit_conn_status;", "proxy_pass http://[::1;",
		"auth_basic x; auth_basic_user_file;"} {
		for _, place := range []string{"http { server { listen 80; %s } }",
			"http { server { listen 80; location / { %s } } }",
			"http { %s server { listen 80; location / { } } }", "http { server { listen 80; if ($host) { %s } } }"} {
			text := fmt.Sprintf(place, statement)
			if r := follow(t, text, "/"); r.End.Unfollowed == nil && r.End.Answer != nil && r.End.Answer.Status == 200 {
				t.Errorf("%s is followed: %s", text, describe(r.End))
			}
		}
	}
}

// TestServerIsSettled: which server takes the request is known, or not, whatever comes after.
func TestServerIsSettled(t *testing.T) {
	const servers = `server { listen 80; server_name other; strange on; } server { listen 80; server_name example.com; `
	for name, test := range map[string]struct {
		text    string
		byName  bool
		settled bool
	}{
		"a module's directive in http":      {"strange on; " + servers + "}", true, true},
		"a module's directive in it":        {servers + "strange on; }", true, true},
		"a module's directive in a default": {servers + "return 200; }", true, true},
		"a proxy's own protocol":            {servers + "listen 127.0.0.1:80 proxy_protocol; }", false, false},
		"an expression before": {`server { listen 80; server_name ~(?=e)q; } server { listen 80; }`,
			false, true},
		"an expression that may match": {`server { listen 80; server_name ~(?=e)e; } server { listen 80; }`,
			false, false},
		"its exact name goes first": {`server { listen 80; server_name ~(?=e)e; } ` + servers + "}", true,
			true},
	} {
		r := follow(t, "http { "+test.text+" }", "/")
		if settled := len(r.End.Steps) > 0; settled != test.settled || r.ByName != test.byName {
			t.Errorf("%s: by name %v, settled %v, want %v, %v: %s", name, r.ByName, settled, test.byName, test.settled,
				describe(r.End))
		}
	}
}

// FuzzFollow: no configuration and no target makes it fall over.
func FuzzFollow(f *testing.F) {
	f.Add(`http { server { listen 80; location /a { rewrite ^/(.*) /$1? break; proxy_pass http://a/; } } }`, "/a/%2e")
	f.Add(`http { map $uri $x { ~(a)$ $1; } server { listen 80; try_files $x @a; location @a { return 301 $x; } } }`,
		"/a?b")
	f.Add(`http { server { listen 80; error_page 404 =200 /x; if (-f $uri) { return 404; } auth_request /y; } }`, "//")
	f.Fuzz(func(t *testing.T, text, target string) {
		r := follow(t, text, target)
		set := 0
		for _, there := range []bool{r.End.Answer != nil, r.End.Pass != nil, r.End.Unfollowed != nil} {
			if there {
				set++
			}
		}
		if set != 1 {
			t.Errorf("%d ends of one: %+v", set, r.End)
		}
	})
}
