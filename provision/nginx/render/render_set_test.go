package render_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"wsprovision/provision/nginx/conf"
	"wsprovision/provision/nginx/nginxtest"
	"wsprovision/provision/nginx/render"
	"wsprovision/provision/site"
)

// TestNginxReadsExactlyTheModels: several sites share what is equal; nginx takes them at every instant at which they
// are
// written one after the other, and has read what the models ask for.
func TestNginxReadsExactlyTheModels(t *testing.T) {
	nginxtest.NeedNginx(t, false)
	h := nginxtest.NewHost(t, nil)
	pair := h.Certificate()
	rapid.Check(t, func(rt *rapid.T) {
		var all []site.Site
		for n := range rapid.IntRange(1, 3).Draw(rt, "sites") {
			all = append(all, apart(here(rt, sites.Draw(rt, "site"), []string{"", "127.0.0.1", "127.0.0.2"}, pair), n))
		}
		if rapid.IntRange(0, 3).Draw(rt, "many") == 0 {
			all = append(all, fillers(17)...)
		}
		files, err := render.Installed{}.Render(all)
		if err != nil {
			rt.Fatalf("%v", err)
		}
		if diff := cmp.Diff(wantedOf(all), blocks(oneAfterTheOther(rt, h, files))); diff != "" {
			rt.Fatalf("want -, got +:\n%s", diff)
		}
	})
}

// wantedOf is what all files together have: each block that sites share once.
func wantedOf(all []site.Site) []string {
	shared := map[string]bool{}
	var want []string
	for _, s := range all {
		m := modelOf(s)
		if len(all) > 16 {
			m.scope = ""
		}
		m.all()
		maps.Copy(shared, m.shared)
		want = append(want, slices.DeleteFunc(m.top, func(text string) bool { return m.shared[text] })...)
	}
	want = append(want, slices.Collect(maps.Keys(shared))...)
	slices.Sort(want)
	return want
}

// fillers are so many ordinary sites.
func fillers(n int) []site.Site {
	var all []site.Site
	for i := range n {
		all = append(all, site.Site{Name: fmt.Sprintf("z%d", i),
			ServerNames: []string{fmt.Sprintf("z%d.example.com", i)},
			Listen:      []site.Listen{{Port: 30000}},
			Locations: []site.Location{{Path: "/", Backends: []site.Backend{{Host: "127.0.0.1", Port: 3000}},
				WebSocket: true}}})
	}
	return all
}

// apart is the site with names and ports that no other of the test has.
func apart(s site.Site, n int) site.Site {
	s.Name = fmt.Sprintf("%c%d", 'a'+n, n)
	for i := range s.ServerNames {
		s.ServerNames[i] = fmt.Sprintf("n%d-%d.example.com", n, i)
	}
	for i := range s.Listen {
		s.Listen[i].Port = 20000 + 1000*n + i
	}
	if n > 0 && s.TLS != nil { // port 80 is one socket for all
		s.TLS.Redirect, s.ACMEWebroot = false, ""
	}
	return s
}

// oneAfterTheOther writes the files, and asks nginx after some, and after the last.
func oneAfterTheOther(t *rapid.T, h nginxtest.Host, files []render.File) []conf.Directive {
	h.Clear()
	some := rapid.IntRange(0, len(files)-1).Draw(t, "some")
	overlay := map[string][]byte{"/nginx.conf": []byte("include /conf.d/*.conf;")}
	h.Write("conf.d/_wsprovision.conf", string(render.Sizes(nil, 0, variablesOf(files), nil)))
	for n, f := range files {
		h.Write("conf.d/"+f.Name, string(f.Content))
		overlay["/conf.d/"+f.Name] = f.Content
		if n != some && n != len(files)-1 {
			continue
		}
		if stderr, status := h.Check(); status != 0 || strings.Contains(stderr, "[warn]") {
			t.Fatalf("nginx -t after %s: %d: %s\n%s", f.Name, status, stderr, f.Content)
		}
	}
	tree, err := conf.Load("", "/nginx.conf", overlay)
	if err != nil {
		t.Fatalf("%v", err)
	}
	return tree.Directives()
}

func variablesOf(files []render.File) (n int) {
	for _, f := range files {
		n += render.Variables(f.Content)
	}
	return n
}

// TestThousandSites share everything that is equal, and nginx has nothing to warn of but the number of names.
func TestThousandSites(t *testing.T) {
	nginxtest.NeedNginx(t, false)
	h := nginxtest.NewHost(t, nil)
	pair := h.Certificate()
	files, err := render.Installed{}.Render(thousand(pair))
	if err != nil {
		t.Fatal(err)
	}
	if most := 1000 + 9; len(files) > most {
		t.Errorf("%d files, want at most %d", len(files), most)
	}
	for _, f := range files {
		h.Write("conf.d/"+f.Name, string(f.Content))
	}
	sizes := render.Sizes(names(1000), conf.NamesBucket(names(1000)), variablesOf(files), nil)
	h.Write("conf.d/_wsprovision.conf", string(sizes))
	if stderr, status := h.Check(); status != 0 || strings.Contains(stderr, "[warn]") {
		t.Errorf("nginx -t: %d: %.2000s", status, stderr)
	}
}

func thousand(pair site.TLS) []site.Site {
	var all []site.Site
	for n := range 1000 {
		tls := pair
		tls.Redirect = true
		all = append(all, site.Site{Name: fmt.Sprintf("site%d", n), ServerNames: names(1000)[n : n+1], TLS: &tls,
			Listen: []site.Listen{{Port: 20443}}, DefaultServer: site.DefaultReject,
			TrustedProxies: []string{"10.0.0.0/8"}, RealIPHeader: "X-Forwarded-For",
			Locations: []site.Location{{Path: "/", Backends: []site.Backend{{Host: "127.0.0.1", Port: 3000 + n}},
				WebSocket:      true,
				AllowedOrigins: []string{"https://app.example.com"},
				Limits:         &site.Limits{ConnectionsPerClient: 5, RequestsPerSecond: 10}}}})
	}
	return all
}

func names(n int) []string {
	var all []string
	for i := range n {
		all = append(all, fmt.Sprintf("tenant-%d.with-a-rather-long-name.ws.example.com", i))
	}
	return all
}
