package kickstart

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// hosts may stand in the tree. No host of a package registry is among them but EPEL's and the mirrors that the samples
// name: where packages come from is the affair of whoever builds here.
var hosts = []string{
	"mirrors.fedoraproject.org", "archives.fedoraproject.org", "download.fedoraproject.org", // EPEL's, in the product
	// in CentOS's own files and texts
	"mirrorlist.centos.org", "mirror.centos.org", "vault.centos.org", "bugs.centos.org",
	"access.redhat.com", "www.debian.org", "bugs.debian.org", // in os-release(5) and in documents
	// the names of schemas and of the licence
	"json-schema.org", "www.metalinker.org", "fedorahosted.org", "www.apache.org",
	"i.ru", "appxexample.com", // in nginx's source, and what only looks like a reserved name
}

var (
	url = regexp.MustCompile(`(?i)\b(?:https?|ftp)://([a-z0-9.-]+\.[a-z]{2,})\b`)
	// reserved names are nobody's (RFC 2606, RFC 6761).
	reserved = regexp.MustCompile(`(?i)(^|\.)(example(\.(com|org|net))?|invalid|test|localhost)$`)
	// registry is how a registry's host looks, with a scheme or without.
	registry = regexp.MustCompile(`(?i)\b(proxy\.golang\.org|sum\.golang\.org|(deb|ftp|security)\.debian\.org|` +
		`([a-z]+\.)?(npmjs|pypi|pythonhosted|rubygems|crates|yarnpkg)\.(org|io|com))\b`)
)

// tracked are the files of the checkout, or of the source that a package carries, that may name a host.
func tracked(t *testing.T, root string) []string {
	t.Helper()
	list := exec.Command("git", "ls-files", "-z")
	list.Dir = root
	out, err := list.Output()
	if err != nil {
		t.Skip("the list of files is git's, and this is no checkout")
	}
	return strings.FieldsFunc(string(out), func(r rune) bool { return r == 0 })
}

func TestHostsInTheTree(t *testing.T) {
	const root = "../.."
	for _, name := range tracked(t, root) {
		text, err := os.ReadFile(filepath.Join(root, name))
		if os.IsNotExist(err) || bytes.IndexByte(text, 0) >= 0 || name == "packaging/kickstart/hosts_test.go" {
			continue // removed and not committed yet, no text, or this list
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range url.FindAllSubmatch(text, -1) {
			if host := strings.ToLower(string(m[1])); !reserved.MatchString(host) && !slices.Contains(hosts, host) {
				t.Errorf("%s names %s, which is not in the list of hosts that may be named", name, m[0])
			}
		}
		if m := registry.Find(text); m != nil {
			t.Errorf("%s names %s, a registry of packages: what is missing could not be built here, no more", name, m)
		}
	}
}
