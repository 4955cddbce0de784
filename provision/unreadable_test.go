package provision

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"wsprovision/provision/config"
	"wsprovision/provision/engine"
	"wsprovision/provision/state"
	"wsprovision/provision/status"
	"wsprovision/provision/verify"
)

// reading is a command over a host whose every read fails, one at a time.
type reading struct {
	name string
	host func(t testing.TB) *fakeHost
	// run is what the command tells, in JSON, and whether it tells that all is well.
	run func(h *fakeHost) (told string, well bool)
	// passes is what the paths of files begin with that are read once more before anything hangs on them.
	passes string
}

func told(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(b)
}

func reporting(run func(h *fakeHost) (*engine.Report, error)) func(*fakeHost) (string, bool) {
	return func(h *fakeHost) (string, bool) {
		r, err := run(h)
		if err != nil {
			return err.Error(), false
		}
		return told(r) + told(h.notices), r.Result != engine.Failed
	}
}

func readings() []reading {
	apply := reporting(func(h *fakeHost) (*engine.Report, error) { return h.newRun(basic(h.t)).Apply(h.t.Context()) })
	undo := func(plan bool) func(*fakeHost) (string, bool) {
		return reporting(func(h *fakeHost) (*engine.Report, error) {
			r := NewRevert(h.newRun(basic(h.t)).Host, Listener{}, true)
			if plan {
				return r.Plan(h.t.Context())
			}
			return r.Apply(h.t.Context())
		})
	}
	return []reading{
		{name: "apply, bare", host: newFakeHost, run: apply},
		{name: "apply in an installer's chroot", host: bareOffline, run: apply},
		{name: "apply again", host: provisioned, run: apply},
		{name: "plan", host: provisioned, run: reporting(func(h *fakeHost) (*engine.Report, error) {
			return h.newRun(basic(h.t)).Plan(h.t.Context())
		})},
		{name: "revert --plan", host: provisioned, run: undo(true), passes: "/proc/2"}, // nginx's processes
		{name: "revert", host: provisioned, run: undo(false)},
		{name: "status", host: provisioned, run: func(h *fakeHost) (string, bool) {
			s := h.status(h.t)
			s.Now = Now(h.t.Context(), h.host(Listener{}), basic(h.t))
			return told(s), s.Whole()
		}},
		{name: "status without a configuration", host: provisioned, run: func(h *fakeHost) (string, bool) {
			now := Now(h.t.Context(), h.host(Listener{}), config.Config{})
			return told(now), now.State == status.AsAsked
		}},
		{name: "verify", host: provisioned, run: func(h *fakeHost) (string, bool) {
			v := verify.Verification{Host: h.host(Listener{}), Config: basic(h.t), Timeout: time.Second,
				URL: "ws://127.0.0.1:1/ws/"}
			r, err := v.Run(h.t.Context())
			if err != nil {
				return err.Error(), false
			}
			return told(r), r.Result == verify.OK
		}},
	}
}

var errUnreadable = errors.New("input/output error")

// needless are files that are read for what there is besides, each with who else answers.
var needless = map[string]string{
	"/proc/1/cmdline":    "a process that ends while it is looked at is none of nginx's",
	"/proc/self/cmdline": "a process that ends while it is looked at is none of nginx's",
	"/proc/self/mounts": "libselinux, too, takes a kernel without its list of " +
		"mounts for one without SELinux",
	"/proc/net/if_inet6": "IPv6 is taken to be there, as before; nginx -t says " +
		"where it is not",
	"/sys/fs/selinux/class/tcp_socket/index":           "RHEL 7's own rules answer in the kernel's place",
	"/sys/fs/selinux/class/tcp_socket/perms/name_bind": "RHEL 7's own rules answer in the kernel's place",
	"/sys/fs/selinux/policy":                           "a revert goes by the local labels of the store",
	"/proc/filesystems":                                "the first boot then labels every file anew, and it is told",
	"/etc/pki/rpm-gpg/RPM-GPG-KEY-CentOS-7":            "a package brought it; yum reads it, and says so",
	state.HistoryPath:                                  "what the last run came to, which status tells",
}

