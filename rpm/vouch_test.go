package rpm

import (
	"strings"
	"testing"

	"wsprovision/rpm/openpgp"
	"wsprovision/rpm/rpmtest"
	"wsprovision/rpm/yumconf"

	"github.com/google/go-cmp/cmp"
)

// trusting is a host with one repository of each kind, keys A (owned), B (somebody's), C (does not exist).
func trusting(t *testing.T) *fake {
	f := newFake(t)
	f.write("/keys/owned", rpmtest.KeyFile(t, "two.asc"))
	f.write("/keys/loose", rpmtest.KeyFile(t, "one.asc"))
	f.write("/keys/pair", rpmtest.KeyFile(t, "one-and-three.asc"))
	f.owned = []string{"/keys/owned"}
	return f
}

func repo(id string, keys ...string) yumconf.Repository {
	return yumconf.Repository{ID: id, Enabled: true, GPGCheck: true, GPGKey: keys}
}

func (f *fake) imported() []openpgp.Key {
	f.t.Helper()
	all, err := f.host().DB.Inventory(bg)
	if err != nil {
		f.t.Fatal(err)
	}
	return all.Keys
}

func TestVouchedKeys(t *testing.T) {
	tests := []struct {
		name     string
		key      string
		config   []string
		imported []string
		want     string // part of the reason, "" for vouched
	}{
		{name: "owned by a package", key: "file:///keys/owned"},
		{name: "owned, another way to write it", key: "file:/keys/owned"},
		{name: "nobody's file", key: "file:///keys/loose", want: "no installed package owns the file"},
		{name: "nobody's file, configured", key: "file:///keys/loose",
			config: []string{strings.ToLower(rpmtest.OnePrint)}},
		{name: "nobody's file, imported already", key: "file:///keys/loose", imported: []string{"one.asc"}},
		{name: "two keys, one configured", key: "file:///keys/pair", config: []string{rpmtest.OnePrint},
			want: "no installed package"},
		{name: "two keys, one configured and one imported", key: "file:///keys/pair",
			config:   []string{rpmtest.OnePrint},
			imported: []string{"three.asc"}},
		{name: "http", key: "http://x/keys/owned", config: []string{rpmtest.OnePrint}, want: "not a local file"},
		{name: "https", key: "https://x/key", want: "not a local file"},
		{name: "another host", key: "file://host/keys/owned", want: "not a local file"},
		{name: "escaped", key: "file:///keys/%6fwned", want: "not a local file"},
		{name: "glob", key: "glob:/keys/*", want: "not a local file"},
		{name: "gone", key: "file:///keys/gone", want: "does not exist"},
		{name: "unknown variable", key: "file:///keys/$releasever", want: "variable"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := trusting(t)
			for _, k := range tt.imported {
				f.keys = append(f.keys, rpmtest.KeyFile(t, k))
			}
			h := f.host()
			h.Fingerprints = tt.config
			j := judge{h: h, imported: f.imported(), verdicts: map[string]verdictOnKey{}}
			got, _, err := j.keys(bg, repo("r", tt.key))
			if err != nil {
				t.Fatal(err)
			}
			if tt.want == "" && len(got) > 0 || tt.want != "" &&
				(len(got) != 1 || got[0].Repository != "r" || got[0].Key != tt.key ||
					!strings.Contains(got[0].Reason, tt.want)) {
				t.Errorf("got %v, want %q", got, tt.want)
			}
		})
	}
}

const reposForRestrict = `[good]
gpgcheck=1
gpgkey=file:///keys/owned
[foreign]
gpgcheck=1
gpgkey=https://x/key
[mixed]
gpgcheck=1
gpgkey=file:///keys/owned http://x/key
[unchecked]
gpgcheck=0
[off]
enabled=0
gpgkey=https://x/key
`

func TestRestrict(t *testing.T) {
	f := trusting(t)
	f.write("/etc/yum.repos.d/x.repo", reposForRestrict)
	got, err := f.host().Restrict(bg, f.imported())
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"--setopt=foreign.enabled=0", "--setopt=mixed.gpgkey=file:///keys/owned",
		"--setopt=unchecked.enabled=0"}
	if diff := cmp.Diff(want, got.Args); diff != "" {
		t.Errorf("no key imported: -want +got\n%s", diff)
	}
	f.keys = []string{rpmtest.KeyFile(t, "three.asc")}
	if got, err = f.host().Restrict(bg, f.imported()); err != nil {
		t.Fatal(err)
	}
	want = []string{"--setopt=foreign.gpgkey=", "--setopt=mixed.gpgkey=file:///keys/owned",
		"--setopt=unchecked.gpgcheck=1"}
	if diff := cmp.Diff(want, got.Args); diff != "" {
		t.Errorf("a key imported: -want +got\n%s", diff)
	}
	if diff := cmp.Diff([]string{rpmtest.TwoPrint}, got.Keys); diff != "" {
		t.Errorf("keys that yum may import: -want +got\n%s", diff)
	}
	f.keys = append(f.keys, rpmtest.KeyFile(t, "two.asc"))
	if again, err := f.host().Restrict(bg, f.imported()); err != nil || len(again.Keys) > 0 {
		t.Errorf("imported already: %q, %v", again.Keys, err)
	}
	if len(got.Reasons) != 3 ||
		!strings.Contains(got.Reasons[0], "repository foreign: gpgkey https://x/key: not a local file") {
		t.Errorf("reasons are %q", got.Reasons)
	}
}

func TestInstallStaysWithinLimits(t *testing.T) {
	f := trusting(t)
	f.keys = []string{rpmtest.KeyFile(t, "three.asc")}
	f.write("/etc/yum.repos.d/x.repo", reposForRestrict)
	f.yum = f.brings("", 0, "nginx")
	if err := f.install(Wants{Packages: []string{"nginx"}}); err != nil {
		t.Fatal(err)
	}
	if !strings.HasSuffix(f.ran[0], " --setopt=foreign.gpgkey= --setopt=mixed.gpgkey=file:///keys/owned "+
		"--setopt=unchecked.gpgcheck=1 install nginx") {
		t.Errorf("ran %q", f.ran[0])
	}
	f = trusting(t)
	f.write("/etc/yum.repos.d/x.repo", reposForRestrict)
	f.yum = f.brings("rhel7-missing-all", 1)
	if err := f.install(Wants{Packages: []string{"nginx"}}); !rpmtest.Matches(err,
		"repository foreign is left out: nobody vouches for a key of it") {
		t.Errorf("the error does not speak of the limits: %v", err)
	}
	f = trusting(t)
	f.write("/etc/yum.repos.d/x.repo", "broken\n")
	if err := f.install(Wants{Packages: []string{"nginx"}}); !rpmtest.Matches(err,
		"read repositories: /etc/yum.repos.d/x.repo:1: ") || len(f.ran) > 0 {
		t.Errorf("error is %v, ran %q", err, f.ran)
	}
}
