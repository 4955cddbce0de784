package rpm

import (
	"bytes"
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"wsprovision/rpm/openpgp"
	"wsprovision/rpm/rpmdb"
	"wsprovision/rpm/rpmtest"
)

// packets splits a key of testdata, each packet with its head.
func packets(t *testing.T, name string) [][]byte {
	t.Helper()
	blocks, err := openpgp.Dearmor([]byte(rpmtest.KeyFile(t, name)))
	if err != nil {
		t.Fatal(err)
	}
	var all [][]byte
	for data := blocks[0]; len(data) > 0; {
		_, _, rest, err := openpgp.Packet(data)
		if err != nil {
			t.Fatal(err)
		}
		all, data = append(all, data[:len(data)-len(rest)]), rest
	}
	return all
}

func joined(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

// turned is a copy with one byte changed, counted from the end.
func turned(packet []byte, fromEnd int) []byte {
	changed := bytes.Clone(packet)
	changed[len(changed)-fromEnd] ^= 1
	return changed
}

// TestHostileKeys is a key, a user id and its signature; two goes on with a user id, then three subkeys, each with its
// binding.
func TestHostileKeys(t *testing.T) {
	one, two := packets(t, "one.asc"), packets(t, "two.asc")
	stranger := []byte("\xb4\x07Red Hat")
	md5 := bytes.Clone(one[2])
	md5[bytes.Index(md5, []byte{4, 0x13, 1, 10})+3] = 1
	for name, tt := range map[string]struct {
		file    []byte
		refused string
		userIDs string
		subkeys int
	}{
		"whole": {joined(two...), "",
			"Two (with subkeys) <two@example.com>, Zwei <zwei@example.com>", 2},
		"a subkey without a signature": {joined(joined(one...), two[5]), "to which it has put no signature",
			"One <one@example.com>", 0},
		"a subkey with another key's binding": {joined(joined(one...), two[5], two[6]),
			"to which it has put no signature", "One <one@example.com>", 0},
		"a subkey with another subkey's": {joined(joined(two[:3]...), two[5], two[8]),
			"to which it has put no signature", "Two (with subkeys) <two@example.com>", 0},
		"a binding that was changed": {joined(joined(two[:5]...), two[5], turned(two[6], 9)),
			"no signature", "Two (with subkeys) <two@example.com>, Zwei <zwei@example.com>", 0},
		"a user id without a signature": {joined(joined(one...), stranger), "", "One <one@example.com>", 0},
		"a user id with another's signature": {joined(joined(one...), stranger, two[2]), "",
			"One <one@example.com>", 0},
		"no user id of its own": {joined(one[0], stranger, one[2]), "no good signature", "", 0},
		"no signature at all":   {joined(one[0], one[1]), "no good signature", "", 0},
		"nothing but the key":   {one[0], "no good signature", "", 0},
		"a signature that was changed": {joined(one[0], one[1], turned(one[2], 1)), "no good signature", "",
			0},
		"a signature said to be over an MD5": {joined(one[0], one[1], md5), "no good signature", "", 0},
		"a revocation that nobody can verify": {joined(one[0], []byte("\x88\x05\x04\x20\x01\x0a\x00"), one[1],
			one[2]), "is revoked", "One <one@example.com>", 0},
		"a revocation in the form of version 3": {joined(one[0], []byte("\x88\x04\x03\x05\x20\x00"), one[1], one[2]),
			"is revoked", "One <one@example.com>", 0},
		"a subkey that is revoked by somebody": {joined(joined(two[:7]...), []byte("\x88\x05\x04\x28\x01\x0a\x00")),
			"", "Two (with subkeys) <two@example.com>, Zwei <zwei@example.com>", 0},
		"more signatures than anybody verifies": {joined(joined(one...), bytes.Repeat(one[2], openpgp.MostSignatures)),
			"more than 1000 signatures", "One <one@example.com>", 0},
	} {
		t.Run(name, func(t *testing.T) {
			keys, err := openpgp.ParseKeys(tt.file)
			if err != nil || len(keys) != 1 {
				t.Fatalf("%v, %v", keys, err)
			}
			k := keys[0]
			if why := k.Refused(); (why == "") != (tt.refused == "") || !strings.Contains(why, tt.refused) {
				t.Errorf("refused because %q, want %q", why, tt.refused)
			}
			if got := strings.Join(k.UserIDs, ", "); got != tt.userIDs || len(k.Subkeys) != tt.subkeys {
				t.Errorf("user ids %q and %d subkeys, want %q and %d", got, len(k.Subkeys), tt.userIDs, tt.subkeys)
			}
		})
	}
}

// EPEL's own key is of 2013: it has signed itself over a SHA-1.
func TestEPELKey(t *testing.T) {
	keys, err := openpgp.ParseKeys([]byte(rpmtest.KeyFile(t, "EPEL-7.asc")))
	if err != nil || len(keys) != 1 || keys[0].Fingerprint != openpgp.EPEL7Fingerprint || keys[0].Refused() != "" ||
		keys[0].String() != openpgp.EPEL7Fingerprint+" Fedora EPEL (7) <epel@fedoraproject.org>" {
		t.Errorf("%+v, %v", keys, err)
	}
}

// An RSA key may be made so that verifying with it takes for ever, or goes wrong.
func TestHostileModulus(t *testing.T) {
	one := packets(t, "one.asc")
	for name, numbers := range map[string]string{
		"none": "", "of no bits": "\x00\x00\x00\x00", "even": "\x00\x10\x80\x00\x00\x02\x03",
		"an exponent of 0": "\x00\x10\x80\x01\x00\x02\x00",
		"too long":         "\x40\x01" + strings.Repeat("\xff", 2049) + "\x00\x02\x03",
		"something behind": "\x00\x10\x80\x01\x00\x02\x03x",
	} {
		body := "\x04\x52\xae\x68\x84\x01" + numbers
		file := joined([]byte{0x99, byte(len(body) >> 8), byte(len(body))}, []byte(body), one[1], one[2])
		if keys, err := openpgp.ParseKeys(file); err == nil && keys[0].Refused() == "" {
			t.Errorf("%s: taken: %v", name, keys)
		}
	}
}

// TestHostileKeysOfGPG makes the keys, at a time of ours.
func TestHostileKeysOfGPG(t *testing.T) {
	r := newReal(t)
	gpg := func(when string, argv ...string) {
		r.must(append([]string{"gpg", "--batch", "--passphrase", "", "--faked-system-time", when + "T000000"},
			argv...)...)
	}
	parse := func(name string) openpgp.Key {
		t.Helper()
		keys, err := openpgp.ParseKeys([]byte(r.must("gpg", "--armor", "--export", name+"@example.com")))
		if err != nil || len(keys) != 1 {
			t.Fatalf("%s: %v, %v", name, keys, err)
		}
		return keys[0]
	}
	refused := func(name, want string) {
		t.Helper()
		k := parse(name)
		if why := k.Refused(); (why == "") != (want == "") || !strings.Contains(why, want) {
			t.Errorf("%s: refused because %q, want %q", name, why, want)
		}
		file := r.path(name + ".asc")
		r.write(name+".asc", r.must("gpg", "--armor", "--export", name+"@example.com"))
		h := New("", r.run, func(context.Context, string, ...string) (string, string, int, error) {
			return "", "", 0, errors.New("rpm --import is run")
		})
		if want == "" {
			want = "rpm --import is run"
		}
		if err := h.ImportKey(bg, file, k.Fingerprint); !rpmtest.Matches(err, want) {
			t.Errorf("import %s: %v, want %q", name, err, want)
		}
	}
	gpg("20200101", "--cert-digest-algo", "SHA1", "--quick-gen-key", "good <good@example.com>", "rsa2048", "sign",
		"never")
	refused("good", "")
	gpg("20200101", "--quick-gen-key", "short <short@example.com>", "rsa2048", "sign", "2020-06-01")
	refused("short", "expired on 2020-06-01")
	if k := parse("short"); k.Expired.IsZero() || k.Expired.After(time.Now()) {
		t.Errorf("expired at %s", k.Expired)
	}
	gpg("20200201", "--quick-set-expire", parse("short").Fingerprint, "0")
	refused("short", "")
	gpg("20200101", "--quick-add-key", parse("good").Fingerprint, "rsa2048", "sign", "2020-06-01")
	gpg("20200101", "--quick-add-key", parse("good").Fingerprint, "rsa2048", "sign", "never")
	if k := parse("good"); len(k.Subkeys) != 1 || k.Refused() != "" {
		t.Errorf("one subkey has expired and one has not: %+v", k)
	}
	gpg("20200101", "--quick-gen-key", "elliptic <elliptic@example.com>", "ed25519", "sign", "never")
	refused("elliptic", "no RSA key")
	revocation, err := os.ReadFile(r.home + "/openpgp-revocs.d/" + parse("good").Fingerprint + ".rev")
	if err != nil {
		t.Fatal(err)
	}
	// the colon keeps it from being used by mistake
	r.write("good.rev", strings.Replace(string(revocation), ":---", "---", 1))
	r.must("gpg", "--batch", "--import", r.path("good.rev"))
	refused("good", "is revoked")
}

// Anybody can make a key whose id ends in eight given digits.
func TestHostileForgetKey(t *testing.T) {
	key := func(in, name string) rpmdb.ImportedKey {
		keys, err := openpgp.ParseKeys([]byte(rpmtest.KeyFile(t, name)))
		if err != nil {
			t.Fatal(err)
		}
		return rpmdb.ImportedKey{Key: keys[0], In: in}
	}
	one := key("gpg-pubkey-f8231da5-5e0be100", "one.asc")
	evil := rpmdb.ImportedKey{Key: openpgp.Key{Fingerprint: strings.Repeat("0", 32) + rpmtest.OnePrint[32:]},
		In: "gpg-pubkey-f8231da5-00000001"}
	twin := rpmdb.ImportedKey{Key: evil.Key, In: one.In}
	for name, tt := range map[string]struct {
		keys    []rpmdb.ImportedKey
		want    string
		wantErr string
	}{
		"alone":                      {[]rpmdb.ImportedKey{one}, one.In, ""},
		"behind one that ends alike": {[]rpmdb.ImportedKey{evil, one}, one.In, ""},
		"the one that ends alike":    {[]rpmdb.ImportedKey{evil}, "", "not imported"},
		"a name that two have":       {[]rpmdb.ImportedKey{one, twin}, "", "is also what rpm calls"},
		"a name that is an option": {[]rpmdb.ImportedKey{{Key: one.Key, In: "gpg-pubkey---all"}}, "",
			"not understood"},
		"not imported": {nil, "", "not imported"},
		"a name that is not rpm's own": {[]rpmdb.ImportedKey{{Key: one.Key, In: "gpg-pubkey-f8231da5-*"}}, "",
			"not understood"},
	} {
		if got, err := keyPackage(tt.keys, rpmtest.OnePrint); got != tt.want || !rpmtest.Matches(err, tt.wantErr) {
			t.Errorf("%s: got %q, %v, want %q, %q", name, got, err, tt.want, tt.wantErr)
		}
	}
}

func TestForgetKey(t *testing.T) {
	f := newFake(t)
	f.keys = []string{rpmtest.KeyFile(t, "one.asc")}
	f.erasing = func([]string) { f.keys = nil }
	if err := f.host().ForgetKey(bg, rpmtest.OnePrint); err != nil || len(f.ran) != 1 ||
		f.ran[0] != "rpm -e gpg-pubkey-352c64e5-52ae6884" {
		t.Errorf("%v, ran %q", err, f.ran)
	}
	f.keys = []string{rpmtest.KeyFile(t, "one.asc")}
	f.erasing = func([]string) {}
	if err := f.host().ForgetKey(bg, rpmtest.OnePrint); !rpmtest.Matches(err, "forget key "+rpmtest.OnePrint+
		": rpm: exit status 0") {
		t.Errorf("it stayed, and the error is %v", err)
	}
}
