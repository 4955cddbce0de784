package rpmdb

import (
	"context"
	"fmt"
	"strings"

	"wsprovision/rpm/said"
)

// Files are the paths of all files and directories that the named packages own, in rpm's order. A name that is not
// installed has none.
func (d DB) Files(ctx context.Context, names ...string) ([]string, error) {
	if len(names) == 0 {
		return nil, nil
	}
	for _, name := range names {
		if err := CheckName(name); err != nil {
			return nil, fmt.Errorf("list files of packages: %w", err)
		}
	}
	stdout, stderr, status, err := d.Read(ctx, "", append([]string{"rpm", "-ql"}, names...)...)
	if err != nil {
		return nil, fmt.Errorf("list files of packages: rpm: %w", err)
	}
	files, err := parseFiles(stdout, stderr)
	if err != nil {
		return nil, fmt.Errorf("list files of packages: rpm: exit status %d: %w", status, err)
	}
	return files, nil
}

// parseFiles reads rpm -ql: a path on each line, and "(contains no files)" for a package without any (rpm 4.11
// lib/query.c). Newer releases may say that a file is not installed in front of its path.
func parseFiles(stdout, stderr string) ([]string, error) {
	if err := databaseError(stderr); err != nil {
		return nil, err
	}
	var files []string
	for _, line := range said.Lines(stdout) {
		switch {
		case strings.HasPrefix(line, "/"):
			files = append(files, line)
		case line == "(contains no files)":
		case strings.HasPrefix(line, "package ") && strings.HasSuffix(line, " is not installed"):
		default:
			return nil, fmt.Errorf("not understood: %s", said.Quote(line))
		}
	}
	return files, nil
}
