package capacity

import (
	"context"
	"fmt"
	"strconv"

	"wsprovision/provision/engine"
	"wsprovision/provision/host"
	"wsprovision/provision/site"
)

// possible refuses what the kernel, or a directive of somebody else's, stands against.
func (c *Capacity) possible(ctx context.Context) error {
	need := c.Config.Connections.OpenFiles()
	if most := kernelNumber(c.Host, "fs.nr_open"); most > 0 && most < need && !c.Where.Offline() {
		return fmt.Errorf("connections: %d needs %d open files in one process, and fs.nr_open is %d: raise it "+
			"(sysctl.d(5)), or ask for at most %d", c.Config.Connections, need, most, site.CapacityOf(most))
	}
	tree, _ := c.Survey.Tree(nil) // what cannot be read is the validation's to say
	for _, d := range tree.Directives() {
		if d.Name != "worker_rlimit_nofile" || len(d.Args) != 1 {
			continue
		}
		if n, err := strconv.Atoi(d.Args[0]); err == nil && n < need {
			return fmt.Errorf("connections: %d needs %d open files, and worker_rlimit_nofile %d in %s:%d would have "+
				"nginx's workers lower theirs: raise it there, or take it out", c.Config.Connections, need, n, d.File,
				d.Line)
		}
	}
	return nil
}

// say warns of what is not nginx's, and may be too small.
func (c *Capacity) say(f *engine.Finding) {
	n := int(c.Config.Connections)
	f.Notes = append(f.Notes, fmt.Sprintf("%d WebSockets, all of which one worker may get: worker_connections %d, "+
		"%d open files, a backlog of %d", n, c.Config.Connections.WorkerConnections(), c.Config.Connections.OpenFiles(),
		c.Config.Connections.Backlog()))
	ports := host.EphemeralPorts(c.Host)
	for _, s := range c.Config.Sites {
		for _, l := range s.Locations {
			if from, err := c.Config.Connections.Sources(l, ports); err == nil && from > 1 {
				f.Notes = append(f.Notes, fmt.Sprintf("nginx connects to %s from 127.0.0.1 to 127.0.0.%d, each with "+
					"%d ports: a backend that trusts 127.0.0.1 has to trust them all", l.BackendText(), from,
					ports.Usable()))
			}
		}
	}
	f.Warnings = append(f.Warnings, c.Sites.NarrowBacklogs()...)
	if c.Where.Offline() {
		return
	}
	for _, k := range []struct {
		name string
		need int
	}{{"net.netfilter.nf_conntrack_max", 2 * n}, {"fs.file-max", 3 * n}} {
		name, need := k.name, k.need
		if have := kernelNumber(c.Host, name); have > 0 && have < need {
			f.Warnings = append(f.Warnings, fmt.Sprintf("%s is %d, and %d WebSockets may take %d: sysctl -w "+
				"%[1]s=%[4]d, and the same in a file of /etc/sysctl.d", name, have, n, need))
		}
	}
}
