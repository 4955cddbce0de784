package rpmdb

import (
	"context"
	"strings"
	"testing"

	"wsprovision/rpm/openpgp"
	"wsprovision/rpm/rpmtest"

	"github.com/google/go-cmp/cmp"
)

func TestInventory(t *testing.T) {
	key := "gpg-pubkey\t(none)\t352c64e5\t52ae6884\t(none)\n(key)\n" +
		strings.TrimSpace(rpmtest.KeyFile(t, "three.asc")) +
		"\n(end of key)\n"
	tests := []struct {
		name, stdout, wantErr string
		packages, keys        int
	}{
		{name: "nothing at all"},
		{name: "packages and a key between them", stdout: "bash\t(none)\t4.2\t34.el7\tx86_64\n" + key +
			"nginx\t1\t1.20.1\t10.el7\tx86_64\n", packages: 2, keys: 1},
		{name: "a name twice", stdout: "kernel\t(none)\t3.10.0\t1.el7\tx86_64\nkernel\t(none)" +
			"\t3.10.0\t2.el7\tx86_64\n", packages: 1},
		{name: "a key that cannot be read counts by its short id",
			stdout: "gpg-pubkey\t(none)\t352c64e5\t1\t(none)\n(key)\nversion 3\n(end of key)\n", keys: 1},
		{name: "a package of that name that is no key",
			stdout: "gpg-pubkey\t(none)\t1\t1\tnoarch\nbash\t(none)\t4\t1\tnoarch\n", packages: 1},
		{name: "a key that does not end", stdout: strings.TrimSuffix(key, "(end of key)\n"), wantErr: "has no end"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := parseInventory(tt.stdout)
			if !rpmtest.Matches(err, tt.wantErr) {
				t.Fatalf("error is %v, want %q", err, tt.wantErr)
			}
			if len(got.Packages) != tt.packages || len(got.Keys) != tt.keys {
				t.Errorf("%d packages and %d keys, want %d and %d", len(got.Packages), len(got.Keys), tt.packages,
					tt.keys)
			}
		})
	}
}

// What rpm has beside the packages that are asked for may be odd, and must not keep them from being installed.
func TestHostileInventory(t *testing.T) {
	const bash = "bash\t(none)\t4.2\t34.el7\tx86_64\n"
	key := "gpg-pubkey\t(none)\tf8231da5\t5e0be100\t(none)\n(key)\n" +
		strings.TrimSpace(rpmtest.KeyFile(t, "one.asc")) +
		"\n(end of key)\n"
	for name, tt := range map[string]struct{ stdout, stderr, wantErr string }{
		"a blank in a name": {stdout: "my tool\t(none)\t1\t1\tnoarch\n"},
		"% @ and &": {stdout: "a%b\t(none)\t1\t1\tnoarch\n@base\t(none)\t1\t1\tnoarch\nr&d\t(none)" +
			"\t1\t1\tnoarch\n"},
		"no release":               {stdout: "odd\t(none)\t1\t(none)\tnoarch\n"},
		"no version":               {stdout: "odd\t(none)\t\t\tnoarch\n"},
		"a tab in a name":          {stdout: "a\tb\t(none)\t1\t1\tnoarch\n"},
		"a newline in a name":      {stdout: "a\nb\t(none)\t1\t1\tnoarch\n"},
		"a name that is an option": {stdout: "-e\t(none)\t1\t1\tnoarch\n"},
		"a package with a key": {stdout: "keys\t(none)\t1\t1\tnoarch\n(key)\n" + rpmtest.KeyFile(t, "two.asc") +
			"(end of key)\n"},
		"the loader on stderr": {stderr: "ERROR: ld.so: object 'libx.so' from /etc/ld.so.preload cannot be preloaded " +
			"(cannot open shared object file): ignored.\n"},
		"a macro without a body": {stderr: "error: Macro %_ours has empty body\n"},
		"a wrapper on stderr":    {stderr: "audit: rpm called by root\n"},
		"a damaged header":       {stderr: "error: rpmdb: damaged header #12 retrieved -- skipping.\n"},
		"a header with a bad sig": {stderr: "error: rpmdbNextIterator: skipping h#     475 Header V3 DSA/SHA1 " +
			"Signature, key ID db42a60e: BAD\n"},
		"a broken database": {stderr: "error: cannot open Packages database in /var/lib/rpm\n",
			wantErr: "rpm --rebuilddb"},
		"an error of rpm's":         {stderr: "error: moon phase\n", wantErr: "error: moon phase"},
		"an error behind a wrapper": {stderr: "audit: x\nerror: moon phase\n", wantErr: "rpm: error: moon phase"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := (DB{Read: rpmtest.Answers(bash+tt.stdout+key, tt.stderr, 0,
				nil)}).Inventory(context.Background())
			if !rpmtest.Matches(err, tt.wantErr) {
				t.Fatalf("error is %v, want %q", err, tt.wantErr)
			}
			if err == nil && (len(got.Packages["bash"]) != 1 || len(got.Keys) != 1 ||
				got.Keys[0].Fingerprint != rpmtest.OnePrint) {
				t.Errorf("got %v", got)
			}
		})
	}
}

// What is asked for has to be answered all the same.
func TestHostileQuery(t *testing.T) {
	stray := "ERROR: ld.so: object 'libx.so' cannot be preloaded: ignored.\n"
	for name, tt := range map[string]struct{ stdout, stderr, wantErr string }{
		"a stray line":         {"nginx\t1\t1.20.1\t10.el7\tx86_64\n", stray, ""},
		"absent, a stray line": {"package nginx is not installed\n", stray, ""},
		"a damaged header": {"package nginx is not installed\n",
			"error: rpmdb: damaged header #12 retrieved -- skipping.\n", "damaged header"},
		"no release": {"nginx\t1\t1.20.1\t(none)\tx86_64\n", "", "not understood"},
	} {
		if _, err := (DB{Read: rpmtest.Answers(tt.stdout, tt.stderr, 0, nil)}).Installed(context.Background(),
			"nginx"); !rpmtest.Matches(err,
			tt.wantErr) {
			t.Errorf("%s: error is %v, want %q", name, err, tt.wantErr)
		}
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
	before := Inventory{p("a", "b"), []openpgp.Key{{Fingerprint: "1"}}}
	after := Inventory{p("a", "d", "c"), []openpgp.Key{{Fingerprint: "2"}, {Fingerprint: "1"}}}
	packages, keys := after.Since(before)
	if diff := cmp.Diff([][]string{{"c", "d"}, {"2"}}, [][]string{packages, keys}); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

func FuzzParseInventory(f *testing.F) {
	f.Add("bash\t(none)\t4.2\t34.el7\tx86_64\ngpg-pubkey\t(none)\t352c64e5\t52ae6884\t(none)\n(key)\n" +
		rpmtest.KeyFile(f, "one.asc") + "(end of key)\n")
	f.Add("gpg-pubkey\t(none)\t352c64e5\t1\t(none)\n(key)\n(end of key)\n")
	f.Fuzz(func(t *testing.T, stdout string) {
		all, err := parseInventory(stdout)
		if err != nil && len(all.Packages)+len(all.Keys) > 0 {
			t.Errorf("%q: an error and an inventory", stdout)
		}
		for name := range all.Packages {
			if CheckName(name) != nil || name == Pubkey {
				t.Errorf("%q: a package called %q", stdout, name)
			}
		}
	})
}
