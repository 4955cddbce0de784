package packages

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"wsprovision/provision/config"
	"wsprovision/provision/host"
)

// A warning is due where a file that holds credentials can be read by others, and only there: root's group is no other.
func TestExposedFile(t *testing.T) {
	const query = "https://mirror.example.com/x?token=secret"
	const secret, open = "https://user:password@mirror.example.com/7", "https://mirror.example.com/7"
	for name, tt := range map[string]struct {
		content, baseURL string
		mode             os.FileMode
		gid              int
		want             bool
	}{
		"everybody reads it":              {secret, secret, 0o604, 0, true},
		"a group reads it":                {secret, secret, 0o640, 100, true},
		"root's group reads it":           {secret, secret, 0o640, 0, false},
		"root's group, and everybody":     {secret, secret, 0o644, 0, true},
		"root alone":                      {secret, secret, 0o600, 100, false},
		"credentials from an option":      {"epel: {}", secret, 0o644, 0, false},
		"no credentials":                  {open, open, 0o644, 0, false},
		"credentials in the query":        {"x?token=secret", query, 0o644, 0, true},
		"another query than in the file":  {"x", query, 0o644, 0, false},
		"a user and an at sign in a path": {"https://u:p@h/a@b", "https://u:p@h/a@b", 0o644, 0, true},
	} {
		t.Run(name, func(t *testing.T) {
			root := t.TempDir()
			path := root + "/c.yaml"
			if err := os.WriteFile(path, []byte(tt.content), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.Chown(path, 0, tt.gid); err != nil {
				t.Skip("files of other groups can be made by root alone")
			}
			if err := os.Chmod(path, tt.mode); err != nil {
				t.Fatal(err)
			}
			src := &Source{Host: &host.Host{Root: root}, Config: config.Config{Source: "/c.yaml"}}
			src.Config.EPEL.BaseURL = tt.baseURL
			want := ""
			if tt.want {
				want = fmt.Sprintf("/c.yaml holds credentials of epel and can be read by others (mode %04o): chmod "+
					"600 /c.yaml", tt.mode)
			}
			if got := src.Repositories().exposedFile(); got != want {
				t.Errorf("%q, want %q", got, want)
			}
		})
	}
}

// What is no file of the configuration, or no file at all, is not read.
func TestExposedNoFile(t *testing.T) {
	root := t.TempDir()
	if err := os.MkdirAll(filepath.Join(root, "dir"), 0o755); err != nil {
		t.Fatal(err)
	}
	large := strings.Repeat("https://user:password@h/", host.MaxFile/24+1)
	if err := os.WriteFile(root+"/large", []byte(large), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{"", "/dir", "/missing", "/large"} {
		src := &Source{Host: &host.Host{Root: root}, Config: config.Config{Source: file}}
		src.Config.EPEL.BaseURL = "https://user:password@h/"
		if got := src.Repositories().exposedFile(); got != "" {
			t.Errorf("%q: %q", file, got)
		}
	}
}

// Metadata over plain http is told of, whatever the letters.
func TestExposedMetadata(t *testing.T) {
	for url, want := range map[string]int{"http://h/7": 1, "HTTP://h/7": 1, "https://h/7": 0, "file:///srv": 0, "": 0} {
		src := &Source{Host: &host.Host{}}
		src.Config.EPEL.BaseURL = url
		if got := src.Repositories().exposed(); len(got) != want {
			t.Errorf("%q: %q, want %d", url, got, want)
		}
	}
}
