package conf

import (
	"slices"
	"strings"
)

// NamesBucket is the server_names_hash_bucket_size that the longest of the names needs, 0 where nginx's own does: a
// line of the processor's cache, 64 bytes or more. As soon as two servers share a socket, nginx hashes their names, and
// refuses one that does not fit into a bucket with its length and two pointers, in whole words (ngx_hash_init).
func NamesBucket(names []string) int {
	const word, own = 8, 64
	size := own
	for _, name := range names {
		for word+(len(name)+2+word-1)/word*word+word > size {
			size *= 2
		}
	}
	if size == own {
		return 0
	}
	return size
}

// HashedNames are the server_names that nginx hashes: those of servers that share a socket, but for regular
// expressions.
func (t Tree) HashedNames() []string {
	x := t.look()
	var names []string
	for _, s := range x.servers {
		for _, name := range s.Names {
			if !strings.HasPrefix(name, "~") && slices.ContainsFunc(s.Listen, x.shared) {
				names = append(names, name)
			}
		}
	}
	return names
}

// shared reports whether more than one server is on the listener's socket.
func (x *index) shared(l ListenDirective) bool {
	all := x.on[l.key()]
	return all[0].server != all[len(all)-1].server
}
