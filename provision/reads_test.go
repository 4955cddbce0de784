package provision

import (
	"bytes"
	"encoding/binary"
	"io/fs"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"wsprovision/provision/engine"
	"wsprovision/provision/host"
)

// TestUnchangedReadsOnce: between two changes nothing is read twice, and an unchanged apply has none.
func TestUnchangedReadsOnce(t *testing.T) {
	h := withNginx(t)
	h.must(h.apply(basic(t)).Err())
	opened := h.opens(func() {
		if r := h.apply(basic(t)); r.Result != engine.Unchanged {
			t.Errorf("the second apply: %s\n%s", r.Result, summarize(r))
		}
	})
	// What may be opened more often, and why. The test's own programs read some files, too.
	budget := map[string]int{
		site:         2, // as a file of ours, with its owner and label, and as a part of nginx's configuration
		host.ConfDir: 2, // for files of ours that are left over, and as nginx reads it

		"/proc/net/if_inet6":    2, // to make the configuration whole, and again once the lock is held
		"/proc/1/stat":          2, // by who called the agent, and by the search for masters of nginx
		"/proc":                 2, // by that search, and for who holds ports
		"/var/lib/rpm/Packages": 3, // by the test's rpm
		selinuxfs + "/enforce":  3, // by the test's kernel

		selinuxfs + "/booleans/httpd_can_network_connect": 3, // the same
	}
	for name, n := range opened {
		if n > max(1, budget[name]) {
			t.Errorf("%s was opened %d times, want at most %d", name, n, max(1, budget[name]))
		}
	}
	if len(opened) < 30 || opened[site] == 0 {
		t.Errorf("%d files were opened in all, %s among them %d times: the count sees nothing", len(opened), site,
			opened[site])
	}
	if n := len(h.ran); n != 1 {
		t.Errorf("%d programs were run, want one rpm: %q", n, h.ran)
	}
}

// opens is how often each file and directory of the host was opened while f ran, by inotify(7).
func (h *fakeHost) opens(f func()) map[string]int {
	h.t.Helper()
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	h.must(err)
	defer unix.Close(fd)
	dirs := map[int32]string{}
	h.must(filepath.WalkDir(h.root, func(name string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() {
			return err
		}
		// Two events of the same kind in a row would be told as one: a close comes between two opens.
		wd, err := unix.InotifyAddWatch(fd, name, unix.IN_OPEN|unix.IN_CLOSE)
		dirs[int32(wd)] = name
		return err
	}))
	h.opened(fd, dirs) // by the walk
	f()
	return h.opened(fd, dirs)
}

// opened counts the events that are there.
func (h *fakeHost) opened(fd int, dirs map[int32]string) map[string]int {
	count := map[string]int{}
	buffer := make([]byte, 1<<20)
	for {
		n, err := unix.Read(fd, buffer)
		if err == unix.EAGAIN { //nolint:errorlint // of a plain system call
			return count
		}
		h.must(err)
		for events := buffer[:n]; len(events) > 0; {
			wd, mask := int32(binary.NativeEndian.Uint32(events)), binary.NativeEndian.Uint32(events[4:])
			end := unix.SizeofInotifyEvent + int(binary.NativeEndian.Uint32(events[12:]))
			name, _, _ := bytes.Cut(events[unix.SizeofInotifyEvent:end], []byte{0})
			if events = events[end:]; mask&unix.IN_OPEN != 0 && len(name) > 0 {
				count["/"+h.relative(filepath.Join(dirs[wd], string(name)))]++
			}
		}
	}
}

func (h *fakeHost) relative(name string) string {
	h.t.Helper()
	rel, err := filepath.Rel(h.root, name)
	h.must(err)
	return rel
}
