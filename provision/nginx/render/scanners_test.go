package render_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"wsprovision/provision/nginx/conf"
	"wsprovision/provision/nginx/nginxtest"

	"pgregory.net/rapid"
)

// TestScannersFindNothing makes the checks of the known scanners of nginx configurations, by the names that these give
// them, over whatever is rendered. A snippet is the administrator's.
func TestScannersFindNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := sites.Draw(t, "site")
		for i := range s.Locations {
			s.Locations[i].Snippet = ""
		}
		content, err := nginxtest.Alone(s)
		if err != nil {
			t.Fatal(err)
		}
		tree, err := conf.Load("", "/site.conf", map[string][]byte{"/site.conf": content})
		if err != nil {
			t.Fatal(err)
		}
		for name, finds := range scanners {
			walkBlocks(tree.Directives(), nil, func(d conf.Directive, around []conf.Directive) {
				if finds(d, around) {
					t.Fatalf("%s: %s %q in\n%s", name, d.Name, d.Args, content)
				}
			})
		}
	})
}

// TestScannersFind: each check finds what it is for.
func TestScannersFind(t *testing.T) {
	for name, text := range map[string]string{
		"ssrf":                    "location / { proxy_pass http://$arg_to; }",
		"http_splitting":          "location / { return 301 https://a$uri; }",
		"origins":                 `map $http_origin $x { "~https://a.example.com" 1; }`,
		"host_spoofing":           "location / { proxy_set_header Host $http_host; }",
		"add_header_redefinition": "server { add_header A b; location / { add_header C d; } }",
		"alias_traversal":         "location /a { alias /srv/; }",
		"valid_referers":          "server { valid_referers none; }",
	} {
		tree, err := conf.Load("", "/f", map[string][]byte{"/f": []byte(text)})
		found := false
		walkBlocks(tree.Directives(), nil, func(d conf.Directive, around []conf.Directive) {
			found = found || scanners[name](d, around)
		})
		if err != nil || !found {
			t.Errorf("%s does not find %q (%v)", name, text, err)
		}
	}
}

func walkBlocks(body, around []conf.Directive, visit func(d conf.Directive, around []conf.Directive)) {
	for _, d := range body {
		visit(d, around)
		walkBlocks(d.Body, append(slices.Clone(around), d), visit)
	}
}

var (
	written  = []string{"proxy_pass", "return", "rewrite", "add_header", "proxy_set_header", "set"}
	splits   = regexp.MustCompile(`\$(\{)?(uri|document_uri|[0-9])`)
	hostPart = regexp.MustCompile(`^[a-z]+://[^/]*\$`)
	weak     = regexp.MustCompile(`[^\\]\.[a-z*+?]`)
)

// fixed: the host part is one variable, which the same block sets to a text without another.
func fixed(to string, around []conf.Directive) bool {
	_, variable, _ := strings.Cut(to, "://")
	return len(around) > 0 && slices.ContainsFunc(around[len(around)-1].Body, func(d conf.Directive) bool {
		return d.Name == "set" && d.Args[0] == variable && !strings.Contains(d.Args[1], "$")
	})
}

var scanners = map[string]func(d conf.Directive, around []conf.Directive) bool{
	"ssrf": func(d conf.Directive, around []conf.Directive) bool {
		return d.Name == "proxy_pass" && !fixed(d.Args[0], around) &&
			(hostPart.MatchString(d.Args[0]) || strings.HasPrefix(d.Args[0], "$"))
	},
	"http_splitting": func(d conf.Directive, around []conf.Directive) bool {
		inMap := len(around) > 0 && slices.Contains([]string{"map", "geo"}, around[len(around)-1].Name)
		return !inMap && slices.Contains(written, d.Name) && splits.MatchString(strings.Join(d.Args, " "))
	},
	"origins": func(d conf.Directive, around []conf.Directive) bool {
		if len(around) == 0 || around[len(around)-1].Name != "map" ||
			!strings.Contains(around[len(around)-1].Args[0], "$http_origin") || !strings.HasPrefix(d.Name, "~") {
			return false
		}
		refuses := len(d.Args) == 1 && d.Args[0] == "0"
		return !refuses && (weak.MatchString(d.Name) || !strings.HasSuffix(d.Name, "$") ||
			!strings.HasPrefix(strings.TrimLeft(d.Name, "~*"), "^"))
	},
	"host_spoofing": func(d conf.Directive, _ []conf.Directive) bool {
		return d.Name == "proxy_set_header" && strings.EqualFold(d.Args[0], "host") &&
			(strings.Contains(d.Args[1], "$http_host") || strings.Contains(d.Args[1], "$arg_"))
	},
	"add_header_redefinition": func(d conf.Directive, around []conf.Directive) bool {
		mine := headersOf(d)
		for _, outer := range around {
			for _, name := range headersOf(outer) {
				if len(mine) > 0 && !slices.Contains(mine, name) {
					return true
				}
			}
		}
		return false
	},
	"alias_traversal": func(d conf.Directive, around []conf.Directive) bool {
		if d.Name != "alias" {
			return false
		}
		args := around[len(around)-1].Args
		prefix := len(args) == 1 || args[0] == "^~"
		return prefix && !strings.HasSuffix(args[len(args)-1], "/") && strings.HasSuffix(d.Args[0], "/")
	},
	"valid_referers": func(d conf.Directive, _ []conf.Directive) bool {
		return d.Name == "valid_referers" && slices.Contains(d.Args, "none")
	},
}

func headersOf(d conf.Directive) []string {
	var all []string
	for _, c := range d.Body {
		if c.Name == "add_header" {
			all = append(all, c.Args[0])
		}
	}
	return all
}
