package config

import (
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// applied loads with the options and writes down what is to be, as apply does.
func applied(t *testing.T, in Input, options ...string) (Config, string) {
	t.Helper()
	in.Flags = map[string]string{}
	for _, o := range options {
		name, value, _ := strings.Cut(o, "=")
		in.Flags[name] = value
	}
	c, err := Load(in)
	if err != nil {
		t.Fatal(err)
	}
	if c.Record == nil {
		return c, ""
	}
	if err := os.WriteFile(c.Record.Path, c.Record.Content, 0o600); err != nil {
		t.Fatal(err)
	}
	return c, strings.TrimPrefix(string(c.Record.Content), recordHead)
}

// TestOptionsAreRemembered: what apply was told by options is asked for without them too.
func TestOptionsAreRemembered(t *testing.T) {
	in := directory(t, nil)
	first, text := applied(t, in, "server-name=ws.example.com", "backend=127.0.0.1:3000", "path=/ws/",
		"epel-source=none",
		"on-drift=keep", "wait-yum-lock=1s")
	if want := "sites:\n  - name: websocket\n    server_name: ws.example.com\n    locations:\n      - path: /ws/\n" +
		"        backend: 127.0.0.1:3000\nepel:\n  source: none\n"; text != want {
		t.Errorf("wrote\n%swant\n%s", text, want)
	}
	plain, err := Load(in)
	if err != nil || len(plain.Sites) != 1 || plain.EPEL.Source != EPELNone || plain.OnDrift != DriftFail ||
		plain.Record != nil ||
		!reflect.DeepEqual(plain.Sites, first.Sites) {
		t.Errorf("without options: %+v, %v", plain, err)
	}
	// A path that is not given again stays, and what is another is said.
	again, text := applied(t, in, "backend=127.0.0.1:3001")
	if again.Sites[0].Locations[0].Path != "/ws/" || !strings.Contains(text, "backend: 127.0.0.1:3001") ||
		!slices.Equal(again.Record.Differs, []Difference{{"backend of /ws/", "127.0.0.1:3000", "127.0.0.1:3001"}}) {
		t.Errorf("%+v\n%s", again.Record.Differs, text)
	}
	same, _ := applied(t, in, "backend=127.0.0.1:3001")
	if string(same.Record.Content) != recordHead+text || same.Record.Differs != nil {
		t.Errorf("the same options write\n%s", same.Record.Content)
	}
	// A second site is a second name.
	two, text := applied(t, in, "name=chat", "server-name=chat.example.com,b.example.com", "backend=127.0.0.1:4000",
		"path=/c/", "http-backend=127.0.0.1:4001", "listen=8080")
	if want := "sites:\n  - name: chat\n    server_name:\n      - chat.example.com\n      - b.example.com\n" +
		"    listen: \"8080\"\n    locations:\n      - path: /c/\n        backend: 127.0.0.1:4000\n      - path: /\n" +
		"        backend: 127.0.0.1:4001\n        websocket: false\n"; text != want || len(two.Sites) != 2 {
		t.Errorf("wrote\n%swant\n%s", text, want)
	}
	if both, err := Load(in); err != nil || len(both.Sites) != 2 {
		t.Errorf("%+v, %v", both.Sites, err)
	}
	if err := os.Remove(in.SitesDir + "/websocket.yaml"); err != nil {
		t.Fatal(err)
	}
	if left, err := Load(in); err != nil || len(left.Sites) != 1 || left.Sites[0].Name != "chat" {
		t.Errorf("%+v, %v", left.Sites, err)
	}
}

// TestHostileNames: a name is that of a file of the directory, or refused; one that YAML takes for something else than
// text is written so that the next run reads it as the name.
func TestHostileNames(t *testing.T) {
	for _, name := range []string{"../x", "a/b", "..", ".hidden", "A", "a b", "-x", "web.yaml", "_x", "a\nb", "x\x00y",
		"~", "a:b", "#a", strings.Repeat("a", 65)} {
		in := directory(t, nil)
		in.Flags = map[string]string{"name": name, "server-name": "ws.example.com", "backend": "127.0.0.1:3000"}
		if c, err := Load(in); err == nil {
			t.Errorf("%q is taken: %s", name, c.Record.Path)
		}
	}
	for _, name := range []string{"null", "true", "yes", "0", "1e3", "0x1f", "1_000", "2026-01-01", "12-30"} {
		in := directory(t, nil)
		c, _ := applied(t, in, "name="+name, "server-name=null,true", "backend=127.0.0.1:3000")
		again, err := Load(in)
		if err != nil || len(again.Sites) != 1 || again.Sites[0].Name != name ||
			c.Record.Path != filepath.Join(in.SitesDir, name+".yaml") ||
			!slices.Equal(again.Sites[0].ServerNames, []string{"null", "true"}) {
			t.Errorf("%q in %s: %+v, %v", name, c.Record.Path, again.Sites, err)
		}
	}
}

// An edit of the file stays, with its comments, where options change something else.
func TestEditsOfTheRecordStay(t *testing.T) {
	in := directory(t, map[string]string{"sites.d/websocket.yaml": "# ours\nsites:\n  - name: websocket # the chat\n" +
		"    server_name: [a.example.com, b.example.com]\n    locations:\n      - path: /ws/\n        backend: " +
		"127.0.0.1:3000\n" +
		"        read_timeout: 8h # long\n"})
	_, text := applied(t, in, "backend=127.0.0.1:3001", "server-name=c.example.com", "http-backend=127.0.0.1:3002")
	for _, want := range []string{"# ours", "# the chat", "read_timeout: 8h # long", "backend: 127.0.0.1:3001",
		"server_name: c.example.com", "- path: /\n        backend: 127.0.0.1:3002\n        websocket: false"} {
		if !strings.Contains(text, want) {
			t.Errorf("%s\ndoes not have %q", text, want)
		}
	}
}

// TestHoldsForThisRunOnly: what stands in another file is not written a second time, and said.
func TestHoldsForThisRunOnly(t *testing.T) {
	in := directory(t, map[string]string{"wsprovision.yaml": "epel: {source: none}\n" + siteOf("m", "m.c")})
	for _, tt := range []struct {
		name    string
		options []string
		records bool
		says    string
	}{
		{"a site of the file", []string{"name=m", "backend=a:2"}, false, "the site m stands in "},
		{"no site", []string{"label-listen-ports=true"}, false, "they belong to no site"},
		{"a key of the file", []string{"server-name=w.c", "backend=a:1", "epel-source=repository"}, true,
			"epel.source holds for this run only"},
		{"the same value", []string{"server-name=w.c", "backend=a:1", "epel-source=none"}, true, ""},
		{"of the run", []string{"on-drift=keep", "wait-yum-lock=1s"}, false, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			in := in
			in.SitesDir = t.TempDir()
			c, text := applied(t, in, tt.options...)
			if got := strings.Join(c.Unrecorded, "; "); (text != "") != tt.records || (got == "") != (tt.says == "") ||
				!strings.Contains(got, tt.says) || strings.Contains(text, "epel") {
				t.Errorf("%q, %s", got, text)
			}
			if _, err := Load(Input{DefaultFile: in.DefaultFile, SitesDir: in.SitesDir}); err != nil {
				t.Errorf("the next run: %v", err)
			}
		})
	}
}

