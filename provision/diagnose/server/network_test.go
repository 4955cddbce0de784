package server

import (
	"strings"
	"testing"
)

// A user may not go above the hard limit, which this program has already.
func TestMoreFiles(t *testing.T) {
	for name, tt := range map[string]struct {
		hard      uint64
		euid      int
		has, lack string
	}{
		"a user":               {4096, 1000, "than 4096, which is this user's hard limit", "#"},
		"root":                 {4096, 0, "ulimit -n 65536 #", "hard limit"},
		"root with more":       {65536, 0, "ulimit -n 1048576 #", "hard limit"},
		"as many as there are": {1048576, 0, "try fewer", "ulimit"},
		"without a limit":      {1<<64 - 1, 1000, "try fewer", "ulimit"},
	} {
		got := moreFiles(tt.hard, tt.euid).String()
		if !strings.Contains(got, tt.has) || strings.Contains(got, tt.lack) {
			t.Errorf("%s: %s", name, got)
		}
	}
}
