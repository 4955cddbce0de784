package backend

import (
	"context"
	"fmt"
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
	all := facts.Backends(e)
	if len(all) != 1 {
		return ""
	}
	name, ok := strings.CutPrefix(all[0], "unix:")
	if !ok {
		return ""
	}
	return strings.TrimSuffix(name, ":")
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

// BackendSocketIsClosed: file modes, and not SELinux, keep nginx from the backend's socket.
func BackendSocketIsClosed(_ context.Context, e *facts.Evidence) *cause.Diagnosis {
	number, _, line := facts.FailedCall(e)
	socket := socketFile(e)
	id, known := workerIdentity(e)
	if number != int(syscall.EACCES) || socket == "" || !known {
		return nil
	}
	closed := closedTo(e.Root, socket, id)
	if closed == "" {
		return nil
	}
	what, mend := "write to it", cause.Say("let nginx's user write to ").Name(closed).
		Say(": have the backend create it so (such as systemd's SocketMode=0666, or SocketGroup=nginx)")
	if closed != socket {
		what, mend = "enter "+closed,
			cause.Say("let nginx's user enter ").Name(closed).Say(" (chmod o+x), or put the socket "+
				"elsewhere, such as into a directory of its own below /run")
	}
	info, err := os.Stat(e.Root + closed)
	mode := ""
	if err == nil {
		mode = fmt.Sprintf("%s: %s", closed, info.Mode())
	}
	return cause.New(cause.BackendSocketDenied,
		fmt.Sprintf("the backend's socket %s: nginx's user (uid %d) may not %s (13), by its "+
			"mode", socket, id.uid, what), mend, line, mode)
}

// socketIsNotThere: the socket's file is not there (2), or nobody listens on it (111).
func socketIsNotThere(e *facts.Evidence) *cause.Diagnosis {
	number, _, line := facts.FailedCall(e)
	socket := socketFile(e)
	switch {
	case socket == "":
	case number == int(syscall.ENOENT):
		evidence := []string{line}
		if strings.HasPrefix(socket, "/tmp/") || strings.HasPrefix(socket, "/var/tmp/") {
			if _, err := os.Stat(e.Root + socket); err == nil {
				return privateTmp(socket, line)
			}
		}
		return cause.New(cause.BackendNotRunning, fmt.Sprintf("the backend's socket %s is not there (2)", socket),
			cause.Say("start the backend (systemctl start its unit), so that it creates ").Name(socket), evidence...)
	case number == int(syscall.ECONNREFUSED):
		return cause.New(cause.BackendNotRunning, fmt.Sprintf("nobody listens on the backend's socket %s (111)",
			socket),
			cause.Say("start the backend (systemctl start its unit), so that it listens on ").Name(socket), line)
	}
	return nil
}

// privateTmp: EPEL's nginx.service has PrivateTmp=true, so that nginx sees a /tmp of its own (systemd.exec(5)).
func privateTmp(socket, line string) *cause.Diagnosis {
	return cause.New(cause.BackendSocketDenied,
		fmt.Sprintf("the backend's socket %s is there, and nginx does not see it: %s has "+
			"PrivateTmp=, and a /tmp of its own", socket, host.NginxUnit),
		cause.Say("put the socket elsewhere, such as into a directory of its own below /run, and pass to it"), line)
}
