package nginx

import "strings"

// NamesBucket is the server_names_hash_bucket_size that the longest of the names needs, 0 where nginx's own does: a line of
// the processor's cache, 64 bytes or more. As soon as two servers share a socket, nginx hashes their names, and refuses one
// that does not fit into a bucket with its length and two pointers, in whole words (ngx_hash_init).
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

// HashedNames are the server_names that nginx hashes: those of servers that share a socket, but for regular expressions.
func (t Tree) HashedNames() []string {
	servers, on := t.Servers(), map[string]int{}
	for _, s := range servers {
		for key := range s.keys() {
			on[key]++
		}
	}
	var names []string
	for _, s := range servers {
		shares := false
		for key := range s.keys() {
			shares = shares || on[key] > 1
		}
		for _, name := range s.Names {
			if shares && !strings.HasPrefix(name, "~") {
				names = append(names, name)
			}
		}
	}
	return names
}

func (s Server) keys() map[string]bool {
	keys := map[string]bool{}
	for _, l := range s.Listen {
		keys[l.key()] = true
	}
	return keys
}
