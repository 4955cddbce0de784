package systemd

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	nginxUnit = "[Unit]\nDescription=The nginx HTTP and reverse proxy " +
		"server\nAfter=network.target\n\n[Service]\nType=forking\nExecStart=/usr/sbin/" +
		"nginx\n\n[Install]\nWantedBy=multi-user.target\n"
	staticUnit = "[Service]\nExecStart=/bin/true\n"
)

// tree makes files: a value "-> target" is a link, "/" a directory, anything else the content.
func tree(t *testing.T, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	for path, content := range files {
		path = filepath.Join(root, path)
		if content == "/" {
			if err := os.MkdirAll(path, 0o755); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		target, link := strings.CutPrefix(content, "-> ")
		err := os.WriteFile(path, []byte(content), 0o644)
		if link {
			_ = os.Remove(path)
			err = os.Symlink(target, path)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func TestUnitFile(t *testing.T) {
	const vendor = "/usr/lib/systemd/system/"
	tests := []struct {
		name, unit string
		files      map[string]string
		load, file string
	}{
		{"no tree at all", "nginx.service", nil, "not-found", ""},
		{"disabled", "nginx.service", map[string]string{vendor + "nginx.service": nginxUnit}, "loaded", "disabled"},
		{"enabled", "nginx.service", map[string]string{vendor + "nginx.service": nginxUnit,
			"/etc/systemd/system/multi-user.target.wants/nginx.service": "-> /usr/lib/systemd/system/nginx.service"},
			"loaded", "enabled"},
		{"enabled by systemd 208 with --root=/", "nginx.service", map[string]string{vendor + "nginx.service": nginxUnit,
			"/etc/systemd/system/multi-user.target.wants/nginx.service": "-> ///usr/lib/systemd/system/nginx.service"},
			"loaded", "enabled"},
		{"enabled by RequiredBy", "x.service",
			map[string]string{vendor + "x.service": "[Install]\nRequiredBy=a.target\n",
				"/etc/systemd/system/a.target.requires/x.service": "-> /usr/lib/systemd/system/x.service"}, "loaded",
			"enabled"},
		{"enabled by an alias", "x.service", map[string]string{vendor + "x.service": "[Install]\nAlias=web.service\n",
			"/etc/systemd/system/web.service": "-> /usr/lib/systemd/system/x.service"}, "loaded", "enabled"},
		{"asked by its alias", "web.service", map[string]string{vendor + "x.service": "[Install]\nAlias=web.service\n",
			"/etc/systemd/system/web.service": "-> /usr/lib/systemd/system/x.service"}, "loaded", "enabled"},
		{"another unit's link", "nginx.service", map[string]string{vendor + "nginx.service": nginxUnit,
			"/etc/systemd/system/multi-user.target.wants/sshd.service": "-> /usr/lib/systemd/system/sshd.service"},
			"loaded", "disabled"},
		{"vendor's own wants do not count", "x.service", map[string]string{vendor + "x.service": staticUnit,
			vendor + "multi-user.target.wants/x.service": "-> ../x.service"}, "loaded", "static"},
		{"static", "x.service", map[string]string{vendor + "x.service": staticUnit}, "loaded", "static"},
		{"indirect", "x.service", map[string]string{vendor + "x.service": "[Install]\nAlso=x.socket\n"}, "loaded",
			"indirect"},
		{"override in /etc wins", "nginx.service",
			map[string]string{vendor + "nginx.service": nginxUnit, "/etc/systemd/system/nginx.service": staticUnit},
			"loaded", "static"},
		{"masked, /dev/null is not there", "nginx.service", map[string]string{vendor + "nginx.service": nginxUnit,
			"/etc/systemd/system/nginx.service":                         "-> /dev/null",
			"/etc/systemd/system/multi-user.target.wants/nginx.service": "-> /usr/lib/systemd/system/nginx.service"},
			"masked", "masked"},
		{"masked by an empty file", "nginx.service",
			map[string]string{vendor + "nginx.service": nginxUnit, "/etc/systemd/system/nginx.service": ""}, "masked",
			"masked"},
		{"the installer's /run does not count", "nginx.service",
			map[string]string{"/run/systemd/system/nginx.service": nginxUnit}, "not-found", ""},
		{"nor do its links", "nginx.service", map[string]string{vendor + "nginx.service": nginxUnit,
			"/run/systemd/system/multi-user.target.wants/nginx.service": "-> /usr/lib/systemd/system/nginx.service"},
			"loaded", "disabled"},
		{"linked", "x.service", map[string]string{"/opt/x.service": nginxUnit,
			"/etc/systemd/system/x.service": "-> /opt/x.service"}, "loaded", "linked"},
		{"relative link", "x.service",
			map[string]string{"/opt/x.service": nginxUnit,
				"/etc/systemd/system/x.service": "-> ../../../opt/x.service"}, "loaded", "linked"},
		{"instance of a template", "x@1.service", map[string]string{vendor + "x@.service": nginxUnit}, "loaded",
			"disabled"},
		{"enabled instance", "x@1.service", map[string]string{vendor + "x@.service": nginxUnit,
			"/etc/systemd/system/multi-user.target.wants/x@1.service": "-> /usr/lib/systemd/system/x@.service"},
			"loaded", "enabled"},
		{"other instance enabled", "x@2.service", map[string]string{vendor + "x@.service": nginxUnit,
			"/etc/systemd/system/multi-user.target.wants/x@1.service": "-> /usr/lib/systemd/system/x@.service"},
			"loaded", "disabled"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o := &Offline{Root: tree(t, tt.files)}
			got, err := o.State(t.Context(), tt.unit)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(State{Load: tt.load, File: tt.file}, got); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestUnitFileThatCannotBeRead(t *testing.T) {
	tests := []struct {
		name, want string
		files      map[string]string
	}{
		{"dangling link", "/etc/systemd/system/x.service points to /opt/x.service, which is not there",
			map[string]string{"/etc/systemd/system/x.service": "-> /opt/x.service"}},
		{"loop", "too many links", map[string]string{"/etc/systemd/system/x.service": "-> x.service"}},
		{"directory", "is neither a file nor a link", map[string]string{"/etc/systemd/system/x.service": "/"}},
		{"not a unit file", `neither a section nor an assignment: "garbage"`,
			map[string]string{"/usr/lib/systemd/system/x.service": "[Unit]\ngarbage\n"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o := &Offline{Root: tree(t, tt.files)}
			if st, err := o.State(t.Context(), "x.service"); !strings.Contains(errText(err), tt.want) {
				t.Errorf("got %+v, %q, want an error with %q", st, errText(err), tt.want)
			}
		})
	}
}

func TestParseInstall(t *testing.T) {
	tests := []struct {
		name, text string
		want       install
		err        string
	}{
		{"nginx", nginxUnit, install{WantedBy: []string{"multi-user.target"}}, ""},
		{"several, twice", "[Install]\nWantedBy=a.target b.target\nWantedBy = c.target\n",
			install{WantedBy: []string{"a.target", "b.target", "c.target"}}, ""},
		{"reset", "[Install]\nWantedBy=a.target\nWantedBy=\nWantedBy=b.target",
			install{WantedBy: []string{"b.target"}}, ""},
		{"continued", "[Install]\nWantedBy=a.target \\\n b.target\n",
			install{WantedBy: []string{"a.target", "b.target"}}, ""},
		{"continued at the end", "[Install]\nWantedBy=a.target \\", install{WantedBy: []string{"a.target"}}, ""},
		{"escaped backslash does not continue", "[Install]\nAlso=a\\\\\nWantedBy=b.target\n",
			install{Also: []string{`a\\`}, WantedBy: []string{"b.target"}}, ""},
		{"quotes", "[Install]\nAlias=\"a.service\" 'b.service'\n", install{Alias: []string{"a.service", "b.service"}},
			""},
		{"other sections", "[Unit]\nWantedBy=a.target\n[X-Install]\nWantedBy=b.target\n", install{}, ""},
		{"comments, byte order mark, carriage returns",
			"\ufeff# c\r\n; d\r\n[Install]\r\n#WantedBy=a.target\r\nRequiredBy=b.target\r\n",
			install{RequiredBy: []string{"b.target"}}, ""},
		{"empty", "", install{}, ""},
		{"broken section", "[Install\n", install{}, `not a section: "[Install"`},
		{"no assignment", "[Install]\nWantedBy\n", install{}, `neither a section nor an assignment: "WantedBy"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := parseInstall(tt.text)
			if errText(err) != tt.err {
				t.Errorf("error %q, want %q", errText(err), tt.err)
			}
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

func FuzzParseInstall(f *testing.F) {
	for _, s := range []string{nginxUnit, staticUnit, "[Install]\nWantedBy=a \\\n b\\\\\n;x\n", "[Install\n",
		"=\n[Install]\n==\"'", "\ufeff[]\n\\\n\\"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		in, err := parseInstall(text)
		if err != nil {
			return
		}
		for _, list := range [][]string{in.Alias, in.WantedBy, in.RequiredBy, in.Also} {
			for _, w := range list {
				if w == "" || strings.ContainsAny(w, " \t\n") || !strings.Contains(text, w) {
					t.Errorf("word %q from %q", w, text)
				}
			}
		}
		if again, err := parseInstall(text + "\n[Install]\nWantedBy=\nAlias=\nRequiredBy=\nAlso=\n"); err == nil &&
			!strings.HasSuffix(text, `\`) && !cmp.Equal(again, install{}) {
			t.Errorf("a reset leaves %+v of %q", again, text)
		}
	})
}

func TestCheckName(t *testing.T) {
	for _, good := range []string{"nginx.service", "rh-nginx116-nginx.service", "a@b:c.socket", `dev-disk\x2d1.device`,
		"x@.service", "wsprovision-firstboot.service"} {
		if err := checkName(good); err != nil {
			t.Error(err)
		}
	}
	for _, bad := range []string{"", "nginx", ".service/x", "../x.service", "-x.service", "a b.service", "a.conf",
		"a\n.service", strings.Repeat("a", 250) + ".service"} {
		if err := checkName(bad); err == nil {
			t.Errorf("%q passes for a name", bad)
		}
	}
}
