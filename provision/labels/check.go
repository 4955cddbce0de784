package labels

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
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

const NginxProgram = "/usr/sbin/nginx"

// mislabelled is a file whose type is not the policy's.
type mislabelled struct{ path, have, want string }

// Check is for a host that is installed under another kernel: rpm gives
// labels only where SELinux runs (its plugin), and semanage's new files
// inherit them from where they are made. Anaconda relabels neither /etc/nginx
// nor /etc/selinux at its end.
func (l *Labels) Check(ctx context.Context) (engine.Finding, error) {
	var f engine.Finding
	status, err := l.SELinux.Status()
	if err != nil || status.Store == "" || !l.Where.Offline() && status.Mode == selinux.Disabled {
		return f, err
	}
	if host.RelabelScheduled(l.Host) {
		if ours, err := l.relabelIsOurs(); err != nil || !ours {
			SayRelabel(&f)
			return f, err
		}
	}
	wrong, whole, err := l.wrongLabels(ctx, status)
	switch {
	case err != nil:
		return f, err
	case whole && host.RelabelScheduled(l.Host):
		SayRelabel(&f)
	case whole && !l.Where.Offline():
		f.Warnings = append(f.Warnings, unlabelledHost)
	case whole:
		f.NextBoot = []string{relabelNext}
		f.Changes = append(f.Changes,
			engine.Change{Object: "labels of all files", From: "none", To: "a relabel at the first boot (" +
				host.RelabelPath + ")"})
		f.Warnings = append(f.Warnings, "this tree has no SELinux labels at all: its first boot labels it, and reboots")
	default:
		l.sayLabels(&f, wrong)
	}
	return f, nil
}

const (
	RelabelNote = "the first boot labels every file anew (" + host.RelabelPath + ") and reboots"
	relabelNext = "every file is labelled anew (" + host.RelabelPath + "), and then the host reboots once more"
	// unlabelledHost is for a host that runs: when it goes down is for its administrator to say.
	unlabelledHost = "no file of this host has a SELinux label: nginx cannot work so where SELinux enforces; touch " +
		host.RelabelPath + " and reboot when it suits"
)

func SayRelabel(f *engine.Finding) {
	f.Notes = append(f.Notes, RelabelNote)
	f.NextBoot = append(f.NextBoot, relabelNext)
}

func (l *Labels) sayLabels(f *engine.Finding, wrong []mislabelled) {
	for _, m := range wrong {
		if !l.Where.Offline() && host.Immutable(l.Root+m.path) {
			f.Warnings = append(f.Warnings,
				fmt.Sprintf("%s is immutable and has the label %s: %s", m.path, cmp.Or(m.have, "none"), m.mend(true)))
		}
	}
	if n := len(wrong); n > 0 {
		f.Changes = append(f.Changes,
			engine.Change{Object: fmt.Sprintf("label of %s%s", wrong[0].path, engine.AndMore(n-1)),
				From: cmp.Or(wrong[0].have, "none"), To: wrong[0].want})
	}
	if host.RelabelScheduled(l.Host) {
		f.Changes = append(f.Changes, engine.Change{Object: "relabel at the first boot (" + host.RelabelPath + ")",
			From: "scheduled", To: "not needed"})
	}
	if host.LabelsNothing(l.Host) {
		f.Notes = append(f.Notes, "the kernel here has no SELinux, or there is no /proc to tell: what is written "+
			"without a label gets the policy's in this step")
	}
}

// TreeUnlabelled reports whether whoever installed this tree labelled nothing.
func TreeUnlabelled(se selinux.Host) bool {
	for _, path := range []string{"/etc", "/usr", "/var"} {
		label, err := se.Contexts().FileLabel(path)
		if err != nil || label != "" {
			return false
		}
	}
	return true
}

func (l *Labels) Apply(ctx context.Context) error {
	status, err := l.SELinux.Status()
	if err != nil {
		return err
	}
	l.labelling = true
	wrong, whole, err := l.wrongLabels(ctx, status)
	if err != nil {
		return err
	}
	if !whole {
		err = l.Seam.Do(fmt.Sprintf("label %d files", len(wrong)), func() error { return l.setLabels(wrong) })
	}
	switch {
	case err != nil:
		return err
	case whole && !l.Where.Offline():
		return errors.New(unlabelledHost)
	case whole || l.hopeless:
		return host.ScheduleRelabel(l.Host)
	case host.RelabelScheduled(l.Host):
		return l.takeBackRelabel()
	}
	return nil
}

