package selinux

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"wsprovision/provision/known"
	"wsprovision/provision/running"
)

// ErrUnknown is wrapped by every error that means "this host does not tell", as opposed to "the answer is no".
var ErrUnknown = errors.New("cannot tell")

// Host is one machine, or a tree that will be one. Its methods may be used by several goroutines at once.
type Host struct {
	// Root is put before every path that is read; "" on a host.
	Root string
	// Offline says that selinuxfs, if there is one, belongs to another system: it is ignored, and whatever would be
	// read from it is Unknown.
	Offline bool
	// Change runs programs that change the host (semanage import); none that only reads is needed.
	Change running.Run
	// LockWait bounds the wait for another's semanage lock; 0 is no longer than semanage's own 5 s.
	LockWait time.Duration
	// Sleep waits between attempts, and ends early with the context's error; nil is the real clock.
	Sleep func(context.Context, time.Duration) error
	// Notice receives what a person wants to read while waiting; may be nil.
	Notice func(string)
	// Cache keeps parsed policies from one call to the next, until their files change; nil keeps nothing.
	Cache *Cache

	// Ask writes a question to a transaction file of selinuxfs and returns the answer; nil asks the kernel.
	Ask func(file, question string) (string, error)
	// Known is what was read already, while nothing changes; nil reads each time.
	Known *known.Facts
}

func (sy system) path(elem ...string) string {
	return filepath.Join(append([]string{sy.Root}, elem...)...)
}

func (h Host) sleep(ctx context.Context, d time.Duration) error {
	if h.Sleep != nil {
		return h.Sleep(ctx, d)
	}
	return running.Sleep(ctx, d)
}

func (h Host) notice(s string) {
	if h.Notice != nil {
		h.Notice(s)
	}
}

// lastLines is the end of what a program said, on one line. A Python traceback ends with what matters.
func lastLines(s string) string {
	var lines []string
	for line := range strings.Lines(s) {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line)
		}
	}
	if len(lines) == 0 {
		return "no message"
	}
	return strings.Join(lines[max(0, len(lines)-3):], " / ")
}

func isDir(path string) bool {
	st, err := os.Stat(path)
	return err == nil && st.IsDir()
}

// system is what SELinux's configuration and its kernel are read from.
type system struct {
	Root    string
	Offline bool
	known   *known.Facts
}

// read is the content of a file.
func (sy system) read(elem ...string) ([]byte, error) {
	return known.File(sy.known, sy.path(elem...), os.ReadFile)
}

// listing is the key of what a directory holds.
type listing string

// list is what a directory holds.
func (sy system) list(dir string) ([]fs.DirEntry, error) {
	type entries struct {
		all []fs.DirEntry
		err error
	}
	l := known.Once(sy.known, listing(sy.path(dir)), func() entries {
		all, err := os.ReadDir(sy.path(dir))
		return entries{all, err}
	})
	return l.all, l.err
}

// policies are the policies of a system, parsed.
type policies struct {
	system
	Cache *Cache
	sleep func(context.Context, time.Duration) error
}

// Contexts are the labels of files, as they are and as the policy wants them.
type Contexts struct {
	system
	Cache *Cache
}

// Kernel answers what the loaded policy allows.
type Kernel struct {
	policies
	Ask func(file, question string) (string, error)
}

func (h Host) system() system { return system{h.Root, h.Offline, h.Known} }

func (h Host) policies() policies { return policies{h.system(), h.Cache, h.sleep} }

// Contexts reads and sets the labels of files.
func (h Host) Contexts() Contexts { return Contexts{h.system(), h.Cache} }

// Kernel asks the loaded policy.
func (h Host) Kernel() Kernel { return Kernel{h.policies(), h.Ask} }
