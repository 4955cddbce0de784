package host

import (
	"crypto/x509"
	"path/filepath"
	"testing"
)

// Without the bundle nobody is trusted, whatever the environment names.
func TestAuthoritiesAreTheBundle(t *testing.T) {
	got := Authorities(t.Context(), filepath.Join(t.TempDir(), "none.crt"))
	if got == nil || !got.Equal(x509.NewCertPool()) {
		t.Error("without the bundle Go chooses whom to trust")
	}
}
