package nginx

import (
	"path"
	"strings"
	"testing"

	"wsprovision/provision/nginx/conf"

	"github.com/google/go-cmp/cmp"
)

const builtEPEL = "nginx version: nginx/1.20.1\nconfigure arguments: --prefix=/usr/share/nginx " +
	"--sbin-path=/usr/sbin/nginx --error-log-path=/var/log/nginx/error.log --http-log-path=/var/log/nginx/access.log " +
	"--http-client-body-temp-path=/var/lib/nginx/tmp/client_body --http-proxy-temp-path=/var/lib/nginx/tmp/proxy " +
	"--pid-path=/run/nginx.pid --with-cc-opt='-O2 -g --pid-path=x' --with-debug\n"

func TestParseBuild(t *testing.T) {
	got, err := parseBuild(builtEPEL)
	want := conf.Build{Prefix: "/usr/share/nginx", PID: "/run/nginx.pid", ErrorLog: "/var/log/nginx/error.log",
		AccessLog: "/var/log/nginx/access.log",
		Temporary: []string{"/var/lib/nginx/tmp/client_body", "/var/lib/nginx/tmp/proxy",
			"/usr/share/nginx/fastcgi_temp",
			"/usr/share/nginx/uwsgi_temp", "/usr/share/nginx/scgi_temp"}}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v\n%s", err, diff)
	}
	if _, err := parseBuild("sh: nginx: not found"); err == nil || !strings.Contains(err.Error(), "not found") {
		t.Errorf("%v", err)
	}
}

// Whatever nginx was built with, every place is absolute, and the option that comes last counts.
func FuzzParseBuild(f *testing.F) {
	f.Add(builtEPEL)
	f.Fuzz(func(t *testing.T, text string) {
		b, err := parseBuild(text)
		if (err == nil) != strings.Contains(text, "configure arguments:") {
			t.Fatalf("%q: %v", text, err)
		}
		if err != nil {
			return
		}
		if len(b.Temporary) != 5 || b.Prefix == "" || b.ErrorLog == "" || b.AccessLog == "" {
			t.Errorf("%q: %+v", text, b)
		}
		for _, name := range append([]string{b.PID, b.Absolute(b.ErrorLog)}, b.Temporary...) {
			if !path.IsAbs(name) || path.Clean(name) != name {
				t.Errorf("%q: %q", text, name)
			}
		}
		if again, err := parseBuild(text +
			" --pid-path=/last/nginx.pid --http-scgi-temp-path=/last/scgi"); err != nil ||
			again.PID != "/last/nginx.pid" || again.Temporary[4] != "/last/scgi" {
			t.Errorf("%q: %+v, %v", text, again, err)
		}
	})
}
