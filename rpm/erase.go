package rpm

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"wsprovision/rpm/rpmdb"
	"wsprovision/rpm/said"
)

// Erase removes packages, all of them or none: rpm refuses where a package that stays needs one of them (rpm(8)), and
// its refusal, which names that package, is the error. rpm is asked again afterwards. A lock that is held is waited
// for.
func (h Host) Erase(ctx context.Context, names ...string) error {
	for _, name := range names {
		if err := rpmdb.CheckName(name); err != nil {
			return fmt.Errorf("erase: %w", err)
		}
	}
	what := strings.Join(names, ", ")
	if err := (&waiting{h: h}).free(ctx); err != nil {
		return fmt.Errorf("erase %s: %w", what, err)
	}
	stdout, stderr, status, err := h.Change(ctx, "", append([]string{"rpm", "-e"}, names...)...)
	if err != nil {
		return fmt.Errorf("erase %s: rpm: %w", what, err)
	}
	found, err := h.DB.Installed(ctx, names...)
	if err != nil {
		return fmt.Errorf("erase %s: %w", what, err)
	}
	if len(found) > 0 {
		return fmt.Errorf("erase %s: %w; all stay: remove first what needs them", what,
			said.Error("rpm", status, stdout, stderr))
	}
	return nil
}

// ForgetKey takes an imported key away again, by its whole fingerprint. The package that goes is the one that holds
// just this key; eight digits of an id would name another's as well.
func (h Host) ForgetKey(ctx context.Context, fingerprint string) error {
	if err := h.forgetKey(ctx, fingerprint); err != nil {
		return fmt.Errorf("forget key %s: %w", fingerprint, err)
	}
	return nil
}

func (h Host) forgetKey(ctx context.Context, fingerprint string) error {
	keys, err := h.DB.Keyring(ctx)
	if err != nil {
		return err
	}
	holder, err := keyPackage(keys, fingerprint)
	if err != nil {
		return err
	}
	if err := (&waiting{h: h}).free(ctx); err != nil {
		return err
	}
	stdout, stderr, status, err := h.Change(ctx, "", "rpm", "-e", holder)
	if err != nil {
		return fmt.Errorf("rpm: %w", err)
	}
	left, err := h.DB.Keyring(ctx)
	if err == nil && slices.ContainsFunc(left, is(fingerprint)) {
		err = said.Error("rpm", status, stdout, stderr)
	}
	return err
}

// keyPackage is the package that holds the key and no other, under a name that no other has: two keys whose ids end
// alike and that say that they were made in the same second would both go.
func keyPackage(keys []rpmdb.ImportedKey, fingerprint string) (string, error) {
	at := slices.IndexFunc(keys, is(fingerprint))
	if at < 0 {
		return "", errors.New("it is not imported")
	}
	in := keys[at].In
	for _, k := range keys {
		if k.In == in && k.Fingerprint != fingerprint {
			return "", fmt.Errorf("%s is also what rpm calls %s: see rpm -qi %s, and remove by hand what is not wanted",
				in, k.Fingerprint, in)
		}
	}
	if !rpmdb.PubkeyRelease().MatchString(strings.TrimPrefix(in, rpmdb.Pubkey+"-")) {
		return "", fmt.Errorf("rpm calls it %s, which is not understood", said.Quote(in))
	}
	return in, nil
}
