package systemd

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// searchPath is where unit files lie, the first one wins (systemd.unit(5)). /run/systemd/system, which stands
// second there, is left out: in an installer's chroot it is the installer's, and the target boots with an empty /run.
var searchPath = [...]string{"/etc/systemd/system", "/usr/local/lib/systemd/system", "/usr/lib/systemd/system"}

// unitFile tells what systemd would make of the unit's files, as systemctl is-enabled does.
func unitFile(root, unit string) (State, error) {
	path, final, err := find(root, unit)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return State{Load: "not-found"}, nil
	case err != nil:
		return State{}, fmt.Errorf("read the unit files of %s: %w", unit, err)
	case path == "":
		return State{Load: "masked", File: "masked"}, nil
	}
	file, err := enablement(root, path, final)
	if err != nil {
		return State{}, fmt.Errorf("read the unit files of %s: %w", unit, err)
	}
	return State{Load: "loaded", File: file}, nil
}

// find gives the unit's file and the name it ends up with, after aliases; no path means masked.
func find(root, unit string) (path, final string, err error) {
	names := []string{unit}
	if at := strings.IndexByte(unit, '@'); at >= 0 && unit[at+1] != '.' {
		names = append(names, unit[:at+1]+filepath.Ext(unit))
	}
	for _, n := range names {
		for _, dir := range searchPath {
			path, err = follow(root, filepath.Join(root, dir, n))
			if err == nil {
				return path, finalName(unit, n, path), nil
			}
			if !errors.Is(err, fs.ErrNotExist) {
				return "", "", err
			}
		}
	}
	return "", "", fs.ErrNotExist
}

// finalName is the name an alias leads to; a template's instance keeps its own.
func finalName(unit, looked, path string) string {
	if path == "" || looked != unit {
		return unit
	}
	return filepath.Base(path)
}

// follow resolves links inside the root. No path and no error means masked: a link to /dev/null, which need not
// exist in a bare tree, or an empty file.
func follow(root, path string) (string, error) {
	for range 40 {
		info, err := os.Lstat(path)
		switch {
		case err != nil:
			return "", err
		case info.Mode().IsRegular() && info.Size() == 0:
			return "", nil
		case info.Mode().IsRegular():
			return path, nil
		case info.Mode()&fs.ModeSymlink == 0:
			return "", fmt.Errorf("%s is neither a file nor a link", path)
		}
		target, err := os.Readlink(path)
		if err != nil {
			return "", err
		}
		if filepath.Clean(target) == "/dev/null" {
			return "", nil
		}
		from := path
		if path = filepath.Join(filepath.Dir(path), target); filepath.IsAbs(target) {
			path = filepath.Join(root, target)
		}
		if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
			return "", fmt.Errorf("%s points to %s, which is not there", from, target)
		}
	}
	return "", fmt.Errorf("%s: too many links", path)
}

// enablement is "enabled" where a link made for the unit exists, and else what [Install] makes possible.
func enablement(root, path, unit string) (string, error) {
	linked, err := links(filepath.Join(root, searchPath[0]), unit)
	if err != nil || linked == "enabled" {
		return linked, err
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	in, err := parseInstall(string(text))
	switch {
	case err != nil:
		return "", fmt.Errorf("%s: %w", path, err)
	case linked != "":
		return linked, nil
	case len(in.Alias)+len(in.WantedBy)+len(in.RequiredBy) > 0:
		return "disabled", nil
	case len(in.Also) > 0:
		return "indirect", nil
	}
	return "static", nil
}

// links looks for links that bear the unit's name or point to a file of that name, as systemd does, whatever
// directory they stand in. The link of the same name at the top is the unit's own place: that one alone is "linked".
func links(config, unit string) (state string, err error) {
	err = filepath.WalkDir(config, func(path string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil || d.Type()&fs.ModeSymlink == 0 || strings.HasPrefix(d.Name(), ".") {
			return err
		}
		target, err := os.Readlink(path)
		if err != nil {
			return err
		}
		byName, byTarget := d.Name() == unit, filepath.Base(target) == unit
		switch {
		case byName && byTarget && filepath.Dir(path) == config:
			state = "linked"
		case byName || byTarget:
			state = "enabled"
			return fs.SkipAll
		}
		return nil
	})
	return state, err
}
