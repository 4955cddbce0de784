package systemd

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"wsprovision/provision/hostfile"
)

// Assignment is where a unit's file, or a drop-in, sets something.
type Assignment struct{ File, Value string }

// Assignments are all that set a key of a section for the unit, in the order in which systemd reads them: the last one
// holds (systemd.unit(5)). Drop-ins are read by their names, wherever they lie, and of two of a name the first place's.
func Assignments(ctx context.Context, root, unit, section, key string) (all []Assignment, err error) {
	if err := checkName(unit); err != nil {
		return nil, err
	}
	files, err := dropIns(root, unit+".d")
	if err != nil {
		return nil, err
	}
	if path, _, err := find(root, unit); err == nil && path != "" {
		files = append([]string{strings.TrimPrefix(path, root)}, files...)
	}
	return read(ctx, root, files, section, key)
}

// ManagerAssignments are those of systemd's own configuration (systemd-system.conf(5)).
func ManagerAssignments(ctx context.Context, root, key string) ([]Assignment, error) {
	var files []string
	for _, dir := range []string{"/etc/systemd", "/usr/lib/systemd"} {
		all, err := inOrder(root, dir+"/system.conf.d")
		if err != nil {
			return nil, err
		}
		files = append(files, all...)
	}
	return read(ctx, root, append([]string{"/etc/systemd/system.conf"}, files...), "Manager", key)
}

func dropIns(root, name string) ([]string, error) {
	var dirs []string
	for _, dir := range searchPath {
		dirs = append(dirs, dir+"/"+name)
	}
	return inOrder(root, dirs...)
}

// inOrder are the *.conf of directories by their names.
func inOrder(root string, dirs ...string) ([]string, error) {
	at := map[string]string{}
	for _, dir := range dirs {
		entries, err := os.ReadDir(root + dir)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		for _, e := range entries {
			if _, known := at[e.Name()]; !known && strings.HasSuffix(e.Name(), ".conf") {
				at[e.Name()] = filepath.Join(dir, e.Name())
			}
		}
	}
	var files []string
	for name := range at {
		files = append(files, name)
	}
	slices.Sort(files)
	for i, name := range files {
		files[i] = at[name]
	}
	return files, nil
}

func read(ctx context.Context, root string, files []string, section, key string) (all []Assignment, err error) {
	for _, file := range files {
		text, err := hostfile.Read(ctx, root+file, 1<<20)
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, hostfile.ErrNotRegular) { // masked by /dev/null
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("look for %s=: %w", key, err)
		}
		for _, value := range valuesIn(text, section, key) {
			all = append(all, Assignment{file, value})
		}
	}
	return all, nil
}

func valuesIn(text []byte, section, key string) (all []string) {
	here := false
	for s := bufio.NewScanner(bytes.NewReader(text)); s.Scan(); {
		line := strings.TrimSpace(s.Text())
		name, value, assigns := strings.Cut(line, "=")
		switch {
		case line == "" || strings.ContainsAny(line[:1], "#;"):
		case line[0] == '[':
			here = line == "["+section+"]"
		case here && assigns && strings.TrimSpace(name) == key:
			all = append(all, strings.TrimSpace(value))
		}
	}
	return all
}
