package rpmdb

import (
	"strings"
	"testing"

	"wsprovision/rpm/openpgp"
	"wsprovision/rpm/rpmtest"
)

func TestJudgeSignature(t *testing.T) {
	epel := openpgp.Key{Fingerprint: openpgp.EPEL7Fingerprint}
	// the same 8 last digits
	evil := openpgp.Key{Fingerprint: "0000000000000000000000000000000" + "0" + openpgp.EPEL7Fingerprint[32:]}
	revoked := openpgp.Key{Fingerprint: openpgp.EPEL7Fingerprint, Revoked: true}
	subkey := openpgp.Key{Fingerprint: rpmtest.TwoPrint, Subkeys: []string{openpgp.EPEL7Fingerprint}}
	tests := []struct {
		name     string
		imported []openpgp.Key
		expected string
		status   int
		wantErr  string
	}{
		{name: "rhel7-signed", imported: []openpgp.Key{epel}, expected: openpgp.EPEL7Fingerprint},
		{name: "rhel7-signed", imported: []openpgp.Key{subkey}, expected: rpmtest.TwoPrint},
		{name: "rhel7-signed", imported: []openpgp.Key{epel}, expected: rpmtest.OnePrint,
			wantErr: "not the expected key"},
		{name: "rhel7-signed", imported: []openpgp.Key{epel, evil}, expected: openpgp.EPEL7Fingerprint,
			wantErr: "signed by 0000"},
		{name: "rhel7-signed", expected: openpgp.EPEL7Fingerprint, wantErr: "a key that is not imported"},
		{name: "rhel7-signed", imported: []openpgp.Key{epel}, expected: openpgp.EPEL7Fingerprint, status: 1,
			wantErr: "exit status 1"},
		{name: "rhel7-signed", imported: []openpgp.Key{revoked}, expected: openpgp.EPEL7Fingerprint,
			wantErr: "which is revoked"},
		{name: "rhel7-signed", imported: []openpgp.Key{epel, {Fingerprint: "352C64E5"}},
			expected: openpgp.EPEL7Fingerprint,
			wantErr:  "signed by 352C64E5, which is not"},
		{name: "rhel7-unsigned", imported: []openpgp.Key{epel}, expected: openpgp.EPEL7Fingerprint,
			wantErr: "it is not signed"},
		{name: "rhel7-nokey", imported: []openpgp.Key{epel}, expected: openpgp.EPEL7Fingerprint, status: 1,
			wantErr: "signed by key 352C64E5, which is not imported"},
		{name: "rhel7-bad", imported: []openpgp.Key{epel}, expected: openpgp.EPEL7Fingerprint, status: 1,
			wantErr: "V3 RSA/SHA256 Signature, key ID 352c64e5: BAD"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			stdout, stderr := rpmtest.Recorded(t, tt.name+".rpm-K")
			keys := importedOf(tt.imported...)
			err := judgeSignature("/root/nginx.rpm", stdout, stderr, tt.status, []string{tt.expected}, keys)
			if !rpmtest.Matches(err, tt.wantErr) {
				t.Errorf("error is %v, want %q", err, tt.wantErr)
			}
		})
	}
}

var onlyEPEL = importedOf(openpgp.Key{Fingerprint: openpgp.EPEL7Fingerprint})

func importedOf(keys ...openpgp.Key) []ImportedKey {
	var all []ImportedKey
	for _, k := range keys {
		all = append(all, ImportedKey{Key: k})
	}
	return all
}

func TestJudgeSignatureFailsClosed(t *testing.T) {
	head := "/x.rpm:\n    Header V4 RSA/SHA512 Signature, key ID 352c64e5: OK\n"
	for name, tt := range map[string]struct{ stdout, stderr, wantErr string }{
		"header alone":     {head + "    Header SHA1 digest: OK\n", "", "--rpmv3"},
		"header and MD5":   {head + "    Header SHA1 digest: OK\n    MD5 digest: OK (6c1a3f7e)\n", "", "--rpmv3"},
		"digest in header": {head + "    Payload SHA256 digest: OK\n", "", "--rpmv3"},
		"RSA over MD5":     {head + "    V4 RSA/MD5 Signature, key ID 352c64e5: OK\n", "", "can be forged"},
		"unknown line":     {head + "    Moon phase: OK\n", "", `not understood: "Moon phase: OK"`},
		"another file":     {"/y.rpm:\n", "", "not understood"},
		"nothing":          {"", "", "not understood"},
		"no such file":     {"", "error: /x.rpm: open failed: No such file or directory\n", "open failed"},
		"terse":            {"/x.rpm: sha1 md5 OK\n", "", "not understood"},
		"signature unused": {head + "    DSA signature: NOTFOUND\n    MD5 digest: OK\n", "",
			"DSA signature: NOTFOUND"},
		"untrusted":         {head + "    V4 RSA/SHA512 Signature, key ID 352c64e5: NOTTRUSTED\n", "", "NOTTRUSTED"},
		"digest not found":  {head + "    Payload SHA256 digest: NOTFOUND\n", "", "damaged"},
		"OK in the trailer": {head + "    MD5 digest: BAD (Expected OK != OK)\n", "", "damaged"},
	} {
		t.Run(name, func(t *testing.T) {
			err := judgeSignature("/x.rpm", tt.stdout, tt.stderr, 0, []string{openpgp.EPEL7Fingerprint}, onlyEPEL)
			if !rpmtest.Matches(err, tt.wantErr) {
				t.Errorf("error is %v, want %q", err, tt.wantErr)
			}
		})
	}
}

func FuzzJudgeSignature(f *testing.F) {
	for _, name := range []string{"rhel7-signed", "rhel7-unsigned", "rhel7-nokey", "rhel7-bad"} {
		stdout, _ := rpmtest.Recorded(f, name+".rpm-K")
		f.Add(stdout, "")
	}
	f.Add("/root/nginx.rpm:\n    Payload SHA256 ALT digest: BAD (Expected a != b)\n    DSA signature: NOTFOUND\n",
		"error: x")
	f.Fuzz(func(t *testing.T, stdout, stderr string) {
		err := judgeSignature("/root/nginx.rpm", stdout, stderr, 0, []string{openpgp.EPEL7Fingerprint}, onlyEPEL)
		low := strings.ToLower(stdout)
		if err == nil && (!strings.Contains(low, "352c64e5: ok") || strings.Contains(stdout, ": BAD") ||
			strings.Contains(stdout, ": NOKEY")) {
			t.Errorf("accepted: %q", stdout)
		}
	})
}
