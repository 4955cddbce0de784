package rpm

import (
	"strings"
	"testing"

	"wsprovision/rpm/rpmdb"
	"wsprovision/rpm/yumerr"
)

func TestUnmetDependency(t *testing.T) {
	const head = "Error: Package: audit-libs-python-2.8.4-4.el7.x86_64 (base)\n           Requires: " +
		"audit-libs(x86-64) = 2.8.4-4.el7\n"
	for _, tt := range []struct{ name, stderr, text, next string }{
		{"installed is newer", head + "           Installed: audit-libs-2.8.5-4.el7.x86_64 (@updates)\n             " +
			"  audit-libs(x86-64) = 2.8.5-4.el7\n",
			"audit-libs-python-2.8.4-4.el7.x86_64 (base) requires audit-libs(x86-64) = 2.8.4-4.el7, and " +
				"audit-libs-2.8.5-4.el7.x86_64 is there, from repository updates",
			"audit-libs is installed in a newer version than the repositories have: they are without the updates " +
				"that this host has got"},
		{"installed is older", head + "           Installed: audit-libs-2.8.1-3.el7.x86_64 (@anaconda)\n            " +
			"   audit-libs(x86-64) = 2.8.1-3.el7\n",
			"audit-libs-2.8.1-3.el7.x86_64 is there, from repository anaconda",
			"audit-libs is installed in an older version, and no enabled repository has the newer one"},
		{"installed, and it does not say what it provides", head +
			"           Installed: audit-libs-2.8.5-4.el7.x86_64 (installed)\n               Not found\n",
			"is there, from a repository that yum does not know",
			"do not fit: enable the repository that audit-libs-2.8.5-4.el7.x86_64 came from"},
		{"another version is available", head + "           Available: audit-libs-2.8.1-3.el7.x86_64 (base)\n       " +
			"        audit-libs(x86-64) = 2.8.1-3.el7\n",
			"and repository base has audit-libs-2.8.1-3.el7.x86_64", "the repositories do not fit each other"},
		{"nobody has it", head, "requires audit-libs(x86-64) = 2.8.4-4.el7, which no enabled repository has",
			"enable the repository that has it"},
		{"what follows is another's", head + "Error: nonsense\n           Installed: x-1-1.noarch (@y)\n",
			"which no enabled repository has", "enable"},
	} {
		e := New(t.TempDir(), nil, nil).refusal(yumerr.Output{Status: 1, Stdout: "", Stderr: tt.stderr},
			[]string{"nginx"}, nil, rpmdb.Inventory{}, Limits{})
		if e.Kind != yumerr.Dependency || !strings.Contains(e.Text, tt.text) || !strings.Contains(e.Next, tt.next) {
			t.Errorf("%s: %s %q, want %q; %q, want %q", tt.name, e.Kind, e.Text, tt.text, e.Next, tt.next)
		}
	}
}

// The pairs are of rpm 4.11's own tests (tests/rpmvercmp.at).
func TestNewer(t *testing.T) {
	for _, tt := range []struct {
		a, b string
		want int
	}{
		{"1.0", "1.0", 0}, {"2.0", "1.0", 1}, {"2.0.1", "2.0", 1}, {"2.0.1a", "2.0.1", 1}, {"5.5p10", "5.5p1", 1},
		{"10xyz", "10.1xyz", -1}, {"xyz10", "xyz10.1", -1},
		{"xyz.4", "8", -1}, {"5.5p2", "5.6p1", -1}, {"6.0.rc1", "6.0", 1}, {"10b2", "10a1", 1}, {"1.0aa", "1.0a",
			1}, {"10.0001", "10.1", 0}, {"4.999.9", "5.0", -1},
		{"2_0", "2.0", 0}, {"1.0~rc1", "1.0", -1}, {"1.0~rc1", "1.0~rc2", -1}, {"1.0~rc1~git123", "1.0~rc1", -1},
		{"1:1.0-1", "2.0-1", 1}, {"1.0-2.el7", "1.0-10.el7", -1},
		{"1.0", "1.0-5", 0}, {"0:1.0-1", "1.0-1", 0}, {"20101121", "20101122", -1},
	} {
		if got := yumerr.Newer(tt.a, tt.b); got != (tt.want > 0) {
			t.Errorf("%s newer than %s: %t", tt.a, tt.b, got)
		}
		if got := yumerr.Newer(tt.b, tt.a); got != (tt.want < 0) {
			t.Errorf("%s newer than %s: %t", tt.b, tt.a, got)
		}
	}
}
