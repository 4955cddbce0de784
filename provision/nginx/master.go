package nginx

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"

	"wsprovision/provision/hostfile"
	"wsprovision/provision/nginx/conf"
)

// ErrNotRunning: there is no pid file, or no nginx master behind it.
var ErrNotRunning = errors.New("nginx is not running")

// Master is a running nginx. A pid may be used again; pid and start together are not, within one boot.
type Master struct {
	PID     int
	Start   uint64 // clock ticks (100 a second on Linux) since boot, proc(5) field 22
	Workers []Worker
}

const masterTitle = "nginx: master process"

// Master looks at the running nginx that reads the configuration of n. With pid 0 it asks that configuration for the
// pid file, even where it is broken. ErrNotRunning is for errors.Is; *OtherError, which is one, tells of a master that
// is another nginx's.
func (n Nginx) Master(ctx context.Context, pid int) (Master, error) {
	told := pid != 0
	if !told {
		var err error
		if pid, err = n.pid(ctx); err != nil {
			return Master{}, err
		}
	}
	title, err := n.table().title(ctx, pid)
	if err != nil {
		return Master{}, err
	}
	if !strings.HasPrefix(title, masterTitle) {
		return Master{}, fmt.Errorf("%w: process %d is %q", ErrNotRunning, pid, title)
	}
	self, err := n.table().stat(ctx, pid)
	if err != nil {
		return Master{}, err
	}
	if other := n.other(ctx, pid, title); other.Why != "" && !(told && other.onlyUser) {
		return Master{}, &OtherError{other}
	}
	m := Master{PID: pid, Start: self.start}
	m.Workers, err = n.workers(ctx, pid)
	return m, err
}

// pid is what the pid file holds. Only root writes EPEL's; another one may lie where the nginx user can.
func (n Nginx) pid(ctx context.Context) (int, error) {
	tree, _ := conf.Load(n.Root, n.conf(), nil) // pid stands near the top; a broken rest is no reason not to find it
	name := tree.Paths().PidFile()
	content, err := hostfile.Head(ctx, n.Root+name, 64)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, fmt.Errorf("%w: no %s", ErrNotRunning, name)
	}
	if err != nil {
		return 0, fmt.Errorf("pid of nginx: %w", err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(content)))
	if err != nil || pid <= 0 {
		return 0, fmt.Errorf("%w: %s holds %.20q", ErrNotRunning, name, content)
	}
	return pid, nil
}
