package rpm

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"wsprovision/provision/plaintext"
	"wsprovision/provision/secret"
	"wsprovision/rpm/rpmdb"
	"wsprovision/rpm/yumerr"
)

// Wants is what one yum transaction is to bring.
type Wants struct {
	Packages []string // names, without version or architecture
	// Files are absolute paths of .rpm files, each of a package that is in Packages too: what a file is called says
	// nothing of what is in it. Their signatures are checked like everything else's.
	Files []string
}

func (w Wants) check() error {
	for _, name := range w.Packages {
		if err := rpmdb.CheckName(name); err != nil {
			return err
		}
	}
	for _, file := range w.Files {
		if !filepath.IsAbs(file) || filepath.Clean(file) != file || !strings.HasSuffix(file, ".rpm") ||
			strings.ContainsAny(file, "*?[]\n") {
			return fmt.Errorf("%q is not the absolute path of an .rpm file", file)
		}
	}
	return nil
}

// Install brings what is missing from the inventory before, in one yum transaction, and returns the inventory
// afterwards, asked of rpm again. What is installed already is not given to yum, whose install upgrades (yum-3.4.3
// _install_is_upgrade). yum is kept within what is trusted by the limits that Restrict works out for the keys of
// before. The error is a *YumError, *LockedError or *ReusedPidError where yum or its lock is the reason; the inventory
// is then what rpm has all the same.
func (h Host) Install(ctx context.Context, w Wants, before rpmdb.Inventory, limits Limits) (after rpmdb.Inventory,
	err error) {
	if err := w.check(); err != nil {
		return before, fmt.Errorf("install: %w", err)
	}
	want, err := h.missing(ctx, w, before)
	if err != nil || len(want.names()) == 0 {
		return before, err
	}
	h.tell(limits)
	after, err = h.yum(ctx, limits, want, before)
	if err != nil {
		return after, fmt.Errorf("install %s: %w", want, err)
	}
	return after, nil
}

// tell says why yum is kept from some of what it could take.
func (h Host) tell(limits Limits) {
	for _, reason := range limits.Reasons {
		h.notice("%s", reason)
	}
}

// wanted is what is really missing: names, and the files with the names of the packages in them.
type wanted struct {
	packages []string
	files    map[string]string // path: package name
}

