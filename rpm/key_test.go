package rpm

import (
	"bytes"
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"wsprovision/rpm/openpgp"
	"wsprovision/rpm/rpmtest"

	"github.com/google/go-cmp/cmp"
)

// The keys were made by gpg 2.2, and the fingerprints are what it lists.
func TestParseKeys(t *testing.T) {
	one := openpgp.Key{Fingerprint: rpmtest.OnePrint, UserIDs: []string{"One <one@example.com>"},
		Created: time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)}
	two := openpgp.Key{Fingerprint: rpmtest.TwoPrint,
		UserIDs: []string{"Two (with subkeys) <two@example.com>", "Zwei <zwei@example.com>"},
		Created: time.Unix(1795373661, 0).UTC(),
		// The third may sign and is Ed25519: that it agrees to be this key's cannot be verified, and rpm 4.11 has no
		// use for it.
		Subkeys: []string{"43B506E1175E1E721DBCB38EBBC06ADC16508631", "4BFDD9916A2854F5D783D6990CF060E28D99156E"}}
	three := openpgp.Key{Fingerprint: rpmtest.ThreePrint, Created: time.Unix(1795373662, 0).UTC(),
		Unverified: "it is no RSA key of at most 8192 bits: what it says of itself cannot be verified here, and RHEL " +
			"7's rpm takes no key of an elliptic curve; get an RSA key"}
	armored := rpmtest.KeyFile(t, "one.asc")
	tests := []struct {
		name, text string
		want       []openpgp.Key
		wantErr    string
	}{
		{name: "RSA 4096", text: armored, want: []openpgp.Key{one}},
		{name: "binary", text: rpmtest.KeyFile(t, "one.gpg"), want: []openpgp.Key{one}},
		{name: "subkeys and two user ids", text: rpmtest.KeyFile(t, "two.asc"), want: []openpgp.Key{two}},
		{name: "Ed25519", text: rpmtest.KeyFile(t, "three.asc"), want: []openpgp.Key{three}},
		{name: "two keys in one block", text: rpmtest.KeyFile(t, "one-and-three.asc"), want: []openpgp.Key{one, three}},
		{name: "two blocks and text around them", text: rpmtest.KeyFile(t, "blocks.asc"),
			want: []openpgp.Key{one, two}},
		{name: "CRLF", text: strings.ReplaceAll(armored, "\n", "\r\n"), want: []openpgp.Key{one}},
		{name: "without checksum", text: withoutSum(armored), want: []openpgp.Key{one}},
		{name: "a header", text: strings.Replace(armored, "\n\n", "\nVersion: rpm-4.11.3 (NSS-3)\n\n", 1),
			want: []openpgp.Key{one}},
		{name: "wrong checksum", text: strings.Replace(armored, sum(armored), "=AAAA", 1), wantErr: "checksum is "},
		{name: "a bit turned over", text: strings.Replace(armored, "\nmQ", "\nmA", 1), wantErr: "armor: checksum"},
		{name: "cut short", text: armored[:len(armored)/2], wantErr: "does not end"},
		{name: "private key", text: strings.ReplaceAll(armored, "PUBLIC", "PRIVATE"),
			wantErr: "not a public key block"},
		{name: "a second block that begins inside a line, which rpm reads", text: armored + "x" +
			rpmtest.KeyFile(t, "three.asc"), wantErr: "not a public key block"},
		{name: "NUL, where rpm stops reading", text: armored + "\x00", wantErr: "NUL"},
		{name: "HTML", text: "<html>404</html>", wantErr: "not an OpenPGP public key"},
		{name: "empty", text: "", wantErr: "not an OpenPGP public key"},
		{name: "binary cut short", text: rpmtest.KeyFile(t, "one.gpg")[:600], wantErr: "announced"},
		{name: "begins with a user id", text: "\xb4\x01x", wantErr: "packet type 13"},
		{name: "literal data after the key", text: rpmtest.KeyFile(t, "one.gpg") + "\xac\x01x",
			wantErr: "no place in a public key"},
		{name: "version 3", text: "\x98\x09\x03xxxxxxxx", wantErr: "version 3"},
		{name: "partial length", text: "\xc6\xe0xxxx", wantErr: "partial"},
		{name: "open length", text: "\x9bxxxx", wantErr: "open"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := openpgp.ParseKeys([]byte(tt.text))
			if !rpmtest.Matches(err, tt.wantErr) {
				t.Fatalf("error is %v, want %q", err, tt.wantErr)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
}

func sum(armored string) string {
	i := strings.LastIndex(armored, "\n=")
	return armored[i+1 : i+6]
}

func withoutSum(armored string) string { return strings.Replace(armored, sum(armored)+"\n", "", 1) }

func TestCRC24(t *testing.T) {
	// RFC 4880 section 6.1: the register begins as 0xB704CE; of no data it stays so.
	if got := openpgp.Crc24(nil); got != 0xb704ce {
		t.Errorf("got %06x", got)
	}
	if got := openpgp.Crc24([]byte("123456789")); got != 0x21cf02 { // the check value of CRC-24/OPENPGP
		t.Errorf("got %06x", got)
	}
}

func FuzzParseKeys(f *testing.F) {
	for _, name := range []string{"one.asc", "one.gpg", "two.asc", "three.asc", "one-and-three.asc", "blocks.asc"} {
		f.Add([]byte(rpmtest.KeyFile(f, name)))
	}
	f.Add([]byte(openpgp.ArmorBegin + "\n\n" + base64.StdEncoding.EncodeToString([]byte("\x98\x09\x04xxxxxxxx")) +
		"\n" +
		openpgp.ArmorEnd))
	f.Fuzz(func(t *testing.T, file []byte) {
		keys, err := openpgp.ParseKeys(file)
		if err != nil {
			return
		}
		if len(keys) == 0 {
			t.Error("no error and no key")
		}
		for _, k := range keys {
			if openpgp.NormalFingerprint(k.Fingerprint) != k.Fingerprint ||
				strings.ContainsAny(strings.Join(k.UserIDs, ""), "\x00\x1b\n") {
				t.Errorf("%q", k)
			}
		}
		if blocks := bytes.Count(file, []byte(openpgp.ArmorMark)); blocks > len(keys) {
			t.Errorf("rpm sees %d blocks, and we %d keys", blocks, len(keys))
		}
	})
}

// TestHostileKeyCutShort: whatever of a key is there, a part of it is an error and no panic, unless the part is a key
// with less to say. A key packet has at least eight bytes (RFC 4880 section 5.5.2).
func TestHostileKeyCutShort(t *testing.T) {
	whole := []byte(rpmtest.KeyFile(t, "two.asc"))
	blocks, err := openpgp.Dearmor(whole)
	if err != nil {
		t.Fatal(err)
	}
	good := 0
	for n := range blocks[0] {
		keys, err := openpgp.ParseKeys(blocks[0][:n])
		if err == nil && (len(keys) != 1 || keys[0].Fingerprint != rpmtest.TwoPrint) {
			t.Errorf("%d bytes: %v", n, keys)
		}
		if err == nil {
			good++
		}
	}
	if good == 0 || good > 20 {
		t.Errorf("%d parts are keys; it is cut between packets at fewer places", good)
	}
	for n := range 8 {
		short := append([]byte{0x98, byte(n)}, "\x04xxxxxxx"[:n]...)
		if keys, err := openpgp.ParseKeys(short); err == nil || !strings.Contains(err.Error(), "public key of") {
			t.Errorf("a packet of %d bytes: %v, %v", n, keys, err)
		}
		subkey := append(append([]byte{}, blocks[0]...), append([]byte{0xb8, byte(n)}, "\x04xxxxxxx"[:n]...)...)
		if keys, err := openpgp.ParseKeys(subkey); err == nil || !strings.Contains(err.Error(),
			"subkey: public key of") {
			t.Errorf("a subkey of %d bytes: %v, %v", n, keys, err)
		}
	}
}
