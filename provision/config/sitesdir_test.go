package config

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// directory holds the files, by their names; wsprovision.yaml stands beside sites.d.
func directory(t *testing.T, files map[string]string) Input {
	t.Helper()
	dir := t.TempDir()
	if err := os.Mkdir(dir+"/sites.d", 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return Input{DefaultFile: dir + "/wsprovision.yaml", SitesDir: dir + "/sites.d"}
}

func siteOf(name, server string) string {
	return fmt.Sprintf("sites:\n  - name: %s\n    server_name: %s\n    locations: [{path: /, backend: a:1}]\n", name,
		server)
}

func TestSitesDir(t *testing.T) {
	for _, tc := range []struct {
		name  string
		files map[string]string
		sites string
		wrong []string
	}{
		{"none", nil, "", nil},
		{"the directory alone", map[string]string{"sites.d/b.yaml": siteOf("b", "b.c"), "sites.d/a.yaml": siteOf("a",
			"a.c")},
			"a b", nil},
		{"beside the file", map[string]string{"wsprovision.yaml": siteOf("m", "m.c"), "sites.d/a.yaml": siteOf("a",
			"a.c")},
			"m a", nil},
		{"other names", map[string]string{"sites.d/a.yml": "x", "sites.d/.a.yaml": "x", "sites.d/a.yaml.rpmnew": "x",
			"sites.d/b.yaml": siteOf("b", "b.c")}, "b", nil},
		{"an empty file", map[string]string{"sites.d/a.yaml": "", "sites.d/b.yaml": siteOf("b", "b.c")}, "b", nil},
		{"keys of the host", map[string]string{"sites.d/a.yaml": "epel: {source: none}\n" + siteOf("a", "a.c"),
			"wsprovision.yaml": "epel: {source: none}\n"}, "a", nil},
		{"one key, two values", map[string]string{"wsprovision.yaml": "on_drift: keep\n",
			"sites.d/a.yaml": siteOf("a", "a.c") + "on_drift: fail\n"}, "",
			[]string{"sites.d/a.yaml: on_drift (line 5): fail, and ", "wsprovision.yaml (line 1) says keep"}},
		{"the same site twice", map[string]string{"wsprovision.yaml": siteOf("a", "m.c"), "sites.d/a.yaml": siteOf("a",
			"a.c")},
			"", []string{"sites.d/a.yaml: sites[0].name (line 2): the name a is taken already by sites[0].name of ",
				"wsprovision.yaml (line 2)"}},
		{"a name of servers twice", map[string]string{"sites.d/a.yaml": siteOf("a", "a.c"),
			"sites.d/b.yaml": siteOf("b", "a.c")}, "",
			[]string{"sites.d/b.yaml: sites[0].server_name (line 3): the name a.c on 80 is taken already by " +
				"sites[0].server_name of ", "sites.d/a.yaml (line 3)"}},
		{"problems of several", map[string]string{"wsprovision.yaml": "on_drift: no\n",
			"sites.d/a.yaml": siteOf("A", "a.c"), "sites.d/b.yaml": siteOf("b", "a.c") + "  - name: C\n"}, "",
			[]string{"configuration: 6 problems:", "wsprovision.yaml: on_drift (line 1)",
				"a.yaml: sites[0].name (line 2)",
				"b.yaml: sites[1].name (line 5)"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c, err := Load(directory(t, tc.files))
			var names []string
			for _, s := range c.Sites {
				names = append(names, s.Name)
			}
			if got := strings.Join(names, " "); got != tc.sites || (err == nil) != (tc.wrong == nil) {
				t.Fatalf("%q, want %q: %v", got, tc.sites, err)
			}
			for _, want := range tc.wrong {
				if !strings.Contains(strings.ReplaceAll(err.Error(), "configuration /", "configuration x: /"), want) {
					t.Errorf("%v\ndoes not say %s", err, want)
				}
			}
		})
	}
}

// A file that was named is read alone.
func TestSitesDirIsNotReadBesideANamedFile(t *testing.T) {
	in := directory(t, map[string]string{"other.yaml": siteOf("o", "o.c"), "sites.d/a.yaml": "broken"})
	for _, named := range []Input{{File: filepath.Dir(in.DefaultFile) + "/other.yaml", SitesDir: in.SitesDir},
		{Environ: []string{"WSPROVISION_CONFIG=" + filepath.Dir(in.DefaultFile) + "/other.yaml"},
			SitesDir: in.SitesDir}} {
		if c, err := Load(named); err != nil || len(c.Sites) != 1 || c.Sites[0].Name != "o" {
			t.Errorf("%+v, %v", c.Sites, err)
		}
	}
}

// TestHostileSitesDir: what is no plain file there is refused and not waited for.
func TestHostileSitesDir(t *testing.T) {
	in := directory(t, nil)
	if err := errors.Join(syscall.Mkfifo(in.SitesDir+"/pipe.yaml", 0o600), os.Mkdir(in.SitesDir+"/dir.yaml", 0o700),
		os.Symlink("/dev/zero", in.SitesDir+"/zero.yaml")); err != nil {
		t.Fatal(err)
	}
	_, err := Load(in)
	if err == nil || strings.Count(err.Error(), "only plain files") != 3 {
		t.Errorf("%v", err)
	}
}

// A site of the flags that a file of the directory has is overridden there, by its name.
func TestFlagsNameTheirSite(t *testing.T) {
	in := directory(t, map[string]string{"sites.d/a.yaml": siteOf("a", "a.c"), "sites.d/b.yaml": siteOf("b", "b.c")})
	in.Flags = map[string]string{"name": "b", "backend": "c:2"}
	c, err := Load(in)
	if err != nil || c.Sites[1].Locations[0].Backends[0].String() != "c:2" ||
		c.Sites[0].Locations[0].Backends[0].String() != "a:1" {
		t.Errorf("%+v, %v", c.Sites, err)
	}
}

func TestExplain(t *testing.T) {
	in := directory(t, map[string]string{
		"wsprovision.yaml": "epel:\n  source: mirror\n  baseurl: https://me:word@mirror.example.com/7/\n  gpgkey: /k\n",
		"sites.d/a.yaml":   siteOf("a", "[a.c, b.c]")})
	in.Environ = []string{"WSPROVISION_ON_DRIFT=keep"}
	in.Flags = map[string]string{"name": "a", "listen": "80,8080"}
	text, err := Explain(in)
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Dir(in.DefaultFile)
	for _, want := range []string{
		"on_drift: keep # environment WSPROVISION_ON_DRIFT", "source: mirror # " + dir + "/wsprovision.yaml:2",
		`- "8080" # flag --listen`, "- b.c # " + dir + "/sites.d/a.yaml:3", "read_timeout: 24h # default",
		"yum_lock: 10m # default", "name: a # ",
	} {
		if !strings.Contains(string(text), want) {
			t.Errorf("%s\ndoes not say %s", text, want)
		}
	}
	if strings.Contains(string(text), "word@") {
		t.Errorf("a password is shown:\n%s", text)
	}
}
