package nginx

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"

	"wsprovision/provision/nginx/conf"
)

// fifo is a log that nginx could not open without waiting: a pipe that nobody reads. A master that waits there hears no
// signal any more, so that a reload would hang it.
func fifo(name string) bool {
	info, err := os.Stat(name)
	if err != nil || info.Mode()&fs.ModeNamedPipe == 0 {
		return false
	}
	fd, err := syscall.Open(name, syscall.O_WRONLY|syscall.O_NONBLOCK|syscall.O_CLOEXEC, 0)
	if err == nil {
		_ = syscall.Close(fd)
	}
	return errors.Is(err, syscall.ENXIO)
}

// CheckLogs is an error where nginx would wait for ever for one of the logs that the tree has it open.
func (n Nginx) CheckLogs(tree conf.Tree) error {
	var all error
	for _, name := range tree.Paths().Logs() {
		if fifo(n.Root + name) {
			all = errors.Join(all, fmt.Errorf("%s is a pipe that nobody reads: nginx would wait for it for ever when "+
				"it starts or reloads; find out who put it there, and remove it (rm %[1]s)", name))
		}
	}
	return all
}
