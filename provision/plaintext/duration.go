package plaintext

import (
	"strings"
	"time"
)

// Duration writes a duration as a person would: 8h, 1h30m, 90ms; not 8h0m0s.
func Duration(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}
