package sitecheck

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"wsprovision/provision/engine"
	"wsprovision/provision/host"
	"wsprovision/provision/site"
	"wsprovision/selinux"
)

// namedFile is what a site's configuration names, and nginx opens only when a request comes.
type namedFile struct {
	key, path string
	dir       bool
	without   string // what becomes of a request that does not find it
}

func namedFiles(s site.Site) (all []namedFile) {
	if s.ACMEWebroot != "" {
		all = append(all, namedFile{"acme_webroot", s.ACMEWebroot, true, "no certificate can be had by it"})
	}
	for _, l := range s.Locations {
		if l.Root != "" {
			all = append(all, namedFile{"root", l.Root, true, "nginx has nothing to serve at " + l.Path})
		}
		if l.BasicAuthFile != "" {
			all = append(all, namedFile{"basic_auth_file", l.BasicAuthFile, false, "nginx lets nobody in at " + l.Path})
		}
	}
	return all
}

// NamedFiles warns of those that nginx will not find, or not read: nginx -t takes a configuration with any.
func NamedFiles(h *host.Host, sites []site.Site, f *engine.Finding) {
	for _, s := range sites {
		for _, n := range namedFiles(s) {
			if why := unusable(h, n); why != "" {
				f.Warnings = append(f.Warnings, fmt.Sprintf("site %s: %s %s %s: until that is mended, %s", s.Name,
					n.key, n.path, why, n.without))
			}
		}
	}
}

// unusable is why nginx's workers cannot use the file, as far as it can be told; "" where nothing speaks against it.
func unusable(h *host.Host, n namedFile) string {
	fi, err := os.Stat(h.Root + n.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "is not there"
	case err != nil: // only root can tell
		return ""
	case fi.IsDir() != n.dir && n.dir:
		return "is no directory"
	case fi.IsDir() != n.dir:
		return "is a directory"
	case fi.Mode().Perm()&0o044 == 0:
		return "can be read by its owner alone"
	}
	class, perm := "file", "read"
	if n.dir {
		class, perm = "dir", "search"
	}
	if label, kept := keptByLabel(h, n.path, class, perm); kept {
		return fmt.Sprintf("is kept from nginx by its SELinux label (%s)", label)
	}
	return ""
}

// keptByLabel is the label by which the loaded policy keeps a file from nginx, where that can be told.
func keptByLabel(h *host.Host, path, class, perm string) (label string, kept bool) {
	real, err := filepath.EvalSymlinks(h.Root + path)
	if path == "" || err != nil || h.Files.FileLabel == nil {
		return "", false
	}
	label, err = h.Files.FileLabel(strings.TrimPrefix(real, h.Root))
	if err != nil || label == "" {
		return "", false
	}
	allowed, err := h.SELinux.Kernel().Allowed(selinux.HTTPDomain, host.TypeOf(label), class, perm)
	return label, err == nil && !allowed
}
