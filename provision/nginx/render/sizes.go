package render

import (
	"bytes"
	"fmt"

	"wsprovision/provision/lazy"
)

// Sizes are the directives with which nginx hashes the names without a warning, nil where its own sizes do. bucket is
// the server_names_hash_bucket_size that the longest name needs, 0 for nginx's own; set tells which of these directives
// somebody else has, for nginx refuses one twice. As soon as two servers share a socket, nginx hashes their names: it
// looks for a number of buckets, up to server_names_hash_max_size (512), with which all fit (ngx_hash_init).
//
// variables is how many of ours there are, all sites together. Nearly each of them fills a bucket of
// variables_hash_bucket_size (64) by itself, so that with some dozens no number of buckets up to
// variables_hash_max_size (1024) is left in which none meets another, or one of nginx's own hundred and fifty.
func Sizes(names []string, bucket, variables int, set func(directive string) bool) []byte {
	var b bytes.Buffer
	line := func(directive string, n int) {
		if n > 0 && (set == nil || !set(directive)) {
			fmt.Fprintf(&b, "%s %d;\n", directive, n)
		}
	}
	line("server_names_hash_bucket_size", bucket)
	line("server_names_hash_max_size", hashSize(len(names)))
	if variables > fewVariables {
		line("variables_hash_bucket_size", 128)
		line("variables_hash_max_size", max(2048, hashSize(variables)))
	}
	return b.Bytes()
}

// fewVariables of ours go into nginx's own hash, whatever else is there.
const fewVariables = 8

// defined are the directives that define a variable of ours.
var defined = lazy.Regexp(`(?m)^(?:map|geo|split_clients)\b.*\$wsprovision_\w+ \{$`)

// Variables is how many variables of ours a file defines.
func Variables(content []byte) int { return len(defined().FindAllIndex(content, -1)) }

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
