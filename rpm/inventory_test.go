package rpm

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestInventory(t *testing.T) {
	key := "gpg-pubkey\t(none)\t352c64e5\t52ae6884\t(none)\n" + strings.TrimSpace(keyFile(t, "three.asc")) + "\n(end of key)\n"
	tests := []struct {
		name, stdout, wantErr string
		packages, keys        int
	}{
		{name: "nothing at all"},
		{name: "packages and a key between them", stdout: "bash\t(none)\t4.2\t34.el7\tx86_64\n" + key + "nginx\t1\t1.20.1\t10.el7\tx86_64\n", packages: 2, keys: 1},
		{name: "a name twice", stdout: "kernel\t(none)\t3.10.0\t1.el7\tx86_64\nkernel\t(none)\t3.10.0\t2.el7\tx86_64\n", packages: 1},
		{name: "a key that cannot be read counts by its short id", stdout: "gpg-pubkey\t(none)\t352c64e5\t1\t(none)\nversion 3\n(end of key)\n", keys: 1},
		{name: "a key without its text", stdout: "gpg-pubkey\t(none)\t352c64e5\t52ae6884\t(none)\n", wantErr: "gpg-pubkey-352c64e5-52ae6884 has no key in it"},
		{name: "text where a package should be", stdout: "bash\n", wantErr: "not understood: \"bash\""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := parseInventory(tt.stdout)
			if !matches(err, tt.wantErr) {
				t.Fatalf("error is %v, want %q", err, tt.wantErr)
			}
			if len(got.Packages) != tt.packages || len(got.Keys) != tt.keys {
				t.Errorf("%d packages and %d keys, want %d and %d", len(got.Packages), len(got.Keys), tt.packages, tt.keys)
			}
		})
	}
}

func TestSince(t *testing.T) {
	p := func(names ...string) map[string][]Package {
		all := map[string][]Package{}
		for _, n := range names {
			all[n] = []Package{{Name: n}}
		}
		return all
	}
	before := Inventory{p("a", "b"), []Key{{Fingerprint: "1"}}}
	after := Inventory{p("a", "d", "c"), []Key{{Fingerprint: "2"}, {Fingerprint: "1"}}}
	packages, keys := after.Since(before)
	if diff := cmp.Diff([][]string{{"c", "d"}, {"2"}}, [][]string{packages, keys}); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

func FuzzParseInventory(f *testing.F) {
	f.Add("bash\t(none)\t4.2\t34.el7\tx86_64\ngpg-pubkey\t(none)\t352c64e5\t52ae6884\t(none)\n" + keyFile(f, "one.asc") + "(end of key)\n")
	f.Add("gpg-pubkey\t(none)\t352c64e5\t1\t(none)\n(end of key)\n")
	f.Fuzz(func(t *testing.T, stdout string) {
		all, err := parseInventory(stdout)
		if err != nil && len(all.Packages)+len(all.Keys) > 0 {
			t.Errorf("%q: an error and an inventory", stdout)
		}
		for name := range all.Packages {
			if checkName(name) != nil || name == pubkey {
				t.Errorf("%q: a package called %q", stdout, name)
			}
		}
	})
}
