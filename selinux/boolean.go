package selinux

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"wsprovision/provision/lazy"
)

// Setting is the value of a boolean in one place.
type Setting string

// Unknown is what cannot be told here; Undefined is no such boolean, or no such record.
const (
	On        Setting = "on"
	Off       Setting = "off"
	Unknown   Setting = "unknown"
	Undefined Setting = "undefined"
)

// Boolean is a boolean's value in the kernel, at the next boot, and in booleans.local (Undefined if it records
// nothing).
type Boolean struct {
	Name                       string
	Running, Persistent, Local Setting
}

// booleanName is what may become a path and a word of a semanage line.
var booleanName = lazy.Regexp(`^[A-Za-z_][A-Za-z0-9_]*$`)

func isBooleanName(name string) bool { return len(name) <= 128 && booleanName().MatchString(name) }

func setting(on bool) Setting {
	if on {
		return On
	}
	return Off
}

// Boolean reads one boolean. Without root Local is Unknown, and Persistent still comes from the policy on disk, into
// which semanage compiles the local value. An error wraps ErrUnknown, and means that Persistent could not be told.
func (h Host) Boolean(_ context.Context, name string) (Boolean, error) {
	b := Boolean{Name: name, Running: Unknown, Persistent: Unknown, Local: Unknown}
	if !isBooleanName(name) {
		return b, fmt.Errorf("boolean %q: not a boolean's name", name)
	}
	b.Running = h.system().runningBoolean(name)
	local, err := h.system().localBooleans()
	switch on, recorded := local[name]; {
	case errors.Is(err, fs.ErrPermission):
	case err != nil:
		return b, fmt.Errorf("boolean %s: %w", name, err)
	case recorded:
		b.Local, b.Persistent = setting(on), setting(on)
		return b, nil
	default:
		b.Local = Undefined
	}
	if b.Persistent, err = h.defaultBoolean(name); err != nil {
		return b, fmt.Errorf("boolean %s: %w", name, err)
	}
	return b, nil
}

// runningBoolean reads the boolean's file in selinuxfs: the value in force, and the one set but not yet committed.
func (sy system) runningBoolean(name string) Setting {
	dir, err := sy.kernel()
	if err != nil {
		return Unknown
	}
	b, err := sy.read(dir, "booleans", name)
	if errors.Is(err, fs.ErrNotExist) && isDir(sy.path(dir, "booleans")) {
		return Undefined
	}
	if err != nil {
		return Unknown
	}
	return parseRunning(string(b))
}

func parseRunning(text string) Setting {
	switch strings.TrimRight(text, "\n\x00") {
	case "0 0", "0 1":
		return Off
	case "1 0", "1 1":
		return On
	}
	return Unknown
}

func (h Host) defaultBoolean(name string) (Setting, error) {
	p, err := h.policies().storedPolicy()
	if err != nil {
		return Unknown, err
	}
	on, ok := p.Booleans[name]
	if !ok {
		return Undefined, nil
	}
	return setting(on), nil
}

// localBooleans reads booleans.local. No file means no records; no store is an error.
func (sy system) localBooleans() (map[string]bool, error) {
	text, err := sy.storeFile("booleans.local")
	if err != nil {
		return nil, err
	}
	return parseLocalBooleans(text)
}

// storeFile reads a file of local records in the store, whose directory is 0700 root.
func (sy system) storeFile(name string) (string, error) {
	c, err := sy.config()
	if err != nil {
		return "", err
	}
	store, err := sy.store(c.policy)
	if err != nil {
		return "", err
	}
	if store == "" {
		return "", fmt.Errorf("%w: no policy store of %s: %w", ErrUnknown, c.policy, fs.ErrNotExist)
	}
	b, err := sy.read(store, name)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("%w: read %s: %w", ErrUnknown, path.Join(store, name), err)
	}
	return string(b), nil
}

// parseLocalBooleans reads NAME=VALUE lines; libsemanage accepts 0, 1, true and false, and spaces around the sign.
func parseLocalBooleans(text string) (map[string]bool, error) {
	records := map[string]bool{}
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		name, value, _ := strings.Cut(line, "=")
		name = strings.TrimSpace(name)
		on, ok := parseBool(strings.TrimSpace(value))
		if !ok || !isBooleanName(name) {
			return nil, fmt.Errorf("%w: booleans.local: %q", ErrUnknown, line)
		}
		records[name] = on
	}
	return records, nil
}

func parseBool(s string) (on, ok bool) {
	switch strings.ToLower(s) {
	case "1", "true":
		return true, true
	case "0", "false":
		return false, true
	}
	return false, false
}
