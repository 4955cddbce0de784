package rpm

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"wsprovision/provision/secret"
	"wsprovision/rpm/openpgp"
	"wsprovision/rpm/said"
)

// Unvouched is a key URL of an enabled repository that nobody vouches for; yum -y would import what it finds there.
type Unvouched struct {
	Repository string // id
	Key        string // its URL
	Reason     string
}

func (u Unvouched) String() string {
	return secret.Hide(fmt.Sprintf("repository %s: gpgkey %s: %s", u.Repository, u.Key, u.Reason))
}

// Limits are yum options that keep one run within what is trusted, and why each is there. They are all --setopt=ID.…:
// unlike --disablerepo=ID, which fails the run, that passes over an id that yum itself has skipped (yum 3.4.3,
// yum/repos.py).
type Limits struct {
	Args    []string // --setopt=ID.gpgkey=…, .gpgcheck=1 or .enabled=0
	Reasons []string // sentences for a person
	// Keys are the fingerprints of the keys that yum may import: vouched for, and not imported yet.
	Keys []string
}

// Restrict works out the limits for the enabled repositories. A key is vouched for where its URL is a local file that
// an installed package owns, or whose keys are all configured (Host.Fingerprints) or imported already. What lies behind
// http or https is never vouched for: it may be another key when yum fetches it. Whoever trusts such a key imports it
// (rpm --import FILE), and yum then does not ask for it.
//
// A repository keeps only vouched key files; packages from it that an imported key has signed are taken as before.
// gpgcheck=0 is overridden. With no key imported and none vouched for, nothing from it could be taken, and yum would
// refuse to start at all (yum 3.4.3, "You have enabled checking of packages via GPG keys"): it is left out of this run.
func (h Host) Restrict(ctx context.Context, imported []openpgp.Key) (Limits, error) {
	var limits Limits
	main, defined, err := h.definitions()
	if err != nil {
		return limits, err
	}
	limits.Args = h.beside.args(h.repoDirs(main))
	j := judge{h: h, imported: imported, verdicts: map[string]verdictOnKey{}}
	for _, d := range defined {
		r := d.Repository
		if !r.Enabled {
			continue
		}
		unvouched, vouched, err := j.keys(ctx, r)
		if err != nil {
			return limits, err
		}
		limits.add(r, unvouched, vouched, len(j.imported) > 0)
	}
	limits.Keys = j.importable()
	return limits, nil
}

func (l *Limits) add(r Repository, unvouched []Unvouched, vouched []string, anyImported bool) {
	if len(vouched) == 0 && !anyImported {
		l.Args = append(l.Args, "--setopt="+r.ID+".enabled=0")
		l.Reasons = append(l.Reasons,
			fmt.Sprintf("repository %s is left out: nobody vouches for a key of it, and no key is imported", r.ID))
		return
	}
	if !r.GPGCheck {
		l.Args = append(l.Args, "--setopt="+r.ID+".gpgcheck=1")
		l.Reasons = append(l.Reasons, fmt.Sprintf("repository %s says gpgcheck=0: signatures are checked all the same",
			r.ID))
	}
	if len(unvouched) == 0 {
		return
	}
	l.Args = append(l.Args, "--setopt="+r.ID+".gpgkey="+strings.Join(vouched, ","))
	for _, u := range unvouched {
		l.Reasons = append(l.Reasons, fmt.Sprintf("%s: it is not imported", u))
	}
}

// judge asks rpm for the owner of each key file once: several repositories commonly share one.
type judge struct {
	h        Host
	imported []openpgp.Key
	verdicts map[string]verdictOnKey // by URL
}

// verdictOnKey is what a key file that is vouched for holds, or why nobody vouches for it.
type verdictOnKey struct {
	keys   []openpgp.Key
	reason string // "" is vouched for
}

func (j *judge) keys(ctx context.Context, r Repository) (unvouched []Unvouched, vouched []string, err error) {
	for _, key := range r.GPGKey {
		v, known := j.verdicts[key]
		if !known {
			if v, err = j.h.judgeKey(ctx, key, j.imported); err != nil {
				return nil, nil, fmt.Errorf("repository %s: gpgkey %s: %w", r.ID, secret.Hide(key), err)
			}
			j.verdicts[key] = v
		}
		if v.reason != "" {
			unvouched = append(unvouched, Unvouched{Repository: r.ID, Key: key, Reason: v.reason})
		} else {
			vouched = append(vouched, key)
		}
	}
	return unvouched, vouched, nil
}

