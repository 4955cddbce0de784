package render

import (
	"bytes"
	"fmt"
)

// Sizes are the directives with which nginx hashes the names without a warning, nil where its own sizes do. bucket is
// the server_names_hash_bucket_size that the longest name needs, 0 for nginx's own; set tells which of these directives
// somebody else has, for nginx refuses one twice. As soon as two servers share a socket, nginx hashes their names: it
// looks for a number of buckets, up to server_names_hash_max_size (512), with which all fit (ngx_hash_init).
func Sizes(names []string, bucket int, set func(directive string) bool) []byte {
	var b bytes.Buffer
	line := func(directive string, n int) {
		if n > 0 && (set == nil || !set(directive)) {
			fmt.Fprintf(&b, "%s %d;\n", directive, n)
		}
	}
	line("server_names_hash_bucket_size", bucket)
	line("server_names_hash_max_size", hashSize(len(names)))
	return b.Bytes()
}

// hashSize is a power of two with room for every entry in a bucket of its own, 0 where nginx's 512 is enough.
func hashSize(entries int) int {
	const own = 512
	size := own
	for size < 4*entries {
		size *= 2
	}
	if entries*2 <= own {
		return 0
	}
	return size
}
