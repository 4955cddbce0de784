package backend

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"

	"wsprovision/provision/diagnose/cause"
	"wsprovision/provision/diagnose/facts"
	"wsprovision/provision/host"
)

// hiddenSocket: the backend listens on the socket, and nginx does not see it there, because one of the two has a file
// system of its own at that place. A unit's PrivateTmp= gives it its own /tmp and /var/tmp (systemd.exec(5)), which
// EPEL's nginx.service has.
func hiddenSocket(ctx context.Context, e *facts.Evidence, socket, line string) *cause.Diagnosis {
	if e.Master.PID == 0 || isThere(fmt.Sprintf("%s/proc/%d/root%s", e.Root, e.Master.PID, socket)) {
		return nil
	}
	evidence := []string{line}
	who := host.NginxUnit
	if !isThere(e.Root + socket) {
		holder := listenerOf(ctx, e, socket)
		switch {
		case holder == 0:
			return nil
		case mountsOf(e, strconv.Itoa(holder)) == mountsOf(e, "self"):
			return removedSocket(socket, line, holder)
		}
		who = fmt.Sprintf("the backend (process %d)", holder)
		evidence = append(evidence, fmt.Sprintf("process %d listens on %s, in mounts of its own", holder, socket))
	}
	what := "a file system of its own there"
	if strings.HasPrefix(socket, "/tmp/") || strings.HasPrefix(socket, "/var/tmp/") {
		what = "PrivateTmp=, and a /tmp and /var/tmp of its own"
	}
	return cause.New(cause.BackendSocketDenied,
		fmt.Sprintf("the backend's socket %s is there, and nginx does not see it: %s has %s", socket, who, what),
		elsewhere(e), evidence...)
}

// elsewhere is where nginx and the backend see the same.
func elsewhere(e *facts.Evidence) cause.Mend {
	mend := cause.Say("put the socket elsewhere, such as into a directory of its own below /run, and pass to it")
	p := facts.Passed(e)
	if p == nil || facts.Ours(e, p.Directive.File) {
		return mend.Say(" (key backend of the site)")
	}
	return mend.Say(" in ").Line(p.Directive.File, p.Directive.Line).Say(facts.ThenReload)
}

// removedSocket: the backend still listens, and nobody can reach it.
func removedSocket(socket, line string, holder int) *cause.Diagnosis {
	return cause.New(cause.BackendNotRunning, fmt.Sprintf("the backend's socket %s was removed (2), and process %d "+
		"still listens on it, where nobody reaches it", socket, holder),
		cause.Say("restart the backend (systemctl restart its unit), so that it creates ").Name(socket).
			Say(" anew; what removes files there, such as systemd-tmpfiles in /tmp, will do so again"), line)
}

// mountsOf names the mounts that a process sees (mount_namespaces(7)).
func mountsOf(e *facts.Evidence, pid string) string {
	name, _ := os.Readlink(e.Root + "/proc/" + pid + "/ns/mnt")
	return name
}

func isThere(name string) bool {
	_, err := os.Lstat(name)
	return !errors.Is(err, fs.ErrNotExist)
}

// listenerOf is the process that listens on a socket of that path; 0 where none does. The path is that of the
// process's own root (unix(7), /proc/net/unix).
func listenerOf(ctx context.Context, e *facts.Evidence, socket string) int {
	owners := host.OwnersOf(ctx, e.Host)
	for _, line := range host.ReadProc(e.Host, "/proc/net/unix") {
		f := strings.Fields(line) // Num RefCount Protocol Flags Type St Inode Path
		if len(f) != 8 || f[7] != socket || f[3] != acceptsConnections {
			continue
		}
		if pids := owners["socket:["+f[6]+"]"]; len(pids) > 0 {
			return pids[0]
		}
	}
	return 0
}

// acceptsConnections is __SO_ACCEPTCON of the kernel's net/unix/af_unix.c.
const acceptsConnections = "00010000"
