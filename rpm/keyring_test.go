package rpm

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestImportedKeys(t *testing.T) {
	f := newFake(t)
	got, err := f.host().ImportedKeys(bg)
	if err != nil || len(got) != 0 {
		t.Errorf("without keys: %v, %v", got, err)
	}
	f.keys = []string{keyFile(t, "one.asc"), "(none)", keyFile(t, "two.asc")}
	got, err = f.host().ImportedKeys(bg)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{onePrint, "352C64E5", twoPrint}, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	endless := strings.Replace(listedKey, "(end", "(no end", 1)
	for _, bad := range []string{"", "x\n(end of key)\n", endless, "(key)\n(end of key)\n"} {
		if _, err := (Host{Read: answers(bad, "", 0, nil)}).ImportedKeys(bg); err == nil {
			t.Errorf("%q was understood", bad)
		}
	}
	if _, err := (Host{Read: answers("package gpg-pubkey is not installed\n",
		"error: cannot open Packages database in /var/lib/rpm\n", 1, nil)}).ImportedKeys(bg); !matches(err,
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
		{name: "the key", file: "one.asc", fingerprint: onePrint, arrive: []string{"one.asc"}, wantRuns: 1},
		{name: "as people write it", file: "one.asc",
			fingerprint: "62aa 3e0f abf9 59f9 ce52  3ead f5f4 8909 f823 1da5", arrive: []string{"one.asc"},
			wantRuns: 1},
		{name: "imported already", file: "one.asc", fingerprint: onePrint, already: []string{"one.asc"}},
		{name: "another key", file: "two.asc", fingerprint: onePrint, wantErr: "the file holds " + twoPrint},
		{name: "and another key", file: "one-and-three.asc", fingerprint: onePrint, wantErr: "and " + threePrint},
		{name: "and another block", file: "blocks.asc", fingerprint: onePrint, wantErr: "not just " + onePrint},
		{name: "binary", file: "one.gpg", fingerprint: onePrint, wantErr: "ASCII-armored"},
		{name: "short id", file: "one.asc", fingerprint: "F8231DA5", wantErr: "not a fingerprint of 40"},
		{name: "rpm did nothing", file: "one.asc", fingerprint: onePrint, wantRuns: 1, wantErr: "is not imported"},
		{name: "rpm took more", file: "one.asc", fingerprint: onePrint, arrive: []string{"one.asc", "three.asc"},
			wantRuns: 1,
			wantErr:  "rpm took " + threePrint + " as well: remove it with rpm -e gpg-pubkey-352c64e5-52ae6884"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := newFake(t)
			f.write("/keys/k", keyFile(t, tt.file))
			for _, k := range tt.already {
				f.keys = append(f.keys, keyFile(t, k))
			}
			f.importing = func(path string) {
				if path != "/keys/k" {
					t.Errorf("rpm --import %s", path)
				}
				for _, k := range tt.arrive {
					f.keys = append(f.keys, keyFile(t, k))
				}
			}
			err := f.host().ImportKey(bg, "/keys/k", tt.fingerprint)
			if !matches(err, tt.wantErr) || len(f.ran) != tt.wantRuns {
				t.Errorf("error is %v and %d runs, want %q and %d", err, len(f.ran), tt.wantErr, tt.wantRuns)
			}
		})
	}
	if err := newFake(t).host().ImportKey(bg, "0x352C64E5", onePrint); !matches(err, "not absolute") {
		t.Errorf("a key server's id: %v", err)
	}
	if err := newFake(t).host().ImportKey(bg, "/nosuch", onePrint); !matches(err, "no such file") {
		t.Errorf("no file: %v", err)
	}
}

func FuzzParseImported(f *testing.F) {
	f.Add(fmt.Sprintf(listedKey, strings.TrimSpace(keyFile(f, "three.asc"))), "")
	f.Add("package gpg-pubkey is not installed\n", "")
	f.Fuzz(func(t *testing.T, stdout, stderr string) {
		keys, err := parseImported(stdout, stderr)
		for _, k := range keys {
			if err != nil || k.Fingerprint == "" {
				t.Errorf("%v, %v", keys, err)
			}
		}
	})
}
