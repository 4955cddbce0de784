package capacity

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"wsprovision/provision/engine"
	"wsprovision/provision/host"
	"wsprovision/provision/hostfile"
	"wsprovision/provision/state"
)

// somaxconn bounds how many connections wait on a socket; what nginx asks for beyond it is cut when it listens
// (listen(2)).
const somaxconn = "net.core.somaxconn"

func kernelPath(name string) string { return "/proc/sys/" + strings.ReplaceAll(name, ".", "/") }

// kernelValue is the value of the kernel that runs, "" where it cannot be told.
func kernelValue(h *host.Host, name string) string {
	lines := host.ReadProc(h, kernelPath(name))
	if len(lines) == 0 {
		return ""
	}
	return strings.TrimSpace(lines[0])
}

// kernelNumber is that as a number, -1 where it cannot be told.
func kernelNumber(h *host.Host, name string) int {
	n, err := strconv.Atoi(kernelValue(h, name))
	if err != nil {
		return -1
	}
	return n
}

// backlogDue is what somaxconn is to be, and the entry that says so; "" where it stays.
func (c *Capacity) backlogDue() (to string, e state.Entry) {
	now := kernelValue(c.Host, somaxconn)
	if c.asks() {
		need, have := c.Config.Connections.Backlog(), kernelNumber(c.Host, somaxconn)
		if have < 0 || have >= need {
			return "", e
		}
		to = strconv.Itoa(need)
		return to, state.Entry{Kind: state.KindSysctl, Name: somaxconn, Before: now, Left: to}
	}
	e, recorded := c.Ledger.Find(state.KindSysctl, somaxconn)
	if !recorded || now == "" || now == e.Before || !e.IsAgents(now) {
		return "", e
	}
	return e.Before, e.Undoing(now)
}

func (c *Capacity) checkBacklog(f *engine.Finding) error {
	to, _ := c.backlogDue()
	if to == "" {
		return nil
	}
	f.Changes = append(f.Changes, engine.Change{Object: somaxconn + " (running)", From: kernelValue(c.Host, somaxconn),
		To: to})
	if err := unix.Access(c.Root+kernelPath(somaxconn), unix.W_OK); errors.Is(err, unix.EROFS) {
		return fmt.Errorf("%s is %s, %s is needed, and it cannot be written here: set it on the host of this container",
			somaxconn, kernelValue(c.Host, somaxconn), to)
	}
	return nil
}

func (c *Capacity) applyBacklog() error {
	to, e := c.backlogDue()
	if to == "" {
		return nil
	}
	if err := c.Ledger.Record(e); err != nil {
		return err
	}
	return c.Host.Files.SetKernel(kernelPath(somaxconn), to)
}

// sysctlDirs are in the order in which a file of a name is looked for (sysctl.d(5)); all names together are read in
// their order, and the last assignment holds.
var sysctlDirs = []string{"/etc/sysctl.d", "/run/sysctl.d", "/usr/local/lib/sysctl.d", "/usr/lib/sysctl.d",
	"/lib/sysctl.d"}

// persistentBacklog is what the kernel and others' files make of it at the next boot. It is an error where one
// of them goes behind ours, and lowers it.
func (c *Capacity) persistentBacklog(ctx context.Context) (set int, err error) {
	set = kernelDefault(c.Host)
	files, err := sysctlFiles(c.Root)
	if err != nil {
		return 0, err
	}
	for _, file := range files {
		if file == SysctlPath {
			continue
		}
		text, err := hostfile.ReadLinked(ctx, c.Root+file, 1<<20)
		if err != nil {
			continue // /dev/null masks one, and a link may lead nowhere
		}
		n, found := assigned(string(text), somaxconn)
		if !found {
			continue
		}
		set = n
		if need := c.Config.Connections.Backlog(); n < need && path.Base(file) > path.Base(SysctlPath) {
			return 0, fmt.Errorf("%s sets %s to %d, and is read behind %s: raise it there to %d, or take it out", file,
				somaxconn, n, SysctlPath, need)
		}
	}
	return set, nil
}

// kernelDefault is what the kernel has without a file: 128, as RHEL 7's 3.10, and 4096 since 5.4 (SOMAXCONN,
// include/linux/socket.h).
func kernelDefault(h *host.Host) int {
	var major, minor int
	_, err := fmt.Sscanf(kernelValue(h, "kernel.osrelease"), "%d.%d", &major, &minor)
	if err == nil && (major > 5 || major == 5 && minor >= 4) {
		return 4096
	}
	return 128
}

func sysctlFiles(root string) ([]string, error) {
	at := map[string]string{}
	for _, dir := range sysctlDirs {
		entries, err := os.ReadDir(root + dir)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("look for %s: %w", somaxconn, err)
		}
		for _, e := range entries {
			if _, known := at[e.Name()]; !known && strings.HasSuffix(e.Name(), ".conf") {
				at[e.Name()] = dir + "/" + e.Name()
			}
		}
	}
	var files []string
	for name := range at {
		files = append(files, name)
	}
	slices.Sort(files)
	for i, name := range files {
		files[i] = at[name]
	}
	if _, linked := at["99-sysctl.conf"]; !linked { // procps reads it last
		files = append(files, "/etc/sysctl.conf")
	}
	return files, nil
}

// assigned is the last value that a file gives a key; a key may be written with slashes, and begin with -
// (sysctl.d(5)).
func assigned(text, key string) (n int, found bool) {
	for line := range strings.Lines(text) {
		name, value, ok := strings.Cut(strings.TrimSpace(line), "=")
		name = strings.ReplaceAll(strings.TrimPrefix(strings.TrimSpace(name), "-"), "/", ".")
		if !ok || name != key {
			continue
		}
		if v, err := strconv.Atoi(strings.TrimSpace(value)); err == nil {
			n, found = v, true
		}
	}
	return n, found
}
