package conf

import (
	"strconv"
	"time"

	"wsprovision/provision/lazy"
)

var spanPart = lazy.Regexp(`^(\d{1,9})(ms|[smhdwMy])?`)

// ParseSpan reads nginx's times: 60, 60s, 1h30m, 500ms.
func ParseSpan(text string) (time.Duration, bool) {
	units := map[string]time.Duration{
		"": time.Second, "ms": time.Millisecond, "s": time.Second, "m": time.Minute, "h": time.Hour,
		"d": 24 * time.Hour, "w": 7 * 24 * time.Hour, "M": 30 * 24 * time.Hour, "y": 365 * 24 * time.Hour,
	}
	var total time.Duration
	if text == "" {
		return 0, false
	}
	for text != "" {
		part := spanPart().FindStringSubmatch(text)
		if part == nil {
			return 0, false
		}
		n, err := strconv.Atoi(part[1])
		if err != nil {
			return 0, false
		}
		total += time.Duration(n) * units[part[2]]
		text = text[len(part[0]):]
	}
	return total, true
}
