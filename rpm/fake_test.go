package rpm

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"wsprovision/rpm/rpmtest"

	"golang.org/x/sys/unix"
)

// fake is a host whose rpm and yum behave as RHEL 7's do; what it does not know fails the test.
type fake struct {
	t         *testing.T
	installed map[string]string // name: the rest of the query's line
	files     map[string]string // package file: the name in it
	keys      []string          // armored, in the rpm database
	owned     []string          // files that a package owns
	yum       func(argv []string) (stdout, stderr string, status int)
	importing func(path string)
	erasing   func(names []string)
	ran       []string
	slept     time.Duration
	onSleep   func()
	notices   []string
	root      string
	free      unix.Statfs_t // of every file system
}

func newFake(t *testing.T) *fake {
	return &fake{t: t, installed: map[string]string{}, files: map[string]string{}, root: t.TempDir(),
		free: unix.Statfs_t{Bsize: 4096, Bavail: 3, Files: 1000, Ffree: 500}}
}

func (f *fake) host() Host {
	h := New(f.root, f.read, f.change)
	h.LockWait = 10 * time.Minute
	h.Sleep = func(ctx context.Context, d time.Duration) error {
		f.slept += d
		if f.onSleep != nil {
			f.onSleep()
		}
		return ctx.Err()
	}
	h.Notice = func(s string) { f.notices = append(f.notices, s) }
	h.Disk.freeSpace = func(path string, to *unix.Statfs_t) error {
		*to = f.free
		return nil
	}
	return h
}

func (f *fake) write(path, text string) { rpmtest.Write(f.t, f.root, path, text) }

func (f *fake) read(_ context.Context, _ string, argv ...string) (string, string, int, error) {
	switch {
	case argv[1] == "-qa":
		return f.everything()
	case argv[1] == "-q" && argv[4] == "gpg-pubkey":
		return f.queryKeys()
	case argv[1] == "-q":
		return f.query(argv[4:])
	case argv[1] == "-qp":
		if name := f.files[argv[4]]; name != "" {
			return name + "\t(none)\t7\t14\tnoarch\n", "warning: " + argv[4] +
				": Header V3 RSA/SHA256 Signature, key ID 352c64e5: NOKEY\n", 0, nil
		}
		return "", "error: open of " + argv[4] + " failed: No such file or directory\n", 1, nil
	case argv[1] == "-qf":
		if slices.Contains(f.owned, argv[4]) {
			return "release\n", "", 0, nil
		}
		return "file " + argv[4] + " is not owned by any package\n", "", 1, nil
	}
	f.t.Errorf("not a program that reads: %q", argv)
	return "", "", 1, nil
}

func (f *fake) query(names []string) (string, string, int, error) {
	var out strings.Builder
	absent := 0
	for _, name := range names {
		if rest := f.installed[name]; rest != "" {
			fmt.Fprintf(&out, "%s\t%s\n", name, rest)
			continue
		}
		absent++
		fmt.Fprintf(&out, "package %s is not installed\n", name)
	}
	return out.String(), "", absent, nil
}

func (f *fake) everything() (string, string, int, error) {
	var out strings.Builder
	for name, rest := range f.installed {
		fmt.Fprintf(&out, "%s\t%s\n", name, rest)
	}
	for _, k := range f.keys {
		fmt.Fprintf(&out, rpmtest.ListedKey, strings.TrimSpace(k))
	}
	return out.String(), "", 0, nil
}

// install runs Install on what the fake has now.
func (f *fake) install(w Wants) error {
	f.t.Helper()
	before, err := f.host().DB.Inventory(bg)
	if err != nil {
		f.t.Fatal(err)
	}
	limits, err := f.host().Restrict(bg, before.Keys)
	if err != nil {
		return err
	}
	_, err = f.host().Install(bg, w, before, limits)
	return err
}

func (f *fake) queryKeys() (string, string, int, error) {
	if len(f.keys) == 0 {
		return "package gpg-pubkey is not installed\n", "", 1, nil
	}
	var out strings.Builder
	for _, k := range f.keys {
		fmt.Fprintf(&out, rpmtest.ListedKey, strings.TrimSpace(k))
	}
	return out.String(), "", 0, nil
}

func (f *fake) change(_ context.Context, _ string, argv ...string) (string, string, int, error) {
	f.ran = append(f.ran, strings.Join(argv, " "))
	switch {
	case argv[0] == "yum" && f.yum != nil:
		stdout, stderr, status := f.yum(argv)
		return stdout, stderr, status, nil
	case argv[0] == "rpm" && argv[1] == "--import" && f.importing != nil:
		f.importing(argv[2])
		return "", "", 0, nil
	case argv[0] == "rpm" && argv[1] == "-e" && f.erasing != nil:
		f.erasing(argv[2:])
		return "", "", 0, nil
	}
	f.t.Errorf("unexpected: %q", argv)
	return "", "", 1, nil
}

// brings installs the packages and says what a recorded yum said. Each is NAME or, for rpm's own words, NAME and the
// rest of its line.
func (f *fake) brings(recording string, status int, names ...string) func([]string) (string, string, int) {
	stdout, stderr := "Complete!\n", ""
	if recording != "" {
		stdout, stderr = rpmtest.Recorded(f.t, recording+".yum")
	}
	return func([]string) (string, string, int) {
		for _, name := range names {
			name, rest, ok := strings.Cut(name, "\t")
			if !ok {
				rest = "1\t1.20.1\t10.el7\tx86_64"
			}
			f.installed[name] = rest
		}
		return stdout, stderr, status
	}
}
