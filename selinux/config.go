package selinux

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"wsprovision/provision/lazy"
)

// The directory is compiled into libselinux; everything below it is not.
const etc = "/etc/selinux"

// config is what /etc/selinux/config says.
type config struct {
	present bool // is_selinux_enabled(3) wants the file to exist, even empty
	mode    Mode // "" where no line says it
	policy  string
}

// A policy's name becomes part of paths, so nothing that could leave the directory passes.
var policyName = lazy.Regexp(`^[A-Za-z0-9_][A-Za-z0-9_.-]*$`)

func (sy system) config() (config, error) {
	b, err := sy.read(etc, "config")
	if errors.Is(err, fs.ErrNotExist) {
		return config{policy: "targeted"}, nil
	}
	if err != nil {
		return config{}, fmt.Errorf("read SELinux configuration: %w: %w", ErrUnknown, err)
	}
	return parseConfig(string(b))
}

// parseConfig follows libselinux 2.5 (selinux_config.c), which reads the two settings by different rules: the first
// valid SELINUX= at the beginning of a line counts, the last SELINUXTYPE= in any case and after any white space.
func parseConfig(text string) (config, error) {
	c := config{present: true, policy: "targeted"}
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		if v, ok := strings.CutPrefix(line, "SELINUX="); ok && c.mode == "" {
			c.mode = configuredMode(v)
		}
		line = strings.TrimLeft(line, " \t\r\v\f")
		if len(line) >= 12 && strings.EqualFold(line[:12], "SELINUXTYPE=") {
			c.policy = strings.TrimRightFunc(line[12:], func(r rune) bool { return r <= ' ' || r == 0x7f })
		}
	}
	if !policyName().MatchString(c.policy) {
		return config{}, fmt.Errorf("read SELinux configuration: %w: SELINUXTYPE=%q is no policy's name", ErrUnknown,
			c.policy)
	}
	return c, nil
}

// configuredMode compares the beginning only, as libselinux does: "enforcing  # really" is enforcing.
func configuredMode(v string) Mode {
	for _, m := range []Mode{Enforcing, Permissive, Disabled} {
		if len(v) >= len(m) && strings.EqualFold(v[:len(m)], string(m)) {
			return m
		}
	}
	return ""
}

// store returns the directory of the active policy store, or "" if there is none. RHEL 7.3 moved it from modules/active
// to active and left the old tree behind; Debian and upstream keep it under /var/lib/selinux (semanage.conf(5);
// selinux-policy.spec of 7.2 and 7.3, %files).
func (sy system) store(policy string) (string, error) {
	root, err := sy.storeRoot()
	if err != nil {
		return "", err
	}
	candidates := []string{etc + "/" + policy + "/active", "/var/lib/selinux/" + policy + "/active"}
	if root != "" {
		candidates = []string{root + "/" + policy + "/active"}
	}
	for _, dir := range append(candidates, etc+"/"+policy+"/modules/active") {
		if isDir(sy.path(dir)) {
			return dir, nil
		}
	}
	return "", nil
}

func (sy system) storeRoot() (string, error) {
	b, err := sy.read(etc, "semanage.conf")
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("read semanage.conf: %w: %w", ErrUnknown, err)
	}
	return parseStoreRoot(string(b))
}

// parseStoreRoot finds `store-root = /path`; the last one counts.
func parseStoreRoot(text string) (string, error) {
	root := ""
	for line := range strings.Lines(text) {
		key, value, ok := strings.Cut(line, "=")
		if !ok || strings.TrimSpace(key) != "store-root" {
			continue
		}
		root = strings.Trim(strings.TrimSpace(value), `"`)
		if !strings.HasPrefix(root, "/") || strings.Contains(root, "..") {
			return "", fmt.Errorf("read semanage.conf: %w: %q", ErrUnknown, strings.TrimSpace(line))
		}
	}
	return root, nil
}