// TestUnreadable: each read of the host fails, one at a time. What could not be read reaches the report; or what is
// told and what is left are the same without it.
func TestUnreadable(t *testing.T) {
	for _, c := range readings() {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				whole := c.reads(t)
				for i, asked := range whole.asked {
					h := c.host(t)
					h.reads = fakeReads{fails: i + 1}
					c.judge(t, h, asked, errUnreadable.Error(), &whole)
				}
				for _, file := range whole.files {
					h := c.host(t)
					_, known := needless[file]
					known = known || c.passes != "" && strings.HasPrefix(file, c.passes)
					if h.exists(file) && !known { // what is not there yet the command itself writes
						h.loop(file)
						c.judge(t, h, file, filepath.Base(file), nil)
					}
				}
			})
		})
	}
}

func (c reading) judge(t *testing.T, h *fakeHost, what, word string, whole *undisturbed) {
	t.Helper()
	defer os.RemoveAll(h.root)
	text, well := c.run(h)
	if !well || strings.Contains(text, word) || whole != nil && h.tells(text) == whole.told &&
		cmp.Equal(whole.left, h.state()) {
		return
	}
	t.Errorf("%s cannot be read, and nothing says so: %s", what, text)
}

// tells is a report without what differs from one run to the next.
func (h *fakeHost) tells(text string) string {
	return changing.ReplaceAllString(strings.ReplaceAll(text, h.root, ""), "")
}

var changing = regexp.MustCompile(`"(started|duration_ms)":("[^"]*"|[0-9]+),`)

// undisturbed is a run in which everything can be read: what it asks of programs and of systemd, which files it reads,
// what it tells and what it leaves.
type undisturbed struct {
	asked, files []string
	told         string
	left         map[string]string
}

// reads makes the run in which everything can be read.
func (c reading) reads(t *testing.T) (u undisturbed) {
	t.Helper()
	h := c.host(t)
	defer os.RemoveAll(h.root)
	h.eachFile(func(path string, info fs.FileInfo) { h.must(os.Chtimes(path, time.Unix(0, 0), info.ModTime())) })
	h.reads = fakeReads{}
	text, well := c.run(h)
	if !well && c.name != "verify" {
		t.Fatalf("undisturbed: %s", text)
	}
	u.asked, u.told, u.left = h.reads.all, h.tells(text), h.state()
	h.eachFile(func(path string, info fs.FileInfo) {
		name := strings.TrimPrefix(path, h.root)
		if info.Sys().(*syscall.Stat_t).Atim.Sec != 0 && !strings.HasPrefix(name, "/var/lib/rpm/") { // the fake's own
			u.files = append(u.files, name)
		}
	})
	if len(u.files) < 5 {
		t.Fatalf("only %q are seen to be read: does this file system note it?", u.files)
	}
	return u
}

func (h *fakeHost) eachFile(f func(path string, info fs.FileInfo)) {
	h.must(filepath.WalkDir(h.root, func(path string, d fs.DirEntry, err error) error {
		if info, err := os.Lstat(path); err == nil && info.Mode().IsRegular() {
			f(path, info)
		}
		return err
	}))
}

// fakeReads are the questions to programs and systemd, in their order; one of them fails, counted from 1.
type fakeReads struct {
	all   []string
	fails int
}

func (r *fakeReads) next(what string) error {
	r.all = append(r.all, what)
	if len(r.all) == r.fails {
		return errUnreadable
	}
	return nil
}

// loop makes a file one that nobody can open, as a broken disk does.
func (h *fakeHost) loop(name string) {
	h.must(os.Remove(h.path(name)))
	h.must(os.Symlink(filepath.Base(name), h.path(name)))
}
