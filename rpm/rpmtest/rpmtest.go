// Package rpmtest has what the tests of rpm and of its rooms share: recorded output, keys, files. Only tests import it.
package rpmtest

import (
	"context"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// Matches is true for no error where none is wanted, and for an error that holds the words wanted.
func Matches(err error, want string) bool {
	if want == "" {
		return err == nil
	}
	return err != nil && strings.Contains(err.Error(), want)
}

// Recorded reads one stream of a recorded run; a stream without a file was empty, a case without any file is a mistake.
func Recorded(t testing.TB, name string) (stdout, stderr string) {
	t.Helper()
	found := 0
	read := func(stream string) string {
		text, err := os.ReadFile(filepath.Join(data(), name+"."+stream))
		if err == nil {
			found++
		}
		return string(text)
	}
	stdout, stderr = read("stdout"), read("stderr")
	if found == 0 {
		t.Fatalf("no recorded output for %s", name)
	}
	return stdout, stderr
}

// KeyFile is a key of testdata.
func KeyFile(t testing.TB, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(data(), "key-"+name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

const (
	OnePrint   = "62AA3E0FABF959F9CE523EADF5F48909F8231DA5"
	TwoPrint   = "42956D9854F34CABE9CEDA4440D46C612C06140C"
	ThreePrint = "A0EAEFB35E66FBD5DE3EA669A17654E5EFCF8793"
)

// Answers is a Run that says the same whatever it is asked, and keeps what it was asked.
func Answers(stdout, stderr string, status int, asked *[][]string) func(context.Context, string, ...string) (string,
	string, int, error) {
	return func(_ context.Context, _ string, argv ...string) (string, string, int, error) {
		if asked != nil {
			*asked = append(*asked, argv)
		}
		return stdout, stderr, status, nil
	}
}

// data is the directory of what was recorded.
func data() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(file), "../testdata")
}

// ListedKey is how rpm lists an imported key.
const ListedKey = "gpg-pubkey\t(none)\t352c64e5\t52ae6884\t(none)\n(key)\n%s\n(end of key)\n"

// Write makes a file below a root, and the directories that it lies in.
func Write(t testing.TB, root, path, text string) {
	t.Helper()
	full := filepath.Join(root, path)
	if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(full, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
