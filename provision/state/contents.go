package state

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"wsprovision/provision/host"
	"wsprovision/provision/lazy"
)

// ContentsDir holds what was in large files before the agent changed them, each
// in a file that is named by the SHA-256 of its content. It is written before
// the ledger names it, and removed when no entry does any more.
const ContentsDir = host.StateDir + "/contents"

// The sizes in bytes above which a content leaves the ledger: any ledger, and
// one of many contents that would itself be large.
const (
	LargeContent = 64 << 10
	smallContent = 1 << 10
)

// contentName is the SHA-256 of a content, in hexadecimal.
func contentName(content []byte) string { return strings.TrimPrefix(Digest(content), digestPrefix) }

func ContentPath(name string) string { return ContentsDir + "/" + name }

var contentNames = lazy.Regexp(`^[0-9a-f]{64}$`)

// bringContents reads what lies beside the ledger. What is not there any more,
// or is not what it was, leaves its entry without: only a revert needs it.
func (l *Ledger) bringContents() error {
	for i := range l.Entries {
		e := &l.Entries[i]
		if e.Beside == "" {
			continue
		}
		if !contentNames().MatchString(e.Beside) {
			return fmt.Errorf("read %s: the content of %s is called %q, which is no SHA-256: restore the ledger from "+
				"a backup", LedgerPath, e.Name, e.Beside)
		}
		have, err := l.files.Read(ContentPath(e.Beside))
		if e.Bytes = nil; err == nil && have.Content != nil && contentName(have.Content) == e.Beside {
			e.Bytes = have.Content
		}
	}
	return nil
}

// LostContent says what a revert cannot bring back.
func (e Entry) LostContent() error {
	if !e.IsLost() {
		return nil
	}
	return fmt.Errorf("what was at %s before the agent came is not in %s any more, or was changed there: restore "+
		"that file from a backup (its name is its SHA-256)", e.Name, ContentPath(e.Beside))
}

// putContents writes what is to lie beside the ledger and does not yet.
func (l *Ledger) putContents(entries []Entry) error {
	for _, e := range entries {
		if e.Beside == "" || e.IsLost() {
			continue
		}
		if err := l.files.MakeDir(ContentsDir, 0o700); err != nil {
			return err
		}
		path := ContentPath(e.Beside)
		if have, err := l.files.Read(path); err == nil && host.Same(have.Content, e.Bytes) {
			continue
		}
		if err := l.files.Write(path, e.Bytes, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// Sweep removes what no entry names, and what a run staged there that died. The
// ledger is as it is on the disk: just read, or just written.
func (l *Ledger) Sweep() error {
	found, err := os.ReadDir(l.files.Root + ContentsDir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("look for contents that no entry names: %w", err)
	}
	left := len(found)
	for _, file := range found {
		if file.IsDir() || l.names(file.Name()) {
			continue
		}
		if err := l.files.Unlink(ContentPath(file.Name())); err != nil {
			return err
		}
		left--
	}
	if left > 0 {
		return nil
	}
	return l.files.RemoveDir(ContentsDir)
}

func (l *Ledger) names(content string) bool {
	return slices.ContainsFunc(l.Entries, func(e Entry) bool { return e.Beside == content })
}
