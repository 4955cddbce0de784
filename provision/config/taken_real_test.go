package config

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"wsprovision/provision/nginx/conf"
	"wsprovision/provision/nginx/nginxtest"
	"wsprovision/provision/nginx/render"
	"wsprovision/provision/site"
)

// hostileTexts end what they stand in, begin something of their own, or mean something to nginx.
var hostileTexts = []string{"a;b", "a}b", "a{b", "a b", `a"b`, "a'b", `a\`, "a\nb", "a\r\nX: y", "$host", "${a}", "#a",
	"",
	"a\x00b", "../../etc/passwd", "/a;include /etc/nginx/x;", "/..;/", "ä", "/a{1}", "https://a;b", "*", "_",
	"unix:/a;b",
	"hash $a;b", "default_server", "~^a", "/a\t}", "\u2028"}

// choices of the keys' values as YAML; PEM and KEY are a pair that is there.
var (
	siteChoices = map[string][]string{
		"server_name": {"NAME", "[NAME, '*.NAME']", "[my_host.NAME, NAME]", "Upper.NAME", "xn--4ca.NAME"},
		"listen": {"20080", "[20080, '[::]:20080']", "'127.0.0.1:20080'", "20443", "'127.0.0.2:20443'", "80",
			"'20081 proxy_protocol'", "['[::1]:20443', 20443]", "443"},
		"default_server": {"true", "reject", "reject"}, "acme_webroot": {"/var/lib/acme"},
		"trusted_proxies": {"10.0.0.0/8", "['2001:db8::/32', 127.0.0.1]"},
		"real_ip_header":  {"X-Real-IP", "proxy_protocol"},
		"tls": {"{certificate: PEM, key: KEY}", "{certificate: PEM, key: KEY, redirect: true, hsts: true}",
			"{certificate: PEM, key: KEY, client_ca: PEM, http2: true}",
			"{certificate: PEM, key: KEY, profile: modern, client_ca: PEM}",
			"{certificate: PEM, key: KEY, http2: true}"},
	}
	locationChoices = map[string][]string{
		"path":  {"/", "/ws/", "/a b/", "/A_b", `'^/x{1,3}\.js$'`, `"(?i)\\.(a|b)$"`, "'/$'", `'/\d+"q"'`, "/q;'"},
		"match": {"exact", "regex", "prefix"}, "strip_prefix": {"true"}, "root": {"/srv"},
		"backend": {"'127.0.0.1:3000'", "'[::1]:3000'", "'unix:/run/app/a.sock'", "'https://127.0.0.1:3443'",
			"app_server:3000",
			"['127.0.0.1:1 weight=3', '127.0.0.2:1 backup']", "['unix:/run/a', 'unix:/run/b max_fails=0']",
			"'localhost:3000'",
			"['https://localhost:1', 'https://127.0.0.1:2']"},
		"backend_tls": {"{ca: PEM, name: app.internal}", "{verify: false}", "{ca: PEM}"}, "resolver": {"127.0.0.1"},
		"balance":   {"ip_hash", "least_conn", "round_robin", "'hash $remote_addr'", "'hash $arg_a consistent'"},
		"keepalive": {"1", "32", "65535"}, "websocket": {"false", "only", "true"}, "heartbeat": {"1s", "8h", "30s"},
		"allowed_origins": {"any", "'https://app.example.com'", "['http://[::1]:8080', 'https://A.b:8443']",
			"'http://localhost'"},
		"read_timeout": {"1ms", "24h"}, "connect_timeout": {"75s"}, "buffering": {"false", "true"},
		"max_body": {"unlimited", "10m", "1k"}, "basic_auth_file": {"/etc/nginx/users", "'/etc/a b'"},
		"request_headers": {`{X-A: "a;b}{#'\"\\"}`, "{Host: app.internal}", `{Accept-Encoding: ""}`},
		"allow":           {"10.0.0.0/8", "['::1', 127.0.0.1]"}, "deny": {"192.0.2.1"},
		"limits": {"{connections_per_client: 1}", "{requests_per_second: 100000, burst: 100000}",
			"{connections_per_client: 65535, requests_per_second: 1}"},
		"snippet": {`"proxy_hide_header Server;"`, `"add_header X '}';"`, `"# }\nset $a \"{\";\r\n"`,
			`"if ($http_a) { return 404; }"`},
		"probe": {"{subprotocol: binary}"},
	}
)

// draft is a site in the making: its keys, and those of its locations, as YAML.
type draft struct {
	keys      map[string]string
	locations []map[string]string
}

// grow changes a key of the site or of one of its locations. Now and then the value is hostile.
func (d *draft) grow(t *rapid.T) (undo func()) {
	in, choices := d.keys, siteChoices
	if i := rapid.IntRange(-1, len(d.locations)-1).Draw(t, "where"); i >= 0 {
		in, choices = d.locations[i], locationChoices
	}
	key := rapid.SampledFrom(slices.Sorted(maps.Keys(choices))).Draw(t, "key")
	value := rapid.SampledFrom(choices[key]).Draw(t, "value")
	if rapid.IntRange(0, 9).Draw(t, "hostile") == 0 {
		text, _ := json.Marshal(rapid.SampledFrom(hostileTexts).Draw(t, "text"))
		value = string(text)
	}
	old, had := in[key]
	in[key] = value
	return func() {
		if in[key] = old; !had {
			delete(in, key)
		}
	}
}

func (d *draft) String() string {
	var locations []string
	for _, l := range d.locations {
		locations = append(locations, flow(l))
	}
	return "- {locations: [" + strings.Join(locations, ", ") + "], " + flow(d.keys)[1:] + "\n"
}

func flow(keys map[string]string) string {
	var all []string
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		all = append(all, key+": "+keys[key])
	}
	return "{" + strings.Join(all, ", ") + "}"
}

// grown is a file that the loader accepts: plain sites, to which keys are added as long as it does. Two at a time may
// need each other.
func grown(t *rapid.T, files *strings.Replacer) string {
	var all []*draft
	for range rapid.IntRange(1, 3).Draw(t, "sites") {
		all = append(all, &draft{map[string]string{"server_name": "NAME", "name": fmt.Sprintf("s%d", len(all))},
			[]map[string]string{{"path": "/", "backend": "'127.0.0.1:3000'"},
				{"path": "/b/", "backend": "localhost:1"}}})
	}
	text := func() string {
		text := "sites:\n"
		for n, d := range all {
			text += strings.ReplaceAll(d.String(), "NAME", fmt.Sprintf("n%d.example.com", n))
		}
		return files.Replace(text)
	}
	for range rapid.IntRange(5, 30).Draw(t, "keys") {
		d := rapid.SampledFrom(all).Draw(t, "draft")
		first, second := d.grow(t), func() {}
		if rapid.Bool().Draw(t, "two") {
			second = d.grow(t)
		}
		if _, err := load(text()); err != nil {
			second()
			first()
		}
	}
	return text()
}

// TestWhateverIsLoadedIsTaken: sites that share sockets, with any keys beside each other and hostile values among them:
// what the loader accepts is taken by the real nginx without a warning, and has no directive that nobody asked for.
func TestWhateverIsLoadedIsTaken(t *testing.T) {
	nginxtest.NeedNginx(t, false)
	h := nginxtest.NewHost(t, nil)
	pair := h.Certificate()
	files := strings.NewReplacer("PEM", pair.Certificate, "KEY", pair.Key)
	rapid.Check(t, func(rt *rapid.T) {
		text := grown(rt, files)
		c, err := load(text)
		if err != nil {
			rt.Fatalf("%v\n%s", err, text)
		}
		installed := render.Installed{IPv6: rapid.Bool().Draw(rt, "ipv6"),
			Backlog: rapid.SampledFrom([]int{0, 1500}).Draw(rt, "backlog")}
		files, err := installed.Render(here(c.Sites))
		if err != nil {
			rt.Fatalf("%v\n%s", err, text)
		}
		h.Clear()
		overlay := map[string][]byte{"/nginx.conf": []byte("include /conf.d/*.conf;")}
		variables := 0
		for _, f := range files {
			h.Write("conf.d/"+f.Name, string(f.Content))
			overlay["/conf.d/"+f.Name] = f.Content
			variables += render.Variables(f.Content)
		}
		h.Write("conf.d/_wsprovision.conf", string(render.Sizes(nil, 0, variables, nil)))
		if stderr, status := h.Check(); status != 0 || strings.Contains(stderr, "[warn]") {
			rt.Fatalf("nginx -t: %d: %s\n%s\n%s", status, stderr, text, files[len(files)-1].Content)
		}
		tree, err := conf.Load("", "/nginx.conf", overlay)
		if err != nil {
			rt.Fatal(err)
		}
		if d := unasked(tree.Directives()); d != "" && !strings.Contains(text, "snippet") {
			rt.Fatalf("%s\n%s", d, text)
		}
	})
}

// here has names that this machine can look up in the place of those of backends.
func here(all []site.Site) []site.Site {
	for _, s := range all {
		for i := range s.Locations {
			for j := range s.Locations[i].Backends {
				if b := &s.Locations[i].Backends[j]; b.Host == "app_server" && len(s.Locations[i].Resolver) == 0 {
					b.Host = "localhost"
				}
			}
		}
	}
	return all
}

// unasked is the first directive that no key is rendered to.
func unasked(body []conf.Directive) string {
	for _, d := range body {
		prefix := slices.ContainsFunc([]string{"ssl_", "proxy_", "limit_", "auth_basic", "real_ip_"},
			func(p string) bool {
				return strings.HasPrefix(d.Name, p)
			})
		if !prefix && !slices.Contains([]string{"map", "geo", "split_clients", "upstream", "server", "listen",
			"server_name",
			"location", "if", "return", "set", "set_real_ip_from", "root", "alias", "default_type", "add_header",
			"allow", "deny",
			"client_max_body_size", "resolver"}, d.Name) {
			return fmt.Sprintf("%s:%d: %s %q", d.File, d.Line, d.Name, d.Args)
		}
		if slices.Contains([]string{"map", "geo", "upstream", "split_clients"}, d.Name) {
			continue
		}
		if inner := unasked(d.Body); inner != "" {
			return inner
		}
	}
	return ""
}
