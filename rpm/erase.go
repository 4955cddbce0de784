package rpm

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// Erase removes packages, all of them or none: rpm refuses where a package that stays needs one of them (rpm(8)), and its
// refusal, which names that package, is the error. rpm is asked again afterwards. A lock that is held is waited for.
func (h Host) Erase(ctx context.Context, names ...string) error {
	for _, name := range names {
		if err := checkName(name); err != nil {
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
	found, err := h.Installed(ctx, names...)
	if err != nil {
		return fmt.Errorf("erase %s: %w", what, err)
	}
	if len(found) > 0 {
		return fmt.Errorf("erase %s: %w; all stay: remove first what needs them", what, said("rpm", status, stdout, stderr))
	}
	return nil
}

// ForgetKey takes an imported key away again, by its fingerprint.
func (h Host) ForgetKey(ctx context.Context, fingerprint string) error {
	stdout, stderr, status, err := h.Read(ctx, "", "rpm", "-q", "--qf", `%{VERSION}-%{RELEASE}\n`, pubkey)
	if err != nil {
		return fmt.Errorf("forget key %s: rpm: %w", fingerprint, err)
	}
	// The version is the short id: the fingerprint's last eight digits.
	short := strings.ToLower(fingerprint[max(0, len(fingerprint)-8):])
	i := slices.IndexFunc(lines(stdout), func(l string) bool { return strings.HasPrefix(l, short+"-") })
	if i < 0 || !pubkeyName.MatchString(lines(stdout)[i]) {
		return fmt.Errorf("forget key %s: %w", fingerprint, said("rpm", status, stdout, stderr))
	}
	if err := (&waiting{h: h}).free(ctx); err != nil {
		return fmt.Errorf("forget key %s: %w", fingerprint, err)
	}
	stdout, stderr, status, err = h.Change(ctx, "", "rpm", "-e", pubkey+"-"+lines(stdout)[i])
	if err != nil {
		return fmt.Errorf("forget key %s: rpm: %w", fingerprint, err)
	}
	left, err := h.ImportedKeys(ctx)
	if err == nil && slices.Contains(left, fingerprint) {
		err = said("rpm", status, stdout, stderr)
	}
	if err != nil {
		return fmt.Errorf("forget key %s: %w", fingerprint, err)
	}
	return nil
}
