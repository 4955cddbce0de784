package nginx

import (
	"path"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const builtEPEL = "nginx version: nginx/1.20.1\nconfigure arguments: --prefix=/usr/share/nginx " +
	"--sbin-path=/usr/sbin/nginx --error-log-path=/var/log/nginx/error.log --http-log-path=/var/log/nginx/access.log " +
	"--http-client-body-temp-path=/var/lib/nginx/tmp/client_body --http-proxy-temp-path=/var/lib/nginx/tmp/proxy " +
	"--pid-path=/run/nginx.pid --with-cc-opt='-O2 -g --pid-path=x' --with-debug\n"

func TestParseBuild(t *testing.T) {
	got, err := parseBuild(builtEPEL)
	want := build{"/usr/share/nginx", "/run/nginx.pid", "/var/log/nginx/error.log", "/var/log/nginx/access.log",
		[]string{"/var/lib/nginx/tmp/client_body", "/var/lib/nginx/tmp/proxy", "/usr/share/nginx/fastcgi_temp",
			"/usr/share/nginx/uwsgi_temp", "/usr/share/nginx/scgi_temp"}}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(build{})); diff != "" || err != nil {
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
		if len(b.temporary) != 5 || b.prefix == "" || b.errorLog == "" || b.accessLog == "" {
			t.Errorf("%q: %+v", text, b)
		}
		for _, name := range append([]string{b.pid, b.absolute(b.errorLog)}, b.temporary...) {
			if !path.IsAbs(name) || path.Clean(name) != name {
				t.Errorf("%q: %q", text, name)
			}
		}
		if again, err := parseBuild(text +
			" --pid-path=/last/nginx.pid --http-scgi-temp-path=/last/scgi"); err != nil ||
			again.pid != "/last/nginx.pid" || again.temporary[4] != "/last/scgi" {
			t.Errorf("%q: %+v, %v", text, again, err)
		}
	})
}