// setLabels goes on after a file that cannot be labelled. On a host that runs,
// each is named; elsewhere the first boot labels everything.
func (l *Labels) setLabels(wrong []mislabelled) error {
	var all *multierror.Error
	for _, m := range wrong {
		err := l.SELinux.Contexts().SetFileLabel(m.path, m.want)
		switch {
		case err == nil, errors.Is(err, fs.ErrNotExist):
		case !l.Where.Offline():
			all = multierror.Append(all, fmt.Errorf("%w: %s keeps the label %s: %s",
				err, m.path, cmp.Or(m.have, "none"), m.mend(host.Immutable(l.Root+m.path))))
		case host.Unlabelable(err):
			l.hopeless = true
		default:
			return err
		}
	}
	return engine.Lines(all)
}

// mend is what an administrator does about a file that cannot be labelled.
func (m mislabelled) mend(immutable bool) string {
	restore := plaintext.Command([]string{"restorecon", "-F", "-v", m.path})
	if immutable {
		return plaintext.Command([]string{"chattr", "-i", "-a", m.path}) + "; " + restore
	}
	return "once its file system lets it be labelled: " + restore
}

// wrongLabels are the files whose label is to be set, each once and nginx's
// executable last; or whole: the tree has to be labelled as a whole, by itself.
func (l *Labels) wrongLabels(ctx context.Context, status selinux.Status) (wrong []mislabelled, whole bool, err error) {
	if status.Configured != selinux.Disabled && (l.hopeless || TreeUnlabelled(l.SELinux)) {
		return nil, true, nil
	}
	strays, many, err := l.unlabelled(status.Store)
	if err != nil || many {
		return nil, many && status.Configured != selinux.Disabled, err
	}
	wrong, err = l.mislabelled(ctx, status)
	known := map[string]bool{}
	for _, m := range wrong {
		known[m.path] = true
	}
	strays = slices.DeleteFunc(strays, func(m mislabelled) bool { return known[m.path] })
	return append(strays, wrong...), false, err
}

// accountFiles are written anew by useradd(8), in a scriptlet of nginx's, and
// it labels them only where it sees selinuxfs. /etc/shadow would have the label
// of any file of /etc.
var accountFiles = [...]string{"/etc/passwd", "/etc/passwd-", "/etc/group", "/etc/group-", "/etc/shadow",
	"/etc/shadow-", "/etc/gshadow", "/etc/gshadow-"}

// mislabelled are the files of this run's making that have another type than
// the policy gives them.
func (l *Labels) mislabelled(ctx context.Context, status selinux.Status) ([]mislabelled, error) {
	paths := []string{filepath.Dir(host.FirstBootLink), host.FirstBootLink, filepath.Dir(host.FirstBootLink) + "/" +
		host.NginxUnit}
	if len(l.Ledger.Names(state.KindPackage)) > 0 {
		paths = append(paths, accountFiles[:]...)
	}
	wrong, err := l.compare(paths)
	if err != nil {
		return nil, err
	}
	if len(l.Ledger.Names(state.KindBoolean, state.KindPort, state.KindContext)) > 0 {
		store, err := l.storeLabels(status)
		if err != nil {
			return nil, err
		}
		wrong = append(wrong, store...)
	}
	packaged, err := l.packageLabels(ctx)
	return append(wrong, packaged...), err
}

// packageLabels compares what the agent's packages brought. Where nginx is one
// of them, its executable's label vouches for the rest, because it is set last.
func (l *Labels) packageLabels(ctx context.Context) ([]mislabelled, error) {
	names := l.Ledger.Names(state.KindPackage)
	if have, err := l.HasNginx(ctx); err != nil || !have || len(names) == 0 {
		return nil, err
	}
	vouching, err := l.compare([]string{NginxProgram})
	if err != nil || len(vouching) == 0 && slices.Contains(names, "nginx") {
		return nil, err
	}
	files, err := l.RPM.DB.Files(ctx, names...)
	if err != nil {
		return nil, err
	}
	wrong, err := l.compare(files)
	if err != nil {
		return nil, err
	}
	kept := wrong[:0]
	for _, m := range wrong {
		if m.path != NginxProgram {
			kept = append(kept, m)
		}
	}
	return append(kept, vouching...), nil
}

