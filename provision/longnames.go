package provision

import (
	"fmt"

	"wsprovision/provision/nginx"
)

const namesBucket = "server_names_hash_bucket_size"

// namesPath is where server_names_hash_bucket_size goes. nginx takes it once in
// http, so that no site's own file is the place; no site is named _wsprovision.
const namesPath = confDir + "/_wsprovision.conf"

// longNames adds that file where a server_name is too long for nginx's own
// size, and nobody else sets it. EPEL's nginx.conf does not; one that is still to
// come is read when it is there.
func (r *Run) longNames(all []wanted) ([]wanted, error) {
	var names []string
	for _, site := range r.Config.Sites {
		names = append(names, site.ServerNames...)
	}
	size := nginx.NamesBucket(names)
	if size == 0 {
		return all, nil
	}
	files, err := r.filesOf(all)
	if err != nil {
		return nil, err
	}
	without := overlay(files)
	without[namesPath] = nil
	if tree, _ := r.tree(without); tree.HTTP(namesBucket) { // as much of it as can be read
		return all, nil
	}
	content := fmt.Appendf(nil, "# managed by wsprovision; what is changed here by hand is overwritten\n%s %d;\n", namesBucket, size)
	return append(all, wanted{path: namesPath, content: content, mode: siteMode}), nil
}
