package managed

import (
	"fmt"
	"io/fs"
	"strings"

	"wsprovision/provision/host"
	"wsprovision/provision/state"
)

// Want is what should be at a path; nil content is no file.
type Want struct {
	Path    string
	Content []byte
	Mode    fs.FileMode
	Owner   host.Owner
	Lost    error  // why content is not what was there before: nobody has it any more
	Custom  string // a label that is not the policy's for the path; "" for that
	Lines   []Line // all that Content has otherwise than the file; nil: the file is the agent's
}

// WantedAgain is what has to be at the path again: nil for no file, which a Content
// of nothing is not.
func WantedAgain(p state.Proven) Want {
	w := Want{Path: p.Path, Mode: p.Mode, Owner: p.Owner, Custom: p.Label}
	if !p.Absent {
		w.Content = append([]byte{}, p.Content...)
	}
	return w
}

// File is one file of ours: what should be, and what is there.
type File struct {
	Want
	Have host.File
	// drifted says that somebody else has edited what the agent left.
	drifted bool
	Kept    bool // left as found
	Foreign bool // nothing of the agent's
	found   bool // as wanted, and not known to the ledger
	label   string
}

// Differs reports whether the file has to be written or removed.
func (s File) Differs() bool {
	if s.Kept {
		return false
	}
	if !host.Same(s.Have.Content, s.Content) {
		return true
	}
	return s.Content != nil && s.attributes() != ""
}

// attributes says what but the content is wrong with the file.
func (s File) attributes() string {
	var wrong []string
	if s.Have.Mode != s.Mode {
		wrong = append(wrong, fmt.Sprintf("mode %04o", s.Have.Mode))
	}
	// A file of ours may have the group of a set-group-ID directory.
	if s.Have.UID != s.Owner.UID || s.Owner.GID != 0 && s.Have.GID != s.Owner.GID {
		wrong = append(wrong, s.Have.Owner.Words())
	}
	if s.label != "" && s.Have.Label != "" && host.TypeOf(s.Have.Label) != host.TypeOf(s.label) {
		wrong = append(wrong, s.Have.Label)
	}
	return strings.Join(wrong, ", ")
}

// fits reports what could not be put away, and what was put away and is lost.
func (f File) fits() error {
	switch {
	case f.Lost != nil && !host.Same(f.Have.Content, f.Content):
		return f.Lost
	case f.Foreign && len(f.Have.Content) > host.MaxFile:
		return fmt.Errorf("%s has %d bytes, and the agent puts away at most %d of a file that was there before: "+
			"move it elsewhere", f.Path, len(f.Have.Content), host.MaxFile)
	}
	return nil
}

// Overlay is what differs, in the form in which nginx's tester takes it.
func Overlay(files []File) map[string][]byte {
	o := map[string][]byte{}
	for _, f := range files {
		if f.Differs() {
			o[f.Path] = f.Content
		}
	}
	return o
}

// replacesEdit reports whether somebody's edit gives way to what is wanted.
func (s File) replacesEdit() bool {
	return s.drifted && !s.Kept && s.Content != nil && s.Have.Content != nil
}
