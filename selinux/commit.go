package selinux

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"wsprovision/provision/lazy"
	"wsprovision/provision/plaintext"

	"github.com/hashicorp/go-multierror"
)

// Commit makes all edits in one transaction of `semanage import`: the policy is rebuilt once, or nothing changes. With
// load the kernel takes the new policy at once; without, every line carries -N and the store alone changes.
//
// A boolean's *running* value changes even without load wherever semanage sees selinuxfs and edits the active policy
// (libsemanage, booleans_activedb.c, which is flushed before the policy is loaded), also when the transaction fails
// later. In an installer's chroot that is the installer's boolean: hide selinuxfs from the child there.
//
// Exit status 0 is not proof: read again what was asked for. An error quotes semanage's last lines. Another's lock is
// waited for, up to LockWait; a local record that the other made meanwhile makes ours fail ("already defined"), and
// deciding again is the caller's.
func (h Host) Commit(ctx context.Context, edits []Edit, load bool) error {
	lines, err := h.importLines(edits, load)
	if err != nil {
		return fmt.Errorf("semanage import: %w", err)
	}
	if len(lines) == 0 {
		return nil
	}
	argv := []string{"semanage", "import"}
	if !load {
		argv = append(argv, "-N") // for semanage 2.8 and later, where the lines' own does not count
	}
	return h.patiently(ctx, "semanage import", strings.Join(lines, "\n")+"\n", argv)
}

// Refused is why Commit would not take the edits, as far as that is known before semanage is run.
func (h Host) Refused(edits []Edit) error {
	_, err := h.importLines(edits, false)
	return err
}

// patiently runs a program that changes the store, again where another holds the store's lock.
func (h Host) patiently(ctx context.Context, name, input string, argv []string) error {
	var waited time.Duration
	for pause := time.Second; ; pause = min(2*pause, 8*time.Second) {
		start := time.Now()
		_, stderr, status, err := h.Change(ctx, input, argv...)
		waited += time.Since(start)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if status == 0 {
			return nil
		}
		lock := lockHeld(stderr)
		if lock == "" {
			return fmt.Errorf("%s: exit status %d: %s%s", name, status, lastLines(stderr), next(stderr))
		}
		holder := h.system().lockHolder(lock)
		if waited >= h.LockWait {
			return fmt.Errorf("%s: %s is held by %s, waited %s: %s",
				name, lock, holder, plaintext.Duration(waited.Round(time.Second)), lastLines(stderr))
		}
		h.notice(fmt.Sprintf("waiting for %s to release %s", holder, lock))
		pause = min(pause, h.LockWait-waited)
		if err := h.sleep(ctx, pause); err != nil {
			return fmt.Errorf("%s: waiting for %s, held by %s: %w", name, lock, holder, err)
		}
		waited += pause
	}
}

// next is what to do about a failure, where semanage's words tell. It copies its whole store for every transaction.
func next(stderr string) string {
	if strings.Contains(stderr, "No space left on device") ||
		strings.Contains(stderr, "Could not copy files to sandbox") {
		return " (free space, or inodes, on the file system of semanage's store, then run again)"
	}
	return ""
}

// The text of libsemanage 2.5, which has tried for 5 s by then:
//
//	libsemanage.semanage_get_lock: Could not get direct transaction lock at /etc/selinux/targeted/semanage.trans.LOCK.
//	(Resource temporarily unavailable).
var lockText = lazy.Regexp(`Could not get direct (?:transaction|read) lock at (/\S+\.LOCK)\. \(Resource ` +
	`temporarily unavailable\)`)

// lockHeld returns the path of the lock that another holds, "" if that was not the trouble.
func lockHeld(stderr string) string {
	if m := lockText().FindStringSubmatch(stderr); m != nil {
		return m[1]
	}
	return ""
}

// oneLine is for a warning or an error that goes on behind it.
func oneLine(all []error) string {
	texts := make([]string, len(all))
	for i, err := range all {
		texts[i] = err.Error()
	}
	return strings.Join(texts, "; ")
}

// importLines checks and orders the edits; the same one twice is one.
func (h Host) importLines(edits []Edit, load bool) ([]string, error) {
	problems := &multierror.Error{ErrorFormat: oneLine}
	for _, e := range edits {
		problems = multierror.Append(problems, e.check())
	}
	if err := problems.ErrorOrNil(); err != nil {
		return nil, err
	}
	edits, err := h.rewriteDeletions(edits)
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(edits, func(a, b Edit) int { return cmp.Compare(a.action, b.action) })
	var lines []string
	for _, e := range edits {
		if line := strings.Join(e.words(load), " "); !slices.Contains(lines, line) {
			lines = append(lines, line)
		}
	}
	return lines, nil
}

// rewriteDeletions expresses the deletion of some booleans' records by deleting all and recording the others again.
// That also sets the others' running values, so it is refused where one of them differs from its record.
func (h Host) rewriteDeletions(edits []Edit) ([]Edit, error) {
	dropped := map[string]bool{}
	var kept []Edit
	for _, e := range edits {
		if e.action == deleteBoolean {
			dropped[e.name] = true
			continue
		}
		kept = append(kept, e)
	}
	if len(dropped) == 0 {
		return kept, nil
	}
	records, err := h.system().localBooleans()
	if err != nil {
		return nil, err
	}
	before := len(records)
	maps.DeleteFunc(records, func(name string, _ bool) bool { return dropped[name] })
	if len(records) == before {
		return kept, nil
	}
	for _, e := range kept { // recorded anew anyway
		if e.action == setBoolean {
			delete(records, e.name)
		}
	}
	again, err := h.recordAgain(records)
	return append([]Edit{{action: deleteBoolean}}, append(again, kept...)...), err
}

func (h Host) recordAgain(records map[string]bool) ([]Edit, error) {
	var edits []Edit
	for _, name := range slices.Sorted(maps.Keys(records)) {
		want := setting(records[name])
		if running := h.system().runningBoolean(name); running != want && running != Unknown {
			return nil, fmt.Errorf("drop a boolean's record: %w: %s is recorded %s and runs %s; have it run as "+
				"recorded (setsebool %s %s) or recorded as it runs (setsebool -P %s %s), then run again",
				errOtherBoolean, name, want, running, name, want, name, running)
		}
		edits = append(edits, SetBoolean(name, records[name]))
	}
	return edits, nil
}

var errOtherBoolean = errors.New("it would change the running value of another boolean")
