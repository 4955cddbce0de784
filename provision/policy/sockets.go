package policy

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	multierror "github.com/hashicorp/go-multierror"

	"wsprovision/provision/engine"
	"wsprovision/provision/host"
	"wsprovision/provision/plaintext"
	"wsprovision/provision/state"
	"wsprovision/selinux"
)

// SocketType is what httpd_t may write to and connect through, and what its own sockets have (selinux-policy 3.13.1,
// apache.te: manage_sock_files_pattern).
const SocketType = "httpd_var_run_t"

// directory is one of UNIX sockets, outside of /run.
type directory struct {
	path, spec string
	record     string            // the type of the local record, "" for none
	sockets    []string          // and nothing else is in it
	wrong      []string          // of the directory and the sockets: without the type
	has        string            // the first of them has this type instead
	labels     map[string]string // of the directory and the sockets
}

// socketDirs are the directories of the configuration's sockets. Below /run nothing is needed: there every domain of
// RHEL 7's policy may write to what has var_run_t, and connect to a backend that is not confined.
func (so Sockets) socketDirs() []string {
	var all []string
	for _, s := range so.Config.Sites {
		for _, l := range s.Locations {
			for _, b := range l.Backends {
				dir := path.Dir(b.Socket)
				if b.Socket != "" && !within(dir, "/run") && !within(dir, "/var/run") {
					all = append(all, dir)
				}
			}
		}
	}
	return once(all)
}

func within(dir, root string) bool { return dir == root || strings.HasPrefix(dir, root+"/") }

// directories are those that are to be labelled, and why others cannot be.
func (so Sockets) directories() (all []directory, not []lacking, err error) {
	var failed *multierror.Error
	for _, dir := range so.socketDirs() {
		d, err := so.directory(dir)
		var lacks lacking
		switch {
		case errors.As(err, &lacks):
			not = append(not, lacks)
		case err != nil:
			failed = multierror.Append(failed, err)
		case d.record != "" || !so.allowed(d):
			all = append(all, d)
		}
	}
	return all, not, engine.Lines(failed)
}

// allowed: the loaded policy lets nginx use the sockets as they are.
func (so Sockets) allowed(d directory) bool {
	if so.Where.Offline() || len(d.sockets) == 0 {
		return false
	}
	for _, name := range d.sockets {
		label, err := so.SELinux.Contexts().FileLabel(name)
		if err != nil {
			return false
		}
		may, err := so.SELinux.Kernel().Allowed("httpd_t", host.TypeOf(label), "sock_file", "write")
		if err != nil || !may {
			return false
		}
	}
	return true
}

// checkSockets compares the label of each directory of sockets. Where it cannot be labelled, the plan says what the
// policy lacks.
func (so Sockets) checkSockets(f *engine.Finding) error {
	all, not, err := so.directories()
	for _, lacks := range not {
		f.Warnings = append(f.Warnings, lacks.Error())
	}
	for _, d := range all {
		so.sayDirectory(f, d)
	}
	if err != nil {
		return so.readable(f, err)
	}
	return nil
}

func (so Sockets) sayDirectory(f *engine.Finding, d directory) {
	if d.record == "" {
		f.Changes = append(f.Changes, engine.Change{Object: "file context of " + d.spec, From: "none", To: SocketType})
	}
	if len(d.wrong) > 0 {
		f.Changes = append(f.Changes, engine.Change{Object: "label of " + d.wrong[0] + engine.AndMore(len(d.wrong)-1),
			From: cmp.Or(d.has, "none"), To: SocketType})
	}
}

// lacking is why a socket gets no label, in words.
type lacking struct{ dir, why string }

func (l lacking) Error() string {
	return fmt.Sprintf("the UNIX socket in %s gets no label: %s; SELinux lets nginx (httpd_t) use it only where its "+
		"policy allows httpd_t to write to a sock_file of that label: have the application make it in a directory of "+
		"its own below /run", l.dir, l.why)
}

// directory reads what is there. The error is lacking where it may not be labelled.
func (so Sockets) directory(dir string) (directory, error) {
	d := directory{path: dir}
	if err := so.plainDirectory(dir); err != nil {
		return d, err
	}
	var err error
	if d.spec, err = so.SELinux.Contexts().Below(dir); err != nil {
		return d, lacking{dir, err.Error()}
	}
	if d.record, err = so.SELinux.Contexts().LocalContext(d.spec); err != nil {
		return d, err
	}
	if d.record != "" && !so.usable(d.record) {
		return d, lacking{dir, fmt.Sprintf("somebody has given %s the type %s", d.spec, d.record)}
	}
	entries, err := os.ReadDir(so.Root + dir)
	if err != nil {
		return d, fmt.Errorf("look for other files than sockets: %w", err)
	}
	for _, e := range entries {
		if e.Type()&fs.ModeSocket == 0 {
			return d, lacking{dir, "the directory holds other files than sockets (" + filepath.Base(e.Name()) + ")"}
		}
		d.sockets = append(d.sockets, dir+"/"+e.Name())
	}
	return so.readLabels(d)
}

// plainDirectory refuses what cannot be labelled by its path.
func (so Sockets) plainDirectory(dir string) error {
	at := ""
	for part := range strings.SplitSeq(strings.TrimPrefix(dir, "/"), "/") {
		at += "/" + part
		fi, err := os.Lstat(so.Root + at)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return lacking{dir, at + " is not there (make it, and run apply again)"}
		case err != nil:
			return fmt.Errorf("look at the directory of a socket: %w", err)
		case !fi.IsDir():
			return lacking{dir, at + " is no directory of its own"}
		}
	}
	return nil
}

// sayLeftContexts names the labels of directories that the configuration asked for once. Like those of ports they stay
// until a revert.
func (so Sockets) sayLeftContexts(f *engine.Finding) {
	asked := so.socketDirs()
	for _, e := range so.Ledger.Entries {
		if e.Kind != state.KindContext || e.Left != SocketType ||
			slices.Contains(asked, selinux.Context{Spec: e.Name}.Directory()) {
			continue
		}
		if now, err := so.PresentContext(e.Name); err == nil && now == e.Left {
			f.Notes = append(f.Notes, fmt.Sprintf("%s keeps the label %s, which an earlier configuration asked for; "+
				"where nothing needs it: %s && %s", e.Name, e.Left,
				plaintext.Command([]string{"semanage", "fcontext", "-d", e.Name}),
				plaintext.Command([]string{"restorecon", "-R", selinux.Context{Spec: e.Name}.Directory()})))
		}
	}
}

// contextEdits are the records that are missing, and what the ledger keeps of each: the label that the directory had.
func (so Sockets) contextEdits() (edits []selinux.Edit, entries []state.Entry, err error) {
	all, _, err := so.directories()
	for _, d := range all {
		if d.record != "" {
			continue
		}
		edits = append(edits, selinux.AddContext(selinux.Context{Spec: d.spec, Type: SocketType}))
		entries = append(entries, state.Entry{Kind: state.KindContext, Name: d.spec, Before: state.Absent,
			Left: SocketType, Label: d.labels[d.path], Labels: d.socketLabels()})
	}
	return edits, entries, err
}

// usable: the type is SocketType, or the one that the policy has under that name.
func (so Sockets) usable(typ string) bool { return so.SELinux.SameType(typ, SocketType) }

// PresentContext is the type of a local record, as the ledger has it.
func (so Sockets) PresentContext(spec string) (string, error) {
	typ, err := so.SELinux.Contexts().LocalContext(spec)
	if so.usable(typ) {
		typ = SocketType
	}
	return cmp.Or(typ, state.Absent), err
}
