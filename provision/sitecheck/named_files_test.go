package sitecheck

import (
	"os"
	"strings"
	"testing"

	"wsprovision/provision/engine"
	"wsprovision/provision/site"
)

// What nginx opens only when a request comes is looked at beforehand: nginx -t takes a name of anything.
func TestNamedFiles(t *testing.T) {
	h := on(t, map[string]string{"/etc/users": "a:b\n", "/etc/closed": "a:b\n", "/srv/app/index.html": "x"})
	for path, mode := range map[string]os.FileMode{"/etc/users": 0o640, "/etc/closed": 0o600, "/srv/app": 0o755} {
		if err := os.Chmod(h.Root+path, mode); err != nil {
			t.Fatal(err)
		}
	}
	for name, tt := range map[string]struct {
		site site.Site
		want string // in the warning; "" is none
	}{
		"all is there":     {site.Site{ACMEWebroot: "/srv/app", Locations: guarded("/srv/app", "/etc/users")}, ""},
		"no webroot":       {site.Site{ACMEWebroot: "/srv/acme"}, "acme_webroot /srv/acme is not there"},
		"a file as root":   {site.Site{Locations: guarded("/etc/users", "")}, "root /etc/users is no directory"},
		"a directory":      {site.Site{Locations: guarded("", "/srv/app")}, "basic_auth_file /srv/app is a directory"},
		"the owner's":      {site.Site{Locations: guarded("", "/etc/closed")}, "can be read by its owner alone"},
		"nothing is named": {site.Site{Locations: guarded("", "")}, ""},
	} {
		var f engine.Finding
		NamedFiles(h, []site.Site{tt.site}, &f)
		if got := strings.Join(f.Warnings, "\n"); !strings.Contains(got, tt.want) || (got == "") != (tt.want == "") {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
	}
}

func guarded(root, users string) []site.Location {
	return []site.Location{{Path: "/", Root: root, BasicAuthFile: users}}
}
