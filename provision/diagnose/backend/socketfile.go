package backend

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strconv"
	"strings"
	"syscall"

	"wsprovision/provision/diagnose/cause"
	"wsprovision/provision/diagnose/facts"
	"wsprovision/provision/host"
)

// socketFile is the path of the socket in the file system that nginx passes to; "" where it passes to none, or to
// others besides.
func socketFile(e *facts.Evidence) string {
	all := socketFiles(e)
	if len(all) != 1 {
		return ""
	}
	return all[0]
}

// socketFiles are the paths of the sockets that nginx passes to; none where it passes to an address besides.
func socketFiles(e *facts.Evidence) (all []string) {
	for _, b := range facts.Backends(e) {
		name, ok := strings.CutPrefix(b, "unix:")
		if !ok {
			return nil
		}
		all = append(all, strings.TrimSuffix(name, ":"))
	}
	return all
}

// connecting: nginx could not connect, with that errno, or has given up on each server of a group.
func connecting(e *facts.Evidence, errno syscall.Errno) (line string, failed bool) {
	number, _, line := facts.FailedCall(e)
	if number != 0 {
		return line, number == int(errno)
	}
	l := facts.Failing(e)
	if l == nil || !noneLive().MatchString(l.Message) {
		return "", false
	}
	return l.Text, true
}

// identity is who nginx's workers run as.
type identity struct {
	uid    uint32
	groups []uint32
}

// worker is the identity of a worker; false where it cannot be read.
func workerIdentity(e *facts.Evidence) (identity, bool) {
	var id identity
	if len(e.Master.Workers) == 0 {
		return id, false
	}
	known := false
	for _, line := range host.ReadProc(e.Host, fmt.Sprintf("/proc/%d/status", e.Master.Workers[0].PID)) {
		key, values, _ := strings.Cut(line, ":")
		var numbers []uint32
		for _, f := range strings.Fields(values) {
			if n, err := strconv.ParseUint(f, 10, 32); err == nil {
				numbers = append(numbers, uint32(n))
			}
		}
		switch {
		case len(numbers) < 2:
		case key == "Uid":
			id.uid, known = numbers[1], true // the effective one
		case key == "Gid":
			id.groups = append(id.groups, numbers[1])
		}
		if key == "Groups" {
			id.groups = append(id.groups, numbers...)
		}
	}
	return id, known
}

// may reports whether the file's mode gives this identity the bits (4 read, 2 write, 1 enter).
func (id identity) may(info os.FileInfo, bits os.FileMode) bool {
	st, ok := info.Sys().(*syscall.Stat_t)
	switch {
	case id.uid == 0 || !ok:
		return true
	case st.Uid == id.uid:
		bits <<= 6
	case id.has(st.Gid):
		bits <<= 3
	}
	return info.Mode().Perm()&bits == bits
}

func (id identity) has(group uint32) bool {
	for _, g := range id.groups {
		if g == group {
			return true
		}
	}
	return false
}

// closedTo is the first directory on the way to a socket that the identity may not enter, or the socket where it may
// not write; "" where the modes let it (unix(7)). Lists of access (acl(5)) are not looked at.
func closedTo(root, socket string, id identity) string {
	for dir := path.Dir(socket); ; dir = path.Dir(dir) {
		if info, err := os.Stat(root + dir); err == nil && !id.may(info, 1) {
			return dir
		}
		if dir == "/" || dir == "." {
			break
		}
	}
	if info, err := os.Stat(root + socket); err == nil && !id.may(info, 2) {
		return socket
	}
	return ""
}

// BackendSocketIsClosed: file modes, and not SELinux, keep nginx from the backend's socket, or from each of a group's.
func BackendSocketIsClosed(_ context.Context, e *facts.Evidence) *cause.Diagnosis {
	line, failed := connecting(e, syscall.EACCES)
	all := socketFiles(e)
	id, known := workerIdentity(e)
	if !failed || len(all) == 0 || !known {
		return nil
	}
	for _, socket := range all {
		if closedTo(e.Root, socket, id) == "" {
			return nil
		}
	}
	socket := all[0]
	closed := closedTo(e.Root, socket, id)
	what, mend := "write to it", cause.Say("let nginx's user write to ").Name(closed).
		Say(": have the backend create it so (such as systemd's SocketMode=0666, or SocketGroup=nginx)")
	if closed != socket {
		what, mend = "enter "+closed,
			cause.Say("let nginx's user enter ").Name(closed).Say(" (chmod o+x), or put the socket elsewhere, such "+
				"as into a directory of its own below /run")
	}
	if l := facts.Failing(e); l != nil && noneLive().MatchString(l.Message) {
		mend = mend.Say("; nginx asks it again after its fail_timeout, or after systemctl reload nginx")
	}
	info, err := os.Stat(e.Root + closed)
	mode := ""
	if err == nil {
		mode = fmt.Sprintf("%s: %s", closed, info.Mode())
	}
	return cause.New(cause.BackendSocketDenied,
		fmt.Sprintf("the backend's socket %s: nginx's user (uid %d) may not %s (13), by its mode", socket, id.uid,
			what), mend, line, mode)
}

// Forbidden tells, of a connection that was refused with 13 and that nobody owns up to, what was looked at.
func Forbidden(ctx context.Context, e *facts.Evidence) (all []string) {
	number, address, _ := facts.FailedCall(e)
	if number != int(syscall.EACCES) {
		return nil
	}
	id, known := workerIdentity(e)
	for _, socket := range socketFiles(e) {
		if known && closedTo(e.Root, socket, id) == "" {
			all = append(all, fmt.Sprintf("the file modes let nginx's user (uid %d) write to %s; lists of access "+
				"(acl(5)) were not looked at", id.uid, socket))
		}
	}
	if facts.PortOf(address) > 0 && !isForbidden(ctx, e, address) {
		all = append(all, fmt.Sprintf("%s takes a connection of this program, so that neither a route nor a "+
			"firewall's "+
			"rule for everybody refuses it", address))
	}
	return append(all, facts.Confinement(e)...)
}

// isForbidden: this program, too, is refused with 13.
func isForbidden(ctx context.Context, e *facts.Evidence, address string) bool {
	return errors.Is(facts.Shake(ctx, e, facts.AsTheClient(e, address)), syscall.EACCES)
}

// socketIsNotThere: the socket's file is not there (2), or nobody listens on it (111).
func socketIsNotThere(ctx context.Context, e *facts.Evidence) *cause.Diagnosis {
	all := socketFiles(e)
	if len(all) == 0 {
		return nil
	}
	line, missing := connecting(e, syscall.ENOENT)
	if missing {
		if d := hiddenSocket(ctx, e, all[0], line); d != nil {
			return d
		}
	}
	if missing && allMissing(e.Root, all) {
		return cause.New(cause.BackendNotRunning, fmt.Sprintf("the backend's socket %s is not there (2)",
			strings.Join(all, " and ")), cause.Say("start the backend (systemctl start its unit), so that it creates ").
			Name(all[0]), line)
	}
	if line, refused := connecting(e, syscall.ECONNREFUSED); refused && len(facts.Refusing(ctx, e)) == len(all) {
		return cause.New(cause.BackendNotRunning, fmt.Sprintf("nobody listens on the backend's socket %s (111)",
			strings.Join(all, " and ")), cause.Say("start the backend (systemctl start its unit), so that it "+
			"listens on ").
			Name(all[0]), line)
	}
	return nil
}

func allMissing(root string, sockets []string) bool {
	for _, s := range sockets {
		if _, err := os.Stat(root + s); !errors.Is(err, fs.ErrNotExist) {
			return false
		}
	}
	return true
}
