package plaintext

import (
	"testing"
	"time"
)

func TestDuration(t *testing.T) {
	for text, d := range map[string]time.Duration{"8h": 8 * time.Hour, "10m": 10 * time.Minute,
		"1h30m": 90 * time.Minute, "20m": 20 * time.Minute, "10h10m": 10*time.Hour + 10*time.Minute,
		"1m10s": 70 * time.Second, "10s": 10 * time.Second,
		"1h0m10s": time.Hour + 10*time.Second, "0s": 0, "500ms": 500 * time.Millisecond, "8760h": 8760 * time.Hour} {
		if got := Duration(d); got != text {
			t.Errorf("%q, want %q", got, text)
		}
		if back, err := time.ParseDuration(text); err != nil || back != d {
			t.Errorf("%q is read as %s, %v", text, back, err)
		}
	}
}
