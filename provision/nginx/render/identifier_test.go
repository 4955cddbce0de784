package render

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestIdentifiersDiffer(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.StringMatching(`[A-Za-z0-9][A-Za-z0-9._-]{0,20}`)
		a, b := Site{Name: name.Draw(t, "a")}, Site{Name: name.Draw(t, "b")}
		if a.Name != b.Name && strings.EqualFold(identifier(a), identifier(b)) {
			t.Fatalf("%q and %q both give %s", a.Name, b.Name, identifier(a))
		}
		if strings.Trim(identifier(a), "abcdefghijklmnopqrstuvwxyz0123456789_") != "" ||
			len(identifier(a)) > 23 {
			t.Fatalf("%q gives %s", a.Name, identifier(a))
		}
	})
}
