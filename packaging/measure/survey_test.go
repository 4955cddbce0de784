package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestSurvey(t *testing.T) {
	root := t.TempDir()
	for name, text := range map[string]string{
		"a/a.go": "// Package a is low.\npackage a\n\ntype T struct{ x, y int }\n\nfunc (t *T) M() {}\n" +
			"func (t T) N() {}\n",
		"b/b.go":           "package b\n\nimport _ \"wsprovision/a\"\n\n//" + strings.Repeat("ä", 119) + "\n",
		"b/b_test.go":      "package b\n",
		"b/testdata/x.go":  "not Go",
		"packaging/p/p.go": "package p\n",
	} {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(root)
	h, err := survey(".")
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, r := range h.rows() {
		got[r.what] = r.is
	}
	for what, want := range map[string]string{"lines of the largest package": "7", "floors that imports make": "2",
		"methods of a type": "2", "fields of a type": "2", "packages without a comment": "1",
		"shipped lines of Go":               "12",
		"lines of more than 120 characters": "1", "lines of tests / of code": "0.08"} {
		if got[what] != want {
			t.Errorf("%s: %s, want %s", what, got[what], want)
		}
	}
}

// What is reached stays: no line is longer than 120 characters, and each package says what it is for.
func TestThisTree(t *testing.T) {
	h, err := survey("../..")
	if err != nil {
		t.Fatal(err)
	}
	if h.long > 0 {
		t.Errorf("%d lines have more than 120 characters, the last of them in %s", h.long, h.where)
	}
	for pkg, bare := range h.bare {
		if bare {
			t.Errorf("package %s has no comment that says what it is for", pkg)
		}
	}
}
