package sitecheck

import (
	"os"
	"strings"
	"testing"

	"wsprovision/provision/engine"
)

// A directory in which a group may write is warned of, by the group's name where the host has one for it.
func TestSayGroup(t *testing.T) {
	for name, tt := range map[string]struct {
		mode  os.FileMode
		group string
		want  string
	}{
		"a group writes":       {0o775, "root:x:0:\nwheel:x:10:a\n", "by the group root"},
		"its name is its own":  {0o775, "0:x:10:\nadm:x:0\n", "by the group adm"},
		"without a name":       {0o775, "wheel:x:10:a\nbroken\n", "by the group 0"},
		"without /etc/group":   {0o775, "", "by the group 0"},
		"everybody but groups": {0o757, "root:x:0:\n", ""},
		"nobody":               {0o755, "root:x:0:\n", ""},
	} {
		files := map[string]string{"/etc/nginx/nginx.conf": ""}
		if tt.group != "" {
			files["/etc/group"] = tt.group
		}
		h := on(t, files)
		if err := os.Chmod(h.Root+"/etc/nginx", tt.mode); err != nil {
			t.Fatal(err)
		}
		if err := os.Chown(h.Root+"/etc/nginx", 0, 0); err != nil {
			t.Skip("root's files can be made by root alone")
		}
		var f engine.Finding
		Group(h, &f, "/etc/nginx")
		if got := strings.Join(f.Warnings, "\n"); (got == "") != (tt.want == "") || !strings.Contains(got, tt.want) ||
			got != "" && !strings.HasSuffix(got, ": chmod g-w /etc/nginx") {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
		Group(h, &f, "/etc/nginx/nginx.conf")
		Group(h, &f, "/etc/missing")
		if len(f.Warnings) > 1 {
			t.Errorf("%s: %q of what is no directory", name, f.Warnings)
		}
	}
}