// compare looks at each path that exists, links as links.
func (l *Labels) compare(paths []string) ([]mislabelled, error) {
	var there []selinux.Path
	for _, path := range paths {
		fi, err := os.Lstat(l.Root + path)
		switch {
		case err == nil:
			there = append(there, selinux.Path{Name: path, Mode: fi.Mode()})
		case !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, fs.ErrPermission):
			return nil, err
		}
	}
	return l.comparePaths(there)
}

func (l *Labels) comparePaths(paths []selinux.Path) ([]mislabelled, error) {
	want, err := l.SELinux.Contexts().DefaultLabels(paths...)
	if errors.Is(err, fs.ErrNotExist) { // no policy (yet) that says
		return nil, nil
	}
	var wrong []mislabelled
	for i := 0; i < len(paths) && err == nil; i++ {
		wrong, err = compareOne(l.SELinux, wrong, paths[i].Name, want[i])
	}
	return wrong, err
}

func compareOne(se selinux.Host, wrong []mislabelled, path, want string) ([]mislabelled, error) {
	have, err := se.Contexts().FileLabel(path)
	if errors.Is(err, fs.ErrNotExist) { // rpm's database has files that come and go
		return wrong, nil
	}
	if err != nil {
		return nil, err
	}
	// A kernel without a policy has one word for every file, and cannot tell.
	told := have == "" || strings.Count(have, ":") >= 3
	if want != "" && told && host.TypeOf(have) != host.TypeOf(want) {
		wrong = append(wrong, mislabelled{path, have, want})
	}
	return wrong, nil
}

// storeLabels compares what a semanage transaction rewrites: the store, which
// has one label for all its files, the compiled policy, and the contexts.
func (l *Labels) storeLabels(status selinux.Status) ([]mislabelled, error) {
	paths, err := l.besideStore(status)
	if err != nil {
		return nil, err
	}
	wrong, err := l.compare(paths)
	if err != nil {
		return nil, err
	}
	within, err := l.withinStore(status.Store)
	return append(wrong, within...), err
}

// besideStore are the files and directories that a transaction rewrites outside of the store, and the store itself.
func (l *Labels) besideStore(status selinux.Status) (paths []string, err error) {
	policy := "/etc/selinux/" + status.Policy
	for _, dir := range []string{policy, policy + "/policy", policy + "/contexts/files", filepath.Dir(status.Store)} {
		entries, err := os.ReadDir(l.Root + dir)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		for _, e := range entries {
			paths = append(paths, dir+"/"+e.Name())
		}
	}
	return paths, nil
}

// policyPaths is everything that a transaction may rewrite.
func (l *Labels) policyPaths(status selinux.Status) ([]string, error) {
	paths, err := l.besideStore(status)
	if err != nil {
		return nil, err
	}
	err = l.walkStore(status.Store, func(path string, _ fs.DirEntry) error {
		paths = append(paths, path)
		return nil
	})
	return paths, err
}

// walkStore visits what is in the store; itself is an entry of its parent.
func (l *Labels) walkStore(store string, visit func(path string, d fs.DirEntry) error) error {
	return filepath.WalkDir(l.Root+store, func(name string, d fs.DirEntry, err error) error {
		path := strings.TrimPrefix(name, l.Root)
		if err != nil || path == store {
			return err
		}
		return visit(path, d)
	})
}

func (l *Labels) withinStore(store string) ([]mislabelled, error) {
	dirLabel, err := l.Files.PolicyLabel(store, fs.ModeDir)
	if err != nil {
		return nil, err
	}
	fileLabel, err := l.Files.PolicyLabel(store+"/policy.kern", 0)
	if err != nil {
		return nil, err
	}
	var wrong []mislabelled
	err = l.walkStore(store, func(path string, d fs.DirEntry) error {
		want := fileLabel
		if d.IsDir() {
			want = dirLabel
		}
		wrong, err = compareOne(l.SELinux, wrong, path, want)
		return err
	})
	return wrong, err
}
