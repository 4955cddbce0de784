//go:build diagnosis

package diagnosis

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A case's processes, mounts, addresses and ports end with the process that is the first of them.
const namespaces = syscall.CLONE_NEWNS | syscall.CLONE_NEWPID | syscall.CLONE_NEWNET | syscall.CLONE_NEWUTS |
	syscall.CLONE_NEWIPC

// memory are the directories that are the case's own. Everything else is the machine's, and read-only.
var memory = []string{"/etc", "/var", "/run", "/usr/local", "/root", "/srv", "/opt", "/home"}

// kept are the files of the machine's /etc that programs need.
var kept = []string{"/etc/ld.so.cache", "/etc/nsswitch.conf", "/etc/services", "/etc/protocols", "/etc/localtime",
	"/etc/nginx/mime.types", "/etc/ssl/openssl.cnf"}

// beInit is the first process of a case: it makes the room, runs the case in it and reaps what nginx leaves.
func beInit() (status int, err error) {
	if os.Getpid() != 1 {
		return 0, fmt.Errorf("not in a process namespace of its own")
	}
	if err := room(); err != nil {
		return 0, err
	}
	if os.Getenv(noIPv6) != "" {
		if err := refuseIPv6(); err != nil {
			return 0, fmt.Errorf("refuse IPv6: %w", err)
		}
	}
	if err := os.Setenv(role, "case"); err != nil {
		return 0, err
	}
	pid, err := syscall.ForkExec("/proc/self/exe", os.Args,
		&syscall.ProcAttr{Env: os.Environ(), Files: []uintptr{0, 1, 2}})
	if err != nil {
		return 0, err
	}
	for {
		var st syscall.WaitStatus
		ended, err := syscall.Wait4(-1, &st, 0, nil)
		if err == syscall.EINTR {
			continue
		}
		if err != nil || ended == pid {
			return st.ExitStatus(), err
		}
	}
}

// room puts file systems in memory over what a case writes to, and makes the rest read-only.
func room() error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("private mounts: %w", err)
	}
	files := map[string][]byte{}
	for _, name := range kept {
		content, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		files[name] = content
	}
	readOnly := unix.MountAttr{Attr_set: unix.MOUNT_ATTR_RDONLY}
	if err := unix.MountSetattr(-1, "/", unix.AT_RECURSIVE, &readOnly); err != nil {
		return fmt.Errorf("everything read-only: %w", err)
	}
	for _, dir := range memory {
		if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "mode=0755,size=16m"); err != nil {
			return fmt.Errorf("tmpfs on %s: %w", dir, err)
		}
	}
	if err := unix.Mount("proc", "/proc", "proc", 0, ""); err != nil {
		return fmt.Errorf("proc: %w", err)
	}
	for name, content := range files {
		if err := put(name, string(content)); err != nil {
			return err
		}
	}
	if err := loopbackUp(); err != nil {
		return fmt.Errorf("loopback: %w", err)
	}
	return harmless()
}

func put(name, content string) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	return os.WriteFile(name, []byte(content), 0o644)
}

func loopbackUp() error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	ifr, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	ifr.SetUint16(unix.IFF_UP | unix.IFF_RUNNING)
	return unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, ifr)
}

// harmless: no program that is started from here can load a module, set the clock, make a device or reboot
// (capabilities(7)). CAP_SYS_ADMIN stays: the agent runs nginx -t in a mount namespace of its own.
func harmless() error {
	for _, c := range []uintptr{unix.CAP_SYS_MODULE, unix.CAP_SYS_RAWIO, unix.CAP_SYS_TIME,
		unix.CAP_SYS_BOOT, unix.CAP_MKNOD} {
		if err := unix.Prctl(unix.PR_CAPBSET_DROP, c, 0, 0, 0); err != nil {
			return fmt.Errorf("drop capability %d: %w", c, err)
		}
	}
	return nil
}

// refuseIPv6 answers socket(AF_INET6, …) with EAFNOSUPPORT, as a kernel does that was booted with ipv6.disable=1.
func refuseIPv6() error {
	const firstArgument = 16 // struct seccomp_data
	return filtered([]unix.SockFilter{
		loaded(0), equals(unix.SYS_SOCKET, 3),
		loaded(firstArgument), equals(unix.AF_INET6, 1),
		returns(unix.SECCOMP_RET_ERRNO | uint32(unix.EAFNOSUPPORT)),
		returns(unix.SECCOMP_RET_ALLOW),
	})
}

// refuseConnect answers connect() with EACCES, as a security module does of which nginx's log says nothing more.
func refuseConnect() error {
	return filtered([]unix.SockFilter{
		loaded(0), equals(unix.SYS_CONNECT, 1),
		returns(unix.SECCOMP_RET_ERRNO | uint32(unix.EACCES)),
		returns(unix.SECCOMP_RET_ALLOW),
	})
}

func loaded(offset uint32) unix.SockFilter {
	return unix.SockFilter{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: offset}
}

func equals(k uint32, skip uint8) unix.SockFilter {
	return unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, Jf: skip, K: k}
}

func returns(k uint32) unix.SockFilter { return unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: k} }

// filtered has the kernel judge the system calls of this process, and of all that it starts, by the filter.
func filtered(filter []unix.SockFilter) error {
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return err
	}
	program := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	_, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_TSYNC,
		uintptr(unsafe.Pointer(&program)))
	if errno != 0 {
		return errno
	}
	return nil
}

// shell runs commands of a row, or a mend.
func shell(commands string) (string, error) {
	cmd := exec.Command("/bin/bash", "-c", commands)
	cmd.Env = []string{"LC_ALL=C", "HOME=/root", "TMPDIR=/run", "PATH=/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin"}
	out, err := cmd.CombinedOutput()
	return strings.TrimSpace(string(out)), err
}
