package conf

import (
	"os"
	"path/filepath"
	"testing"
)

// TestFolder: conf.d where http includes it, else the first folder that it includes by pattern, and conf.d again where
// there is none.
func TestFolder(t *testing.T) {
	const standard, names = "/etc/nginx/conf.d", "include /etc/nginx/conf.d/*.conf;"
	for name, tt := range map[string]struct{ conf, want string }{
		"conf.d":             {"http { include mime.types; " + names + " }", standard},
		"conf.d, relative":   {"http { include conf.d/*.conf; }", standard},
		"conf.d behind":      {"http { include vhosts/*.conf; " + names + " }", standard},
		"conf.d, otherwise":  {"http { include vhosts/*.conf; include /etc/nginx//conf.d/./*; }", standard},
		"another":            {"http { include vhosts/*.conf; include late/*.conf; }", "/etc/nginx/vhosts"},
		"every file":         {"http { include /etc/nginx/vhosts/*; }", "/etc/nginx/vhosts"},
		"through a file":     {"http { include http.inc; }", "/etc/nginx/late"},
		"http in a file":     {"include main.d/*.conf;", "/etc/nginx/vhosts"},
		"of one site each":   {"http { include vhosts/site-*.conf; include late/*.conf; }", "/etc/nginx/late"},
		"another ending":     {"http { include vhosts/*.vhost; include late/*.conf; }", "/etc/nginx/late"},
		"folders by pattern": {"http { include */*.conf; }", standard},
		"not there":          {"http { include gone/*.conf; include late/*.conf; }", "/etc/nginx/late"},
		"in a server":        {"http { server { include vhosts/*.conf; } include late/*.conf; }", "/etc/nginx/late"},
		"in stream":          {"stream { include vhosts/*.conf; } http { include late/*.conf; }", "/etc/nginx/late"},
		"conf.d in stream":   {"stream { " + names + " } http { include vhosts/*.conf; }", "/etc/nginx/vhosts"},
		"a link to conf.d":   {"http { include linked/*.conf; }", standard},
		"by name alone":      {"http { include mime.types; }", standard},
		"none":               {"http { }", standard},
		"damaged":            {"http { include vhosts/*.conf; ", standard},
		"no file":            {"", standard},
	} {
		root := t.TempDir()
		for _, dir := range []string{"conf.d", "vhosts", "late", "main.d"} {
			if err := os.MkdirAll(filepath.Join(root, "/etc/nginx", dir), 0o755); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.Symlink("conf.d", root+"/etc/nginx/linked"); err != nil {
			t.Fatal(err)
		}
		for file, text := range map[string]string{"nginx.conf": tt.conf, "http.inc": "include late/*.conf;",
			"main.d/web.conf": "http { include vhosts/*.conf; }", "vhosts/a.conf": "damaged {", "mime.types": ""} {
			if file == "nginx.conf" && text == "" {
				continue
			}
			if err := os.WriteFile(filepath.Join(root, "/etc/nginx", file), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		got, found := new(Reader).Folder(root, "/etc/nginx/nginx.conf", standard, "websocket.conf", "_wsprovision.conf")
		none := name == "none" || name == "by name alone" || name == "folders by pattern"
		if got != tt.want || found == none {
			t.Errorf("%s: %s %v, want %s", name, got, found, tt.want)
		}
	}
}
