// Package hosttest is for tests alone: what tests of several packages ask of the machine that they run on.
package hosttest

import (
	"os"
	"os/exec"
	"testing"
)

// Unable says why a test cannot be run here; under CI that is a failure.
func Unable(t testing.TB, format string, args ...any) {
	t.Helper()
	if os.Getenv("CI") != "" {
		t.Fatalf(format, args...)
	}
	t.Skipf(format, args...)
}

// Chattr makes a file of the test immutable until the test ends.
func Chattr(t *testing.T, path string) {
	t.Helper()
	if out, err := exec.Command("chattr", "+i", path).CombinedOutput(); err != nil {
		Unable(t, "chattr +i: %v: %s", err, out)
	}
	t.Cleanup(func() { _ = exec.Command("chattr", "-i", path).Run() })
}

// StateRoot is the root of a host with the directories of the agent's state and nothing else.
func StateRoot(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	for _, dir := range []string{"/var/lib", "/run"} {
		if err := os.MkdirAll(root+dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return root
}