// Beside a file that was named nothing is written, and a site of options is refused as ever.
func TestNoRecordBesideANamedFile(t *testing.T) {
	in := directory(t, map[string]string{"other.yaml": siteOf("o", "o.c")})
	named := Input{File: filepath.Dir(in.DefaultFile) + "/other.yaml", SitesDir: in.SitesDir,
		Flags: map[string]string{"server-name": "w.c", "backend": "a:1"}}
	if _, err := Load(named); err == nil || !strings.Contains(err.Error(), "has other sites (o)") {
		t.Errorf("%v", err)
	}
	named.File, named.Flags["name"] = os.DevNull, "x"
	if c, err := Load(named); err != nil || c.Record != nil || len(c.Sites) != 1 || c.Sites[0].Name != "x" {
		t.Errorf("%+v, %v", c, err)
	}
}

// TestHostileRecord: a file that holds other sites under the name of ours stays what it is, but for the new site.
func TestHostileRecord(t *testing.T) {
	in := directory(t, map[string]string{"sites.d/websocket.yaml": siteOf("other", "o.c"),
		"sites.d/z.yaml": siteOf("z", "z.c")})
	c, text := applied(t, in, "server-name=w.c", "backend=a:1")
	if len(c.Sites) != 3 || !strings.Contains(text, "name: other") || !strings.Contains(text, "name: websocket") {
		t.Errorf("%+v\n%s", c.Sites, text)
	}
	if again, err := Load(in); err != nil || len(again.Sites) != 3 {
		t.Errorf("%+v, %v", again.Sites, err)
	}
}
