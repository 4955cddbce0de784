package capacity

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"wsprovision/provision/engine"
	"wsprovision/provision/host"
	"wsprovision/provision/hostfile"
	"wsprovision/provision/proxy"
	"wsprovision/provision/state"
	"wsprovision/selinux"
)

// running is the process of nginx.service, 0 where none runs.
func (c *Capacity) running(ctx context.Context) (pid int, err error) {
	s, err := c.Unit.State(ctx)
	if err != nil || !s.Running() {
		return 0, err
	}
	m, _ := c.Nginx.Master(ctx, s.State.MainPID) // what is wrong with it the service step says
	return m.PID, nil
}

// checkNginx compares what systemd knows, and what runs, with what is asked for.
func (c *Capacity) checkNginx(ctx context.Context, f *engine.Finding) error {
	s, err := c.Unit.State(ctx)
	if err != nil {
		return err
	}
	need := uint64(c.Config.Connections.OpenFiles())
	if c.unread(s) {
		f.Changes = append(f.Changes, engine.Change{Object: host.NginxUnit + " (as systemd has read it)",
			From: fmt.Sprintf("LimitNOFILE=%d", s.State.OpenFiles), To: fmt.Sprintf("LimitNOFILE=%d", need)})
	}
	pid, err := c.running(ctx)
	if err != nil || pid == 0 {
		return err
	}
	switch now, known := host.OpenFiles(ctx, c.Host, pid); {
	case !known:
	case now < need && c.denial(ctx, pid) != nil:
		f.Warnings = append(f.Warnings, fmt.Sprintf("the nginx that runs keeps its limit of %d open files (%v): the "+
			"next restart of nginx.service brings %d, and ends open connections; until then a worker holds about %d "+
			"WebSockets", now, c.denial(ctx, pid), need, now/2))
	case now < need:
		f.Changes = append(f.Changes, engine.Change{Object: "open files of the nginx that runs", From: fmt.Sprint(now),
			To: fmt.Sprint(need)})
	case c.workersShort(ctx, pid, need) && !s.Owed:
		f.Changes = append(f.Changes, engine.Change{Object: "open files of nginx's workers", From: "fewer",
			To: fmt.Sprintf("%d, by a reload", need)})
	}
	return nil
}

// unread: systemd knows another limit than the files have. A start has it read them anyway.
func (c *Capacity) unread(s proxy.ServiceState) bool {
	known := s.State.OpenFiles
	return s.Running() && known > 0 && (known < uint64(c.Config.Connections.OpenFiles()) || s.State.NeedDaemonReload)
}

// workersShort: they were forked before the limit was raised.
func (c *Capacity) workersShort(ctx context.Context, pid int, need uint64) bool {
	m, err := c.Nginx.Master(ctx, pid)
	if err != nil {
		return false
	}
	for _, w := range m.Workers {
		if now, known := host.OpenFiles(ctx, c.Host, w.PID); known && now < need && !w.ShuttingDown {
			return true
		}
	}
	return false
}

// capSysResource is what raising another process's hard limit takes (prlimit(2)).
const capSysResource = 24

// denial is why the limit of the process cannot be raised, nil where it can or nobody knows: this process has not the
// capability, or SELinux does not let it (process setrlimit, security_task_setrlimit).
func (c *Capacity) denial(ctx context.Context, pid int) error {
	if c.denied != nil || c.Euid != 0 { // who only plans says nothing of what root may
		return c.denied
	}
	for _, line := range host.ReadProc(c.Host, "/proc/self/status") {
		mask, found := strings.CutPrefix(line, "CapEff:")
		bits, err := strconv.ParseUint(strings.TrimSpace(mask), 16, 64)
		if found && err == nil && bits>>capSysResource&1 == 0 {
			return errors.New("this process has no CAP_SYS_RESOURCE")
		}
	}
	if status, err := c.SELinux.Status(); err != nil || status.Mode != selinux.Enforcing {
		return nil
	}
	own, _ := hostfile.Read(ctx, c.Root+"/proc/self/attr/current", 4096)
	its, _ := hostfile.Read(ctx, fmt.Sprintf("%s/proc/%d/attr/current", c.Root, pid), 4096)
	may, err := c.SELinux.Kernel().Allowed(context0(own), context0(its), "process", "setrlimit")
	if err == nil && !may {
		return fmt.Errorf("SELinux does not let %s set a limit of %s", context0(own), context0(its))
	}
	return nil
}

// context0 is a context as the kernel writes it, without the byte at its end.
func context0(text []byte) string { return strings.TrimRight(string(text), "\x00\n") }

func (c *Capacity) applyNginx(ctx context.Context, dropIn bool) error {
	s, err := c.Unit.State(ctx)
	if err != nil {
		return err
	}
	need := uint64(c.Config.Connections.OpenFiles())
	if dropIn || c.asks() && c.unread(s) {
		units, err := host.Systemd(ctx, c.Host)
		if err != nil {
			return err
		}
		if err := units.DaemonReload(ctx); err != nil {
			return err
		}
	}
	pid, err := c.running(ctx)
	if err != nil || pid == 0 || !c.asks() {
		return err
	}
	now, known := host.OpenFiles(ctx, c.Host, pid)
	if known && now < need && c.denial(ctx, pid) == nil {
		if err := c.raise(pid, need); err != nil || c.denied != nil {
			return err
		}
	}
	if known && c.denied == nil && c.workersShort(ctx, pid, need) {
		return c.Unit.OweReload(ctx)
	}
	return nil
}

// raise raises the limit of the master. The drop-in's entry in the ledger announces it; a process has no way back, and
// needs none. Where it is denied after all, the next restart brings it.
func (c *Capacity) raise(pid int, need uint64) error {
	err := host.SetOpenFiles(c.Host, pid, need)
	if errors.Is(err, unix.EPERM) || errors.Is(err, unix.EACCES) {
		c.denied = fmt.Errorf("prlimit: %w", err)
		return nil
	}
	return err
}

// sayKept says what is not lowered when the drop-in goes.
func (c *Capacity) sayKept(ctx context.Context, f *engine.Finding) {
	_, ours := c.Ledger.Find(state.KindFile, DropInPath)
	pid, err := c.running(ctx)
	if now, known := host.OpenFiles(ctx, c.Host, pid); ours && err == nil && known {
		f.Notes = append(f.Notes, fmt.Sprintf("the nginx that runs keeps its limit of %d open files until its next "+
			"restart: nothing lowers it under open connections", now))
	}
}
