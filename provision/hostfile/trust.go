package hostfile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"wsprovision/provision/plaintext"
)

// Doubt is why somebody else than root decides what a file says.
type Doubt struct {
	Path string
	What string   // "can be written by its group (gid 48)"
	Mend []string // the command that ends it, as an argv; nil where no single one does
}

// Error says what is wrong and what to do.
func (d Doubt) Error() string {
	text := d.Path + " " + d.What
	if d.Mend != nil {
		text += ": " + plaintext.Command(d.Mend)
	}
	return text
}

// maxLinks is as many symbolic links as the kernel follows in one path (path_resolution(7)).
const maxLinks = 40

// Doubts walks a path as the kernel does, each symbolic link included, and says where somebody else than root, or than
// the user of this process, could change or exchange what is found: every directory on the way, and the file itself. A
// directory that anybody may write is trusted for its sticky bit, because nobody can take another's file away there.
// What is not there, or cannot be looked at, is for whoever opens it.
func Doubts(path string) []Doubt {
	absolute, err := filepath.Abs(path)
	if err != nil {
		return []Doubt{{Path: path, What: "cannot be found: " + err.Error()}}
	}
	if strings.Contains(path, "..") { // Abs goes by the words, and the kernel by the links
		if absolute = path; !filepath.IsAbs(path) {
			here, _ := os.Getwd()
			absolute = here + "/" + path
		}
	}
	w := walk{at: "/"}
	w.look("/")
	w.follow(absolute)
	// /dev/stdin of a file that has no name any more (proc(5))
	if info, err := os.Stat(absolute); err == nil && w.lost {
		w.judge(absolute, info)
	}
	return w.doubts
}

type walk struct {
	at     string // a directory, without links in it
	links  int
	lost   bool // what a step names is not there
	doubts []Doubt
}

func (w *walk) follow(path string) {
	rest := strings.Split(path, "/")
	for i, name := range rest {
		switch name {
		case "", ".":
			continue
		case "..":
			w.at = filepath.Dir(w.at)
			continue
		}
		next := filepath.Join(w.at, name)
		info := w.look(next)
		switch {
		case info == nil:
			w.lost = true
			return
		case info.Mode()&fs.ModeSymlink != 0:
			w.link(next, rest[i+1:])
			return
		}
		w.at = next
	}
}

// link goes on with what a link names, and what comes after it.
func (w *walk) link(path string, rest []string) {
	target, err := os.Readlink(path)
	if err != nil {
		return
	}
	if w.links++; w.links > maxLinks {
		w.doubt(Doubt{Path: path, What: "leads through too many symbolic links"})
		return
	}
	if filepath.IsAbs(target) {
		w.at = "/"
	}
	w.follow(target + "/" + strings.Join(rest, "/"))
}

// look judges one step of the way; nil is what cannot be looked at.
func (w *walk) look(path string) fs.FileInfo {
	info, err := os.Lstat(path)
	if err != nil {
		return nil
	}
	w.judge(path, info)
	return info
}

func (w *walk) judge(path string, info fs.FileInfo) {
	link := info.Mode()&fs.ModeSymlink != 0
	if st, ok := info.Sys().(*syscall.Stat_t); ok && st.Uid != 0 && int(st.Uid) != os.Geteuid() {
		d := Doubt{Path: path, What: fmt.Sprintf("belongs to uid %d, who could change it", st.Uid)}
		if d.Mend = []string{"chown", "root", path}; link {
			d.Mend = []string{"chown", "-h", "root", path}
		}
		w.doubt(d)
	}
	if !link {
		w.writable(path, info)
	}
}

func (w *walk) writable(path string, info fs.FileInfo) {
	group, others := info.Mode().Perm()&0o020 != 0, info.Mode().Perm()&0o002 != 0
	if info.IsDir() && info.Mode()&fs.ModeSticky != 0 || !group && !others {
		return
	}
	gid := -1
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		gid = int(st.Gid)
	}
	who, what := fmt.Sprintf("its group (gid %d)", gid), "g-w"
	switch {
	case group && others:
		who, what = "everybody", "go-w"
	case others:
		who, what = "everybody", "o-w"
	}
	w.doubt(Doubt{Path: path, What: "can be written by " + who, Mend: []string{"chmod", what, path}})
}

func (w *walk) doubt(d Doubt) {
	if !slices.ContainsFunc(w.doubts, func(known Doubt) bool { return known.Path == d.Path && known.What == d.What }) {
		w.doubts = append(w.doubts, d)
	}
}

// Regular is an error where something else than a plain file is at the end of the path; what is not there is for
// whoever opens it.
func Regular(path string) error {
	info, err := os.Stat(path)
	if err != nil || info.Mode().IsRegular() {
		return nil
	}
	return fmt.Errorf("%w", ErrNotRegular)
}

// Trusted is nil, or all doubts about the paths together.
func Trusted(paths ...string) error {
	var all []error
	said := map[string]bool{}
	for _, path := range paths {
		for _, d := range Doubts(path) {
			if text := d.Error(); !said[text] {
				said[text] = true
				all = append(all, d)
			}
		}
	}
	return errors.Join(all...)
}
