package credentials

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"wsprovision/provision/site"
	"wsprovision/provision/websocket/handshake"
)

func TestRead(t *testing.T) {
	for _, tt := range []struct{ name, content, header, want string }{
		{"a pair", "foo:bar\n", "Authorization", "Basic Zm9vOmJhcg=="},
		{"a pair with colons and blanks", "foo:b: a r\n", "Authorization", "Basic Zm9vOmI6IGEgcg=="},
		{"a pair of DOS", "foo:bar\r\n", "Authorization", "Basic Zm9vOmJhcg=="},
		{"an empty password", "foo:\n", "Authorization", "Basic Zm9vOg=="},
		{"a line", "Authorization: Bearer x\n", "Authorization", "Bearer x"},
		{"lines", "X-A: 1\ncookie: a=b; c=d\n", "Cookie", "a=b; c=d"},
	} {
		c, err := Read(t.Context(), put(t, tt.content, 0o600), &site.Probe{CredentialsFile: "/file"})
		if got := c.Header.Get(tt.header); err != nil || got != tt.want {
			t.Errorf("%s: %q, %v, want %q", tt.name, got, err, tt.want)
		}
	}
}

// TestHostileRead: what cannot be sent is refused, and no error quotes what is in the file.
func TestHostileRead(t *testing.T) {
	for _, tt := range []struct {
		name, content string
		mode          os.FileMode
		want          string
	}{
		{"others may read it", "foo:s3cret", 0o604, "chmod 600 /file"},
		{"its group may read it", "foo:s3cret", 0o640, "chmod 600 /file"},
		{"others may write it", "foo:s3cret", 0o602, "can be written by everybody"},
		{"nothing", "", 0o600, "line 1 is neither"},
		{"no pair", "s3cret", 0o600, "line 1 is neither"},
		{"two pairs", "foo:s3cret\nbar:s3cret", 0o600, "nothing more"},
		{"a name that is none", "X A: s3cret", 0o600, "cannot be sent"},
		{"one of the handshake's", "Sec-WebSocket-Key: s3cret", 0o600, "cannot be sent"},
		{"another Host", "Host: s3cret", 0o600, "cannot be sent"},
		{"another line within", "X-A: s3cret\rX-B: y", 0o600, "cannot be sent"},
		{"too much", strings.Repeat("X-A: s3cret\n", 10000), 0o600, "too large"},
	} {
		_, err := Read(t.Context(), put(t, tt.content, tt.mode), &site.Probe{CredentialsFile: "/file"})
		if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: %v, want %q and no secret", tt.name, err, tt.want)
		}
	}
	p := &site.Probe{CredentialsFile: "/none", Certificate: "/none", Key: "/none"}
	_, err := Read(t.Context(), t.TempDir(), p)
	if err == nil || !strings.Contains(err.Error(), "probe.credentials_file") ||
		!strings.Contains(err.Error(), "probe.certificate") {
		t.Errorf("%v, want both files", err)
	}
}

func put(t *testing.T, content string, mode os.FileMode) (root string) {
	t.Helper()
	root = t.TempDir()
	if err := os.WriteFile(root+"/file", []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(root+"/file", mode); err != nil {
		t.Fatal(err)
	}
	return root
}

// TestGive: what the handshake has already goes before a file, and the file's own map stays as it was.
func TestGive(t *testing.T) {
	c, err := Read(t.Context(), put(t, "Authorization: of-the-file\nX-A: b\n", 0o600),
		&site.Probe{CredentialsFile: "/file"})
	if err != nil {
		t.Fatal(err)
	}
	given := handshake.Target{Header: map[string][]string{"Authorization": {"typed"}}}
	got := c.Give(given)
	if got.Header.Get("Authorization") != "typed" || got.Header.Get("X-A") != "b" || given.Header.Get("X-A") != "" {
		t.Errorf("%v of %v", got.Header, given.Header)
	}
	want := []string{"of-the-file"}
	if diff := cmp.Diff(want, c.Secrets()); diff != "" {
		t.Error(diff)
	}
	if got := Of(map[string][]string{"Authorization": {"Basic Zm9vOnMzY3JldA=="},
		"X-Tenant": {"blue-green"}}); !cmp.Equal(got,
		[]string{"Basic Zm9vOnMzY3JldA==", "Zm9vOnMzY3JldA==", "foo:s3cret", "s3cret"}) {
		t.Errorf("%q", got)
	}
}
