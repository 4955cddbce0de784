package route

import "testing"

// row is a configuration and what it is asked. A request is `[!|?] [METHOD] target [host=name] [to=address] [tls]
// [Field:value]`: with ! the route is not to be followed, with ? it may be either.
type row struct {
	name     string
	conf     string
	requests []string
}

// one is a server of its own around some statements.
func one(body string) string { return "server { listen 127.0.0.1:<PORT>; " + body + " }" }

func TestRouteAgainstNginx(t *testing.T) {
	needNginx(t)
	pairs := 0
	for _, row := range rows() {
		pairs += len(row.requests)
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, row.conf)
			if err := r.start(); err != nil {
				t.Fatal(err)
			}
			tree := r.tree()
			for _, text := range row.requests {
				r.compare(tree, text)
			}
		})
	}
	if pairs < 120 {
		t.Errorf("%d pairs of configuration and request, want 120 and more", pairs)
	}
}

func rows() []row {
	all := append(selection(), rewriting()...)
	all = append(all, passing()...)
	all = append(all, answers()...)
	all = append(all, filing()...)
	return append(all, usual()...)
}
