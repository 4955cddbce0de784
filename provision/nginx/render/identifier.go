package render

import (
	"crypto/sha256"
	"fmt"
	"strings"
)

// identifier spells the site's name in [a-z0-9_], the letters of variables, such that two names never become one:
// nginx takes $A and $a, and upstreams A and a, for the same.
func identifier(s Site) string {
	var b strings.Builder
	for _, c := range []byte(s.Name) {
		switch {
		case c == '-':
			b.WriteString("_m")
		case c == '.':
			b.WriteString("_p")
		case c == '_':
			b.WriteString("__")
		case c >= 'A' && c <= 'Z':
			b.WriteString("_u" + string(c+'a'-'A'))
		default:
			b.WriteByte(c)
		}
	}
	if b.Len() <= 23 {
		return b.String()
	}
	return fmt.Sprintf("%s_x%x", b.String()[:13], sha256.Sum256([]byte(s.Name)))[:23]
}

// ownScope is what the names begin with that a site does not share. A variable of more than 46 bytes does not fit the
// default variables_hash_bucket_size of 64, which leaves 14 for this beside the longest of them.
func ownScope(s Site) string {
	if id := identifier(s); len(id) < 14 {
		return id + "_"
	}
	return "x" + fingerprint(s.Name) + "_"
}