// importable are the fingerprints of what is vouched for and not imported yet, sorted.
func (j *judge) importable() []string {
	var all []string
	for _, v := range j.verdicts {
		for _, k := range v.keys {
			if !k.Among(j.imported) {
				all = append(all, k.Fingerprint)
			}
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// mostKey bounds a file of keys, in bytes: RHEL 7's has 2 kB.
const mostKey = 1 << 20

func (h Host) judgeKey(ctx context.Context, keyURL string, imported []openpgp.Key) (verdictOnKey, error) {
	no := func(reason string) (verdictOnKey, error) { return verdictOnKey{reason: reason}, nil }
	path, ok := localKey(keyURL)
	if !ok {
		return no("not a local file")
	}
	if strings.Contains(path, "$") {
		return no("a variable in its path is not known")
	}
	text, err := h.fetchFile(path, mostKey)
	if errors.Is(err, fs.ErrNotExist) {
		return no("the file does not exist")
	}
	if err != nil {
		return no(err.Error())
	}
	keys, err := openpgp.ParseKeys(text)
	if why := doubtful(keys, imported); why != "" {
		return no(why)
	}
	if err == nil && h.allTrusted(keys, imported) {
		return verdictOnKey{keys: keys}, nil
	}
	owned, err := h.owned(ctx, path)
	if err != nil || owned {
		return verdictOnKey{keys: keys}, err
	}
	for _, k := range keys {
		if why := k.Refused(); why != "" && !k.Among(imported) && h.configured(k) {
			return no(why)
		}
	}
	return no("no installed package owns the file, and the configuration does not name its fingerprint")
}

// doubtful is why no file with these keys is vouched for, whoever brought it, "" for none. A package may bring a key
// that has expired or that is no RSA key: its vendor stands for it.
func doubtful(keys, imported []openpgp.Key) string {
	for _, k := range keys {
		if !k.Among(imported) && (k.Revoked || len(k.Unbound) > 0) {
			return k.Refused()
		}
	}
	return ""
}

func (h Host) allTrusted(keys, imported []openpgp.Key) bool {
	return !slices.ContainsFunc(keys, func(k openpgp.Key) bool {
		return !k.Among(imported) && (k.Refused() != "" || !h.configured(k))
	})
}

func (h Host) configured(k openpgp.Key) bool {
	return slices.ContainsFunc(h.Fingerprints, func(f string) bool {
		return openpgp.NormalFingerprint(f) == k.Fingerprint
	})
}

// localKey is the path in a file: URL as yum reads it. Escapes and quotes are refused rather than decoded the way we
// think.
func localKey(keyURL string) (string, bool) {
	path, ok := strings.CutPrefix(keyURL, "file:")
	if !ok {
		return "", false
	}
	if rest, ok := strings.CutPrefix(path, "//"); ok {
		path = rest
	}
	plain := strings.HasPrefix(path, "/") && !strings.HasPrefix(path, "//") &&
		!strings.ContainsAny(path, "%?#\"'\\= \t\n,")
	return path, plain
}

// owned asks rpm whether an installed package brought the file.
func (h Host) owned(ctx context.Context, path string) (bool, error) {
	stdout, stderr, status, err := h.Read(ctx, "", "rpm", "-qf", "--qf", `%{NAME}\n`, path)
	if err != nil {
		return false, fmt.Errorf("rpm: %w", err)
	}
	if status == 0 && strings.TrimSpace(stdout) != "" {
		return true, databaseError(stderr)
	}
	if strings.TrimSpace(stdout) == "file "+path+" is not owned by any package" {
		return false, databaseError(stderr)
	}
	return false, said.Error("rpm", status, stdout, stderr)
}

var variable = regexp.MustCompile(`\$\{?(\w+)\}?`)

// expand replaces yum's variables whose value is a constant here or a file in /etc/yum/vars (yum.conf(5)). Others stay,
// and a key in such a path is not vouched for: $releasever, which yum takes from the release package, and $arch, which
// is ia32e or amd64 after the processor's vendor (rpmUtils/arch.py).
func (h Host) expand(s string) string {
	return variable.ReplaceAllStringFunc(s, func(v string) string {
		name := strings.ToLower(variable.FindStringSubmatch(v)[1])
		for _, dir := range []string{"/etc/yum/vars", "/etc/dnf/vars"} {
			if text, err := os.ReadFile(filepath.Join(h.Root, dir, name)); err == nil {
				first, _, _ := strings.Cut(string(text), "\n")
				return first
			}
		}
		if name == "basearch" {
			return "x86_64" // the only architecture that we are built for
		}
		return v
	})
}