func (w wanted) names() []string {
	names := slices.Clone(w.packages)
	for _, name := range w.files {
		names = append(names, name)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func (w wanted) args() []string {
	var files []string
	for file := range w.files {
		files = append(files, file)
	}
	slices.Sort(files)
	return append(slices.Clone(w.packages), files...)
}

func (w wanted) String() string { return strings.Join(w.names(), ", ") }

// missing keeps of w what rpm does not have. A file whose package is installed in whatever version counts as present;
// a name that a file brings is not asked of the repositories as well.
func (h Host) missing(ctx context.Context, w Wants, have rpmdb.Inventory) (wanted, error) {
	want := wanted{packages: have.Lacks(w.Packages), files: map[string]string{}}
	slices.Sort(want.packages)
	want.packages = slices.Compact(want.packages)
	for _, file := range w.Files {
		p, err := h.DB.PackageFile(ctx, file)
		if err != nil {
			return want, err
		}
		if !slices.Contains(w.Packages, p.Name) {
			return want, fmt.Errorf("%s is %s, which is not asked for", file, p)
		}
		if len(have.Packages[p.Name]) == 0 {
			want.files[file] = p.Name
			want.packages = slices.DeleteFunc(want.packages, func(name string) bool { return name == p.Name })
		}
	}
	return want, nil
}

// yumOptions hold on yum 3.4.3 and on dnf. Never -q: it hides "No package X available." (yum/logginglevels.py). Short
// options stay apart, because yum's first parser misreads merged ones. The debug levels are said because yum.conf may
// lower them. exit_on_lock turns yum's endless wait into an answer that we wait on with a bound.
// skip_missing_names_on_install came with RHEL 7.3; where it is unknown it earns a warning and nothing else.
var yumOptions = []string{
	"-y", "-d", "2", "-e", "2",
	"--setopt=retries=2", "--setopt=timeout=15",
	"--setopt=skip_missing_names_on_install=False",
	"--setopt=exit_on_lock=1",
	"--setopt=localpkg_gpgcheck=1",
}

func yumArgv(options []string, command string, packages []string) []string {
	return slices.Concat([]string{"yum"}, yumOptions, options, []string{command}, packages)
}

// ErrUntold says that yum ran and rpm could not be asked afterwards what it brought.
var ErrUntold = errors.New("what yum brought is not known")

// yum runs the transaction until rpm has everything. The inventory is the last that rpm told of.
func (h Host) yum(ctx context.Context, limits Limits, want wanted, have rpmdb.Inventory) (rpmdb.Inventory, error) {
	err := h.patiently(ctx, yumArgv(limits.Args, "install", want.args()),
		func(said yumerr.Output, runErr error) (bool, error) {
			// What yum brought is to be known even where the run is being ended.
			now, err := h.DB.Inventory(context.WithoutCancel(ctx))
			if err != nil {
				return true, errors.Join(runErr, fmt.Errorf("%w: %w", ErrUntold, err))
			}
			if have = now; runErr != nil {
				return true, runErr
			}
			if absent, failed := have.Lacks(want.names()), have.Without(said.Failed()); len(absent)+len(failed) > 0 {
				return said.Status == 0, h.refusal(said, absent, failed, have, limits)
			}
			h.mention(said, have)
			return true, nil
		})
	return have, err
}

// verdict is the last word on what yum said, or that it may be tried again. runErr is why yum did not end by itself.
type verdict func(said yumerr.Output, runErr error) (final bool, err error)

// patiently runs yum until judge has a final word on it, the failure is not a repository's, or the patience is used
// up. A lock that is held is waited for.
func (h Host) patiently(ctx context.Context, argv []string, judge verdict) error {
	locks := &waiting{h: h}
	for failed := 0; ; {
		if err := locks.free(ctx); err != nil {
			return err
		}
		stdout, stderr, status, runErr := h.Change(ctx, "", argv...)
		stdout, stderr = secret.Hide(stdout), secret.Hide(stderr) // yum prints URLs as its configuration has them
		said := yumerr.Output{Status: status, Stdout: stdout, Stderr: stderr}
		kind := yumerr.Classify(said).Kind
		if runErr == nil && status != 0 && kind == yumerr.Locked { // taken between our look and yum's start
			if err := locks.pause(ctx, said.LockedBy()); err != nil {
				return err
			}
			continue
		}
		if runErr != nil {
			runErr = fmt.Errorf("yum: %w", runErr)
		}
		final, err := judge(said, runErr)
		if failed++; final || kind != yumerr.Unreachable || failed >= h.attempts() {
			return err
		}
		if err := h.again(ctx, err, failed); err != nil {
			return err
		}
	}
}

// again waits before the next attempt, and tells a person why.
func (h Host) again(ctx context.Context, why error, failed int) error {
	pause := backOff(failed)
	h.notice("%s; trying again in %s (%d of %d)", why, plaintext.Duration(pause), failed+1, h.attempts())
	if err := h.sleep(ctx, pause); err != nil {
		return errors.Join(why, err)
	}
	return nil
}

// backOff is 5, 10, 20 … seconds, at most a minute.
func backOff(failed int) time.Duration {
	return min(5*time.Second<<min(failed-1, 4), time.Minute)
}

// mention passes on what yum complained of although everything is there.
func (h Host) mention(said yumerr.Output, have rpmdb.Inventory) {
	if said.Status != 0 {
		h.notice("yum: exit status %d: %s; rpm has everything that was asked for", said.Status, said.LastWords())
	}
	if next := unfinishedNext(said, have); next != "" {
		h.notice("yum: %s", next)
	}
	if line := said.NonFatal(); line != "" {
		h.notice("yum: %s", line)
	}
}
