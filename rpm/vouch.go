package rpm

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"wsprovision/provision/secret"
	"wsprovision/rpm/openpgp"
	"wsprovision/rpm/yumconf"
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
	main, defined, err := h.Yum.Definitions()
	if err != nil {
		return limits, err
	}
	limits.Args = h.Yum.Beside.Args(h.Yum.RepoDirs(main))
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

func (l *Limits) add(r yumconf.Repository, unvouched []Unvouched, vouched []string, anyImported bool) {
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

func (j *judge) keys(ctx context.Context, r yumconf.Repository) (unvouched []Unvouched, vouched []string, err error) {
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
	path, ok := yumconf.LocalKey(keyURL)
	if !ok {
		return no("not a local file")
	}
	if strings.Contains(path, "$") {
		return no("a variable in its path is not known")
	}
	text, err := h.Yum.FetchFile(path, mostKey)
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
	if err == nil && allTrusted(keys, imported, h.Fingerprints) {
		return verdictOnKey{keys: keys}, nil
	}
	owned, err := h.DB.Owned(ctx, path)
	if err != nil || owned {
		return verdictOnKey{keys: keys}, err
	}
	for _, k := range keys {
		if why := k.Refused(); why != "" && !k.Among(imported) && configured(k, h.Fingerprints) {
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

func allTrusted(keys, imported []openpgp.Key, configuredOnes []string) bool {
	return !slices.ContainsFunc(keys, func(k openpgp.Key) bool {
		return !k.Among(imported) && (k.Refused() != "" || !configured(k, configuredOnes))
	})
}

func configured(k openpgp.Key, fingerprints []string) bool {
	return slices.ContainsFunc(fingerprints, func(f string) bool {
		return openpgp.NormalFingerprint(f) == k.Fingerprint
	})
}
