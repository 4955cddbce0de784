package nginxtest

import (
	"errors"
	"net"
	"os"
	"syscall"
)

// Hostile are what the nginx user may put in the place of its log.
var Hostile = map[string]func(name string) error{
	"fifo":      func(name string) error { return syscall.Mkfifo(name, 0o600) },
	"device":    func(name string) error { return os.Symlink("/dev/zero", name) },
	"link":      func(name string) error { return os.Symlink("/etc/passwd", name) },
	"loop":      func(name string) error { return os.Symlink(name, name) },
	"directory": func(name string) error { return os.Mkdir(name, 0o700) },
	"socket": func(name string) error {
		l, err := net.Listen("unix", name)
		if err == nil {
			l.(*net.UnixListener).SetUnlinkOnClose(false)
			err = l.Close()
		}
		return err
	},
	"8 GiB": func(name string) error { return sparse(name, 8<<30) },
	"1 TiB": func(name string) error { return sparse(name, 1<<40) },
	"rotated to a fifo": func(name string) error {
		return errors.Join(os.WriteFile(name, nil, 0o600), os.Rename(name, name+".1"), os.Truncate(name+".1", 1<<40),
			syscall.Mkfifo(name, 0o600))
	},
}

func sparse(name string, size int64) error {
	return errors.Join(os.WriteFile(name, []byte("2026/11/22 18:00:00 [emerg] "), 0o600), os.Truncate(name, size))
}
