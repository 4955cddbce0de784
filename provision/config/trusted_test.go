package config

import (
	"errors"
	"os"
	"strings"
	"testing"
)

// A file in somebody's home is refused, and the way out is not to take the home away.
func TestHostileHome(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("files of others can be made by root alone")
	}
	home := t.TempDir()
	file := home + "/ws.yaml"
	err := errors.Join(os.WriteFile(file, []byte("sites: []\n"), 0o600), os.Chmod(file, 0o600),
		os.Chown(home, 65534, 65534))
	if err != nil {
		t.Fatal(err)
	}
	_, err = Load(Input{File: file, Trusted: true})
	if err == nil || !strings.Contains(err.Error(), "uid 65534") ||
		!strings.Contains(err.Error(), "or keep the file in a directory that is root's alone") {
		t.Errorf("%v", err)
	}
	if err := os.Chown(home, 0, 0); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(Input{File: file, Trusted: true}); err != nil {
		t.Errorf("root's own: %v", err)
	}
}
