package siteconfig

import (
	"strings"
	"testing"
)

// TestHostileSecretsInDiff: nothing that a probe sends is shown, and that it differs is said all the same.
func TestHostileSecretsInDiff(t *testing.T) {
	const text = "sites:\n- locations:\n  - path: /ws/\n    probe:\n      send: s3cret\n" +
		"      headers:\n        X-Tenant: s3cret\n      expect:\n        message: s3cret\n"
	for _, to := range []string{"", text + "      timeout: 5s\n", strings.ReplaceAll(text, "s3cret", "s3cret2")} {
		for _, shown := range []string{diff("/x.yaml", []byte(text), []byte(to)), diff("/x.yaml", nil, []byte(text))} {
			if shown == "" || strings.Contains(shown, "s3cret") {
				t.Errorf("got %q", shown)
			}
		}
	}
	if shown := diff("/x.yaml", []byte(text), []byte(text)); shown != "" {
		t.Errorf("got %q", shown)
	}
}
