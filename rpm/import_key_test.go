package rpm

import (
	"strings"
	"testing"

	"wsprovision/rpm/rpmdb"
	"wsprovision/rpm/rpmtest"

	"github.com/google/go-cmp/cmp"
)

func TestImportedKeys(t *testing.T) {
	f := newFake(t)
	got, err := f.host().DB.ImportedKeys(bg)
	if err != nil || len(got) != 0 {
		t.Errorf("without keys: %v, %v", got, err)
	}
	f.keys = []string{rpmtest.KeyFile(t, "one.asc"), "(none)", rpmtest.KeyFile(t, "two.asc")}
	got, err = f.host().DB.ImportedKeys(bg)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{rpmtest.OnePrint, "352C64E5", rpmtest.TwoPrint}, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	endless := strings.Replace(rpmtest.ListedKey, "(end", "(no end", 1)
	for _, bad := range []string{"", "x\n(end of key)\n", endless, "(key)\n(end of key)\n"} {
		if _, err := (rpmdb.DB{Read: rpmtest.Answers(bad, "", 0, nil)}).ImportedKeys(bg); err == nil {
			t.Errorf("%q was understood", bad)
		}
	}
	if _, err := (rpmdb.DB{Read: rpmtest.Answers("package gpg-pubkey is not installed\n",
		"error: cannot open Packages database in /var/lib/rpm\n", 1, nil)}).ImportedKeys(bg); !rpmtest.Matches(err,
		"rebuilddb") {
		t.Errorf("broken database: %v", err)
	}
}

func TestImportKey(t *testing.T) {
	tests := []struct {
		name, file, fingerprint string
		already                 []string
		arrive                  []string // what rpm has taken in afterwards
		wantErr                 string
		wantRuns                int
	}{
		{name: "the key", file: "one.asc", fingerprint: rpmtest.OnePrint, arrive: []string{"one.asc"}, wantRuns: 1},
		{name: "as people write it", file: "one.asc",
			fingerprint: "62aa 3e0f abf9 59f9 ce52  3ead f5f4 8909 f823 1da5", arrive: []string{"one.asc"},
			wantRuns: 1},
		{name: "imported already", file: "one.asc", fingerprint: rpmtest.OnePrint, already: []string{"one.asc"}},
		{name: "another key", file: "two.asc", fingerprint: rpmtest.OnePrint, wantErr: "the file holds " +
			rpmtest.TwoPrint},
		{name: "and another key", file: "one-and-three.asc", fingerprint: rpmtest.OnePrint, wantErr: "and " +
			rpmtest.ThreePrint},
		{name: "and another block", file: "blocks.asc", fingerprint: rpmtest.OnePrint, wantErr: "not just " +
			rpmtest.OnePrint},
		{name: "binary", file: "one.gpg", fingerprint: rpmtest.OnePrint, wantErr: "ASCII-armored"},
		{name: "short id", file: "one.asc", fingerprint: "F8231DA5", wantErr: "not a fingerprint of 40"},
		{name: "rpm did nothing", file: "one.asc", fingerprint: rpmtest.OnePrint, wantRuns: 1,
			wantErr: "is not imported"},
		{name: "rpm took more", file: "one.asc", fingerprint: rpmtest.OnePrint,
			arrive:   []string{"one.asc", "three.asc"},
			wantRuns: 1,
			wantErr: "rpm took " + rpmtest.ThreePrint +
				" as well: remove it with rpm -e gpg-pubkey-352c64e5-52ae6884"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := newFake(t)
			f.write("/keys/k", rpmtest.KeyFile(t, tt.file))
			for _, k := range tt.already {
				f.keys = append(f.keys, rpmtest.KeyFile(t, k))
			}
			f.importing = func(path string) {
				if path != "/keys/k" {
					t.Errorf("rpm --import %s", path)
				}
				for _, k := range tt.arrive {
					f.keys = append(f.keys, rpmtest.KeyFile(t, k))
				}
			}
			err := f.host().ImportKey(bg, "/keys/k", tt.fingerprint)
			if !rpmtest.Matches(err, tt.wantErr) || len(f.ran) != tt.wantRuns {
				t.Errorf("error is %v and %d runs, want %q and %d", err, len(f.ran), tt.wantErr, tt.wantRuns)
			}
		})
	}
	if err := newFake(t).host().ImportKey(bg, "0x352C64E5", rpmtest.OnePrint); !rpmtest.Matches(err, "not absolute") {
		t.Errorf("a key server's id: %v", err)
	}
	if err := newFake(t).host().ImportKey(bg, "/nosuch", rpmtest.OnePrint); !rpmtest.Matches(err, "no such file") {
		t.Errorf("no file: %v", err)
	}
}
