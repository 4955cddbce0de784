// Package files tells what stands at a path of the host as nginx would find it, and says so where it cannot be told. It
// opens no file.
package files

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// Found is what stands at a path of the host, as nginx's workers see it.
type Found struct {
	Kind Kind
	// Readable: whoever the workers run as, they may open it.
	Readable bool
	// Changed is when that was so last otherwise: when the file, or the directory that lacks it, was changed.
	Changed time.Time
}

// Kind tells what stands at a path.
type Kind int

const (
	// Hidden is what cannot be told: a directory on the way is closed to others, or nothing answers.
	Hidden Kind = iota
	Absent
	Plain
	Directory
	Special // a socket, a pipe, a device
)

// Look tells what stands at a path.
type Look func(path string) Found

// patience is how long a file system may take to answer.
const patience = 2 * time.Second

// OnDisk looks at files below root, which is "" but in tests. It does not open them. What lies in /tmp or /var/tmp is
// hidden: the unit of RHEL's nginx has a /tmp of its own (PrivateTmp, systemd.exec(5)).
func OnDisk(root string) Look {
	anywhere := Anywhere(root)
	return func(name string) Found {
		for _, private := range []string{"/tmp/", "/var/tmp/"} {
			if strings.HasPrefix(path.Clean(name)+"/", private) {
				return Found{}
			}
		}
		return anywhere(name)
	}
}

// Anywhere looks in /tmp as well, as an nginx without a unit does.
func Anywhere(root string) Look {
	return func(name string) Found {
		found := make(chan Found, 1) // a file server that does not answer is left behind
		go func() { found <- look(root, path.Clean(name)) }()
		select {
		case f := <-found:
			return f
		case <-time.After(patience):
			return Found{}
		}
	}
}

func look(root, name string) Found {
	if !open(root, path.Dir(name)) {
		return Found{}
	}
	info, err := os.Stat(root + name)
	switch {
	case err != nil && absent(err):
		return Found{Kind: Absent, Changed: changed(nearest(root, path.Dir(name)))}
	case err != nil:
		return Found{}
	}
	real, err := filepath.EvalSymlinks(root + name)
	if err != nil || !open("", path.Dir(real)) || !labelled(real) {
		return Found{}
	}
	f := Found{Kind: Special, Readable: info.Mode().Perm()&4 != 0, Changed: changed(info)}
	switch {
	case info.IsDir():
		f.Kind = Directory
	case info.Mode().IsRegular():
		f.Kind = Plain
	}
	return f
}

// nearest is the innermost directory that is there.
func nearest(root, dir string) fs.FileInfo {
	for ; ; dir = path.Dir(dir) {
		if info, err := os.Stat(root + dir); err == nil || dir == "/" || dir == "." {
			return info
		}
	}
}

// changed is the time of the last change of any kind, which no program sets (ctime).
func changed(info fs.FileInfo) time.Time {
	if info == nil {
		return time.Now()
	}
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		return time.Unix(st.Ctim.Unix())
	}
	return time.Now()
}

// open reports whether everybody may look for names in the directory, as far as it is there.
func open(root, dir string) bool {
	for ; ; dir = path.Dir(dir) {
		info, err := os.Stat(root + dir)
		switch {
		case err != nil && !absent(err), err == nil && info.IsDir() && info.Mode().Perm()&1 == 0:
			return false
		case err == nil && !labelled(root+dir):
			return false
		}
		if dir == "/" || dir == "." {
			return true
		}
	}
}

// served are the types of files and directories that nginx's domain httpd_t may always read, among those of RHEL's
// policy (httpd_selinux(8)).
var served = []string{"httpd_sys_content_t", "httpd_sys_rw_content_t", "httpd_sys_ra_content_t", "httpd_config_t",
	"public_content_t", "public_content_rw_t", "usr_t", "var_t", "etc_t", "root_t", "lib_t", "bin_t"}

// labelled reports whether SELinux lets nginx see the file, as far as its label says: none has it where there is no
// SELinux.
func labelled(name string) bool {
	label := make([]byte, 256)
	n, err := syscall.Getxattr(name, "security.selinux", label)
	if err != nil {
		return errors.Is(err, syscall.ENODATA) || errors.Is(err, syscall.ENOTSUP)
	}
	return isServed(strings.TrimRight(string(label[:n]), "\x00"))
}

func isServed(label string) bool {
	parts := strings.Split(label, ":")
	return len(parts) > 2 && slices.Contains(served, parts[2])
}

// absent are the errors that nginx takes for a file that is not there.
func absent(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) || errors.Is(err, syscall.ENAMETOOLONG)
}
