package conf

import (
	"fmt"
	"runtime"
	"testing"

	"wsprovision/provision/nginx/nginxtest"
	"wsprovision/provision/site"
)

// neighbours is a tree of n sites that share port 80, each with every kind of what can collide.
func neighbours(t *testing.T, r *Reader, n int) (Tree, []string) {
	files := map[string][]byte{conf: []byte("http { include conf.d/*.conf; server { listen 127.0.0.1:80; " +
		"server_name x; } }")}
	var names []string
	for i := range n {
		s := nginxtest.Example(80)
		s.Name, s.ServerNames = fmt.Sprintf("site%04d", i), []string{fmt.Sprintf("ws%04d.example.com", i)}
		name := fmt.Sprintf("/etc/nginx/conf.d/%s.conf", s.Name)
		names, files[name] = append(names, name), []byte(nginxtest.Rendered(t, s))
	}
	tree, err := r.Load("/none", conf, files)
	if err != nil {
		t.Fatal(err)
	}
	// The same again, but for one file, as a survey does.
	if _, err = r.Load("/none", conf, files); err != nil {
		t.Fatal(err)
	}
	return tree, names
}

// judged counts the allocations of judging every site; a comparison of every pair would be a hundredfold for ten times
// as many.
func judged(tree Tree, names []string) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for _, name := range names {
		tree.Conflicts(name)
		tree.DefaultServer(site.Listen{Port: 80})
	}
	tree.Bindings().Collisions()
	tree.Bindings().Bound()
	tree.HashedNames()
	runtime.ReadMemStats(&after)
	return after.Mallocs - before.Mallocs
}

// TestHostileManySites: what a tree is asked costs in proportion to its sites, and every file is read into statements
// once.
func TestHostileManySites(t *testing.T) {
	cost := map[int]uint64{}
	for _, n := range []int{1, 100, 1000} {
		r := &Reader{}
		tree, names := neighbours(t, r, n)
		if r.Tokenized != n+1 {
			t.Errorf("%d sites: %d files were tokenized, want each once", n, r.Tokenized)
		}
		cost[n] = judged(tree, names)
		if got := tree.Conflicts(names[n-1]); len(got) != 1 || got[0].Fatal {
			t.Errorf("%d sites: %v", n, got)
		}
	}
	if cost[1000] > 15*cost[100] {
		t.Errorf("judging 100 sites takes %d allocations, 1000 take %d", cost[100], cost[1000])
	}
}
