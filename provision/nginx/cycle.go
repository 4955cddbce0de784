package nginx

import (
	"bufio"
	"bytes"
	"context"
	"net/netip"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"wsprovision/provision/hostfile"
	"wsprovision/provision/nginx/conf"
)

// openFile is a file that a process has open.
type openFile struct {
	descriptor    int
	device, inode uint64
}

// openFiles are the files that a process appends to, as nginx does to its logs (ngx_conf_open_file), but for standard
// ones; none where they cannot be told. Others, which it has inherited or reads, a reload leaves open.
func (ta table) openFiles(pid int) map[openFile]bool {
	all := map[openFile]bool{}
	for number, target := range ta.descriptors(pid) {
		if number <= 2 || !strings.HasPrefix(target, "/") || !ta.appends(pid, number) {
			continue
		}
		var st syscall.Stat_t // of what the link stands for, however it is named now
		if err := syscall.Stat(ta.procPath(pid, "fd/"+strconv.Itoa(number)), &st); err == nil {
			all[openFile{number, st.Dev, st.Ino}] = true
		}
	}
	return all
}

// appends reports whether a descriptor is open for appending (proc(5), fdinfo), true where that cannot be told.
func (ta table) appends(pid, descriptor int) bool {
	content, err := ta.process(context.Background(), pid, "fdinfo/"+strconv.Itoa(descriptor))
	if err != nil {
		return true
	}
	for line := range strings.Lines(string(content)) {
		if value, ok := strings.CutPrefix(line, "flags:"); ok {
			flags, err := strconv.ParseUint(strings.TrimSpace(value), 8, 64)
			return err != nil || flags&syscall.O_APPEND != 0
		}
	}
	return true
}

// descriptors are what a process has open, by number; none where only root may look.
func (ta table) descriptors(pid int) map[int]string {
	dir, all := ta.procPath(pid, "fd"), map[int]string{}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return all
	}
	for _, e := range entries {
		number, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		if target, err := os.Readlink(path.Join(dir, e.Name())); err == nil {
			all[number] = target
		}
	}
	return all
}

// renewed reports whether a master has read its configuration since it had these files open, true where it had none:
// a reload opens every log anew before it closes the old ones, and closes these only when it has succeeded
// (ngx_init_cycle). A worker that is killed is replaced too, and that closes none: the nginx user can kill workers.
func (n Nginx) renewed(pid int, before map[openFile]bool) bool {
	if len(before) == 0 {
		return true
	}
	now := n.table().openFiles(pid)
	for f := range before {
		if !now[f] {
			return true
		}
	}
	return false
}

// waits reports whether a master waits for signals, and whether that can be told. It blocks those that it handles but
// for while it waits (sigsuspend in ngx_master_process_cycle), so that SIGHUP is blocked from when it is taken until
// the reload has succeeded or failed; before, it is pending.
func (ta table) waits(ctx context.Context, pid int) (waits, told bool) {
	for _, name := range []string{"SigPnd", "ShdPnd", "SigBlk"} {
		mask, err := strconv.ParseUint(ta.status(ctx, pid, name), 16, 64)
		if err != nil {
			return false, false
		}
		if mask&(1<<(syscall.SIGHUP-1)) != 0 {
			return false, true
		}
	}
	return true, true
}

// sockets are where a configuration has nginx listen.
type sockets struct {
	tcp  []netip.AddrPort
	unix []string
}

func socketsOf(t conf.Tree) sockets {
	return sockets{tcp: t.Bindings().Bound(), unix: t.Paths().UnixListeners()}
}

// mostSockets bounds what is read of a table of sockets, in bytes: some hundred thousand of them.
const mostSockets = 64 << 20

// lacks is a socket that the master should hold and does not; "" where it holds all, or only root may look.
func (n Nginx) lacks(ctx context.Context, pid int, wanted sockets) string {
	held := map[string]bool{}
	for _, target := range n.table().descriptors(pid) {
		if inode, ok := strings.CutPrefix(target, "socket:["); ok {
			held[strings.TrimSuffix(inode, "]")] = true
		}
	}
	if len(held) == 0 {
		return ""
	}
	tcp, unix, err := n.table().listening(ctx, pid, held)
	if err != nil {
		return ""
	}
	for _, at := range wanted.tcp {
		if !slices.ContainsFunc(tcp, func(have netip.AddrPort) bool { return takes(have, at) }) {
			return at.String()
		}
	}
	for _, name := range wanted.unix {
		if !slices.Contains(unix, strings.Join(strings.Fields(name), " ")) {
			return "unix:" + name
		}
	}
	return ""
}

// takes reports whether one socket may serve an address: its own, or every one.
func takes(have, at netip.AddrPort) bool {
	return have.Port() == at.Port() && (have.Addr().IsUnspecified() || have.Addr().Unmap() == at.Addr().Unmap())
}

// listening are the listening sockets, out of those that are held, in the process's own network namespace (proc(5)).
func (ta table) listening(ctx context.Context, pid int, held map[string]bool) ([]netip.AddrPort, []string, error) {
	var tcp []netip.AddrPort
	for _, name := range []string{"net/tcp", "net/tcp6"} {
		table, err := hostfile.Read(ctx, ta.procPath(pid, name), mostSockets)
		if err != nil && name == "net/tcp" { // ipv6.disable=1 has no tcp6
			return nil, nil, err
		}
		for fields := range rows(table) {
			if len(fields) > 9 && fields[3] == "0A" && held[fields[9]] {
				if at, err := hostfile.SocketAddress(fields[1]); err == nil {
					tcp = append(tcp, at)
				}
			}
		}
	}
	table, err := hostfile.Read(ctx, ta.procPath(pid, "net/unix"), mostSockets)
	var unix []string
	for fields := range rows(table) {
		if len(fields) > 7 && fields[3] == "00010000" && held[fields[6]] { // __SO_ACCEPTCON
			unix = append(unix, strings.Join(fields[7:], " ")) // the path, which may have blanks
		}
	}
	return tcp, unix, err
}

func rows(table []byte) func(func([]string) bool) {
	return func(yield func([]string) bool) {
		lines := bufio.NewScanner(bytes.NewReader(table))
		for lines.Scan() && yield(strings.Fields(lines.Text())) {
		}
	}
}
