package rpmdb

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"wsprovision/provision/lazy"
	"wsprovision/rpm/openpgp"
	"wsprovision/rpm/said"
)

// CheckSignature verifies a package file against the keys of the given fingerprints, which must be imported. Every
// digest and every signature that rpm finds must be right, every signature by one of those keys, and one must cover
// header and payload. A package with right digests and no signature ("sha1 md5 OK") is refused. So is one whose
// header alone is signed: rpm 4.11 does not know the payload's digest in the header (PAYLOADDIGEST came with 4.14),
// and the MD5 beside it anybody can make.
func (d DB) CheckSignature(ctx context.Context, path string, fingerprints []string) error {
	keys, err := d.Keyring(ctx)
	if err != nil {
		return fmt.Errorf("check signature of %s: %w", path, err)
	}
	stdout, stderr, status, err := d.Read(ctx, "", "rpm", "-K", "-v", path)
	if err != nil {
		return fmt.Errorf("check signature of %s: rpm: %w", path, err)
	}
	if err := judgeSignature(path, stdout, stderr, status, fingerprints, keys); err != nil {
		return fmt.Errorf("check signature of %s: %w", path, err)
	}
	return nil
}

// proof is one line of rpm -Kv.
type proof struct {
	signature bool
	header    bool   // covers the header only
	payload   bool   // covers the payload, and the header
	keyID     string // 8 or more upper-case digits
	algorithm string // RSA/SHA256
	verdict   string // OK, BAD, NOKEY, NOTTRUSTED, NOTFOUND, …
	line      string
}

// rpm 4.11 prints `V4 RSA/SHA512 Signature, key ID 352c64e5: OK` and `MD5 digest: OK (…)`, each also with "Header "
// before it (lib/signature.c); 4.14 and later put the payload's digest in the header: `Payload SHA256 digest: OK`
// (lib/rpmvs.c).
var (
	signatureProof = lazy.Regexp(`^(Header )?(?:OpenPGP )?V\d+ (\S+) [Ss]ignature, ` +
		`key ID ([0-9a-fA-F]{8,40}): ([A-Z]+)`)
	digestProof = lazy.Regexp(`^(Header |Payload )?[A-Z0-9-]+ (?:ALT )?digest: ([A-Z]+)`)
	// noKeyProof is how 4.16 and later speak of a signature that they found no use for: `DSA signature: NOTFOUND`.
	noKeyProof = lazy.Regexp(`^(Header )?[A-Z0-9]+ [Ss]ignature: ([A-Z]+)`)
)

func parseProofs(path, stdout string) ([]proof, error) {
	all := said.Lines(stdout)
	if len(all) == 0 || strings.TrimSpace(all[0]) != path+":" {
		return nil, fmt.Errorf("rpm: not understood: %s", said.Quote(strings.Join(all[:min(1, len(all))], "")))
	}
	var proofs []proof
	for _, line := range all[1:] {
		line = strings.TrimSpace(line)
		if m := signatureProof().FindStringSubmatch(line); m != nil {
			proofs = append(proofs, proof{signature: true, header: m[1] != "", payload: m[1] == "",
				algorithm: m[2], keyID: strings.ToUpper(m[3]), verdict: m[4], line: said.Clip(line)})
		} else if m := noKeyProof().FindStringSubmatch(line); m != nil {
			proofs = append(proofs, proof{signature: true, verdict: "without a key: " + m[2], line: said.Clip(line)})
		} else if m := digestProof().FindStringSubmatch(line); m != nil {
			proofs = append(proofs, proof{header: m[1] == "Header ", verdict: m[2], line: said.Clip(line)})
		} else if line != "" {
			return nil, fmt.Errorf("rpm: not understood: %s", said.Quote(line))
		}
	}
	return proofs, nil
}

func judgeSignature(path, stdout, stderr string, status int, fingerprints []string, keys []ImportedKey) error {
	proofs, err := parseProofs(path, stdout)
	if err != nil {
		if strings.TrimSpace(stderr) != "" {
			return said.Error("rpm", status, "", stderr)
		}
		return err
	}
	if len(proofs) == 0 { // rpm 4.18 says no more of what is no package; 4.11 of one without digests
		return fmt.Errorf("rpm: exit status %d: it found nothing to verify", status)
	}
	signed, payload := false, false
	for _, p := range proofs {
		if err := p.judge(fingerprints, keys); err != nil {
			return err
		}
		signed = signed || p.signature
		payload = payload || p.signature && p.payload
	}
	switch {
	case !signed:
		return errors.New("it is not signed")
	case !payload:
		return errors.New("its header alone is signed, and nothing that rpm 4.11 checks covers its payload: have it " +
			"signed again with rpmsign --addsign --rpmv3")
	case status != 0:
		return said.Error("rpm", status, "", stderr)
	}
	return nil
}

func (p proof) judge(fingerprints []string, keys []ImportedKey) error {
	switch {
	case p.signature && p.verdict == "NOKEY":
		return fmt.Errorf("it is signed by key %s, which is not imported: %s", p.keyID, p.line)
	case p.verdict != "OK" && p.signature:
		return fmt.Errorf("its signature is not good: %s", p.line)
	case p.verdict != "OK":
		return fmt.Errorf("it is damaged: %s", p.line)
	case p.signature && strings.Contains(strings.ToUpper(p.algorithm), "MD5"):
		return fmt.Errorf("its signature is over an MD5, which can be forged: %s", p.line)
	case p.signature:
		return signer(p, fingerprints, keys)
	}
	return nil
}

// signer finds who signed. rpm 4.11 names a key by 8 digits, for which anybody can make another key: all imported keys
// that end in them must be expected ones.
func signer(p proof, fingerprints []string, keys []ImportedKey) error {
	known := false
	for _, k := range keys {
		if !k.EndsIn(p.keyID) {
			continue
		}
		known = true
		if !slices.ContainsFunc(fingerprints, func(f string) bool {
			return openpgp.NormalFingerprint(f) == k.Fingerprint
		}) {
			return fmt.Errorf("it is signed by %s, which is not the expected key: %s", k, p.line)
		}
		if k.Revoked {
			return fmt.Errorf("it is signed by %s, which is revoked: %s", k, p.line)
		}
	}
	if !known {
		return fmt.Errorf("it is signed by a key that is not imported: %s", p.line)
	}
	return nil
}
