package provision

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"wsprovision/provision/config"
	"wsprovision/provision/engine"
	"wsprovision/provision/host"
	"wsprovision/provision/packages"
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
	applying := func(c func(testing.TB) config.Config) func(*fakeHost) (string, bool) {
		return reporting(func(h *fakeHost) (*engine.Report, error) { return h.newRun(c(h.t)).Apply(h.t.Context()) })
	}
	apply := applying(basic)
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
		{name: "a tree with labels in an installer's chroot", host: labelledOffline, run: apply},
		{name: "EPEL from a package", host: bareForRelease, run: applying(func(t testing.TB) config.Config {
			return fromPackage(t, "/root/epel-release.rpm")
		})},
		{name: "EPEL from a mirror", host: bareForMirror, run: applying(mirrored)},
		{name: "EPEL by its mirrors", host: bareForMirrors, run: applying(auto)},
		{name: "EPEL by its archive", host: bareForArchive, run: applying(auto)},
		{name: "EPEL of its own disabled", host: bareForDisabled, run: applying(auto)},
		{name: "a name that becomes long", host: provisioned, run: applying(longNamed)},
		{name: "a socket outside of /run", host: withSocket, run: applying(func(t testing.TB) config.Config {
			return parse(t, socketSite)
		})},
		{name: "nginx after a power cut", host: cutAfter(packages.Nginx), run: apply},
		{name: "epel-release after a power cut", host: cutAfter(packages.EPELRelease), run: apply},
		{name: "an edit that is replaced", host: edited, passes: host.ReplacedDir,
			run: applying(func(t testing.TB) config.Config {
				return parse(t, oneSite+"on_drift: replace\n")
			})},
		{name: "over an administrator's file", host: theirFile, run: apply},
		{name: "a line of nginx.conf", host: stockHost, run: applying(withoutStockLine)},
		{name: "a revert of a line of nginx.conf", host: withoutLine, run: undo(false)},
		{name: "a revert to an administrator's file", host: overTheirFile, run: undo(false)},
		{name: "the first boot", host: booted, run: reporting(func(h *fakeHost) (*engine.Report, error) {
			return h.firstBoot(1)
		})},
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
	"/proc/net/if_inet6": "IPv6 is taken to be there, as before; nginx -t says where " +
		"it is not",
	"/sys/fs/selinux/class/tcp_socket/index":           "RHEL 7's own rules answer in the kernel's place",
	"/sys/fs/selinux/class/tcp_socket/perms/name_bind": "RHEL 7's own rules answer in the kernel's place",
	"/sys/fs/selinux/policy":                           "a revert goes by the local labels of the store",
	"/proc/sys/kernel/random/boot_id":                  "it is a word of the report whether the machine went down",
	"/proc/2001/limits":                                "no warning of a limit; nginx's log tells when it is spent",
	"/proc/filesystems":                                "the first boot then labels every file anew, and it is told",
	"/etc/pki/rpm-gpg/RPM-GPG-KEY-EPEL-7":              "a package brought it; yum reads it, and says so",
	"/etc/pki/rpm-gpg/RPM-GPG-KEY-CentOS-7":            "a package brought it; yum reads it, and says so",
	state.HistoryPath:                                  "what the last run came to, which status tells",
}

// TestUnreadable: each read of the host fails, one at a time. What could not be read reaches the report; or what is
// told and what is left are the same without it.
func TestUnreadable(t *testing.T) {
	for _, c := range readings() {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				whole := c.reads(t)
				for i, asked := range whole.asked {
					h := c.host(t)
					h.reads.fail(whole.asked[:i+1])
					same := &whole
					if !strings.HasPrefix(asked, "systemd: ") { // which is asked again before anything hangs on it
						same = nil
					}
					c.judge(t, h, asked, errUnreadable.Error(), same)
				}
				for _, file := range whole.files {
					h := c.host(t)
					if !h.exists(file) { // the command itself writes it
						continue
					}
					h.loop(file)
					_, known := needless[file]
					if known || c.passes != "" && strings.HasPrefix(file, c.passes) {
						told := whole
						told.told = ""
						c.judge(t, h, file, filepath.Base(file), &told)
						continue
					}
					c.judge(t, h, file, filepath.Base(file), nil)
				}
			})
		})
	}
}

// judge lets pass what the report names, and where it differs from an undisturbed run in nothing. A report that may
// differ is "" there.
func (c reading) judge(t *testing.T, h *fakeHost, what, word string, whole *undisturbed) {
	t.Helper()
	defer os.RemoveAll(h.root)
	text, well := c.run(h)
	if !well || strings.Contains(text, word) || whole != nil &&
		(whole.told == "" || h.tells(text) == whole.told) && cmp.Equal(whole.left, h.state()) {
		return
	}
	if whole != nil {
		text += "\n" + cmp.Diff(whole.left, h.state())
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
	h.reads.all = nil
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

// fakeReads are the questions to programs and systemd; one of them fails. The order differs from one run to the next,
// because rpm is asked beside the rest: what is asked n times is told by n.
type fakeReads struct {
	sync.Mutex
	all   []string
	fails string
	times int
}

func (r *fakeReads) next(what string) error {
	r.Lock()
	defer r.Unlock()
	r.all = append(r.all, what)
	if what == r.fails {
		r.times--
	}
	if what == r.fails && r.times == 0 {
		return errUnreadable
	}
	return nil
}

// fail has the last of these questions fail.
func (r *fakeReads) fail(asked []string) {
	r.all, r.fails, r.times = nil, asked[len(asked)-1], 0
	for _, what := range asked {
		if what == r.fails {
			r.times++
		}
	}
}

// loop makes a file one that nobody can open, as a broken disk does.
func (h *fakeHost) loop(name string) {
	h.must(os.Remove(h.path(name)))
	h.must(os.Symlink(filepath.Base(name), h.path(name)))
}

// bareForRelease has epel-release as a file, with its key; the distribution's key is known.
func bareForRelease(t testing.TB) *fakeHost {
	h := newFakeHost(t)
	h.importKeyOf("extras")
	key, fingerprint := armoredKey(t, 1)
	h.write("/root/epel.key", key)
	h.write("/root/epel-release.rpm", packageFile(packages.EPELRelease))
	h.packages.signature = "    V4 RSA/SHA256 Signature, key ID " + fingerprint[32:] + ": OK\n"
	return h
}

// cutAfter is a host that has lost what a package brought.
func cutAfter(lost string) func(testing.TB) *fakeHost {
	return func(t testing.TB) *fakeHost {
		h := newFakeHost(t)
		h.cutAfter(lost, lost)
		return h
	}
}

// booted is a host in its first boot.
func booted(t testing.TB) *fakeHost {
	h := installed(t)
	h.boot()
	return h
}
