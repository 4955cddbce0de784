package conf

import (
	"testing"
	"time"
)

func TestParseSpan(t *testing.T) {
	for text, want := range map[string]time.Duration{"60": time.Minute, "86400s": 24 * time.Hour,
		"1h30m": 90 * time.Minute, "500ms": 500 * time.Millisecond, "1M": 720 * time.Hour} {
		if got, ok := ParseSpan(text); got != want || !ok {
			t.Errorf("ParseSpan(%q) = %s, %v, want %s", text, got, ok, want)
		}
	}
	for _, text := range []string{"", "h", "1x", "-1"} {
		if got, ok := ParseSpan(text); ok {
			t.Errorf("ParseSpan(%q) = %s, want none", text, got)
		}
	}
}
