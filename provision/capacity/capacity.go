package capacity

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path"
	"slices"

	"wsprovision/provision/config"
	"wsprovision/provision/engine"
	"wsprovision/provision/host"
	"wsprovision/provision/managed"
	"wsprovision/provision/proxy"
	"wsprovision/provision/state"
)

// Capacity is the limits around nginx.
type Capacity struct {
	*host.Host
	Config    config.Config
	Ledger    *state.Ledger
	Managed   *managed.Files
	Unit      *proxy.Unit
	Survey    *proxy.Survey
	Sites     *proxy.Sites
	Reverting bool
	// Wanted is what a revert brings back; nil: what the configuration asks for.
	Wanted func() []managed.Want

	denied error // why the nginx that runs keeps its limit
}

// The files of the agent's.
const (
	DropInDir = "/etc/systemd/system/nginx.service.d"
	// DropInPath is read behind the drop-ins that people mostly have, limits.conf and override.conf.
	DropInPath = DropInDir + "/wsprovision.conf"
	// SysctlPath is read behind 99-sysctl.conf, which on RHEL 7 is /etc/sysctl.conf.
	SysctlPath = "/etc/sysctl.d/99-wsprovision.conf"
)

// IsOurs reports whether a file is one of those.
func IsOurs(path string) bool { return path == DropInPath || path == SysctlPath }

const head = "# managed by wsprovision: change its configuration, not this file; see on_drift in wsprovision(8)\n"

func (c *Capacity) asks() bool { return !c.Reverting && c.Config.Connections > 0 }

// Concerned reports whether there is anything to look at: most hosts keep the limits that they have.
func (c *Capacity) Concerned() bool {
	return c.asks() || slices.ContainsFunc(c.Ledger.Entries, func(e state.Entry) bool {
		return e.Kind == state.KindFile && IsOurs(e.Name) || e.Kind == state.KindSysctl
	})
}

// Files are the agent's, as they are to be.
func (c *Capacity) Files(ctx context.Context) ([]managed.File, error) {
	if !c.Concerned() {
		return nil, nil
	}
	var all []managed.Want
	if c.Wanted != nil {
		all = c.Wanted()
	}
	if c.asks() {
		var err error
		if all, err = c.wanted(ctx); err != nil {
			return nil, err
		}
	}
	all, err := c.Managed.AddObsolete(all, IsOurs)
	if err != nil {
		return nil, err
	}
	return c.Managed.ReadAll(all)
}

// wanted are the files that what others have set leaves a need for.
func (c *Capacity) wanted(ctx context.Context) (all []managed.Want, err error) {
	add := func(path, content string) {
		all = append(all, managed.Want{Path: path, Content: []byte(head + content), Mode: 0o644})
	}
	files := c.Config.Connections.OpenFiles()
	switch set, err := c.unitLimit(ctx); {
	case err != nil:
		return nil, err
	case set < uint64(files):
		add(DropInPath, fmt.Sprintf("[Service]\nLimitNOFILE=%d\n", files))
	}
	backlog := c.Config.Connections.Backlog()
	switch set, err := c.persistentBacklog(ctx); {
	case err != nil:
		return nil, err
	case set < backlog:
		add(SysctlPath, fmt.Sprintf("%s = %d\n", somaxconn, backlog))
	}
	return all, nil
}

// Check compares files, kernel and nginx with what is asked for.
func (c *Capacity) Check(ctx context.Context) (engine.Finding, error) {
	var f engine.Finding
	files, err := c.Files(ctx)
	if err != nil {
		return f, err
	}
	if err := c.Managed.Check(&f, files); err != nil {
		return f, err
	}
	if c.asks() {
		if err := c.possible(ctx); err != nil {
			return f, err
		}
		c.say(&f)
	}
	if c.Where.Offline() {
		return f, nil
	}
	if err := c.checkBacklog(&f); err != nil {
		return f, err
	}
	if !c.asks() {
		c.sayKept(ctx, &f)
		return f, nil
	}
	return f, c.checkNginx(ctx, &f)
}

// Apply writes the files, has systemd read its own, and raises what runs.
func (c *Capacity) Apply(ctx context.Context) error {
	files, err := c.Files(ctx)
	if err != nil {
		return err
	}
	if err := c.Managed.Check(&engine.Finding{}, files); err != nil { // somebody's, since the survey
		return err
	}
	dropIn := false
	for _, s := range files {
		if !s.Differs() {
			continue
		}
		dropIn = dropIn || s.Path == DropInPath
		if err := c.put(s); err != nil {
			return err
		}
	}
	if c.Where.Offline() {
		return nil
	}
	if err := c.applyBacklog(); err != nil {
		return err
	}
	return c.applyNginx(ctx, dropIn)
}

// put writes a file, and its directory where that is missing, or removes the file, and the directory that was made for
// it.
func (c *Capacity) put(s managed.File) error {
	if s.Content != nil {
		if err := c.Host.Files.MakeDir(path.Dir(s.Path), 0o755); err != nil {
			return err
		}
		return c.Managed.Put(s)
	}
	if err := c.Managed.Put(s); err != nil {
		return err
	}
	left, err := os.ReadDir(c.Root + DropInDir)
	if s.Path != DropInPath || err != nil || len(left) > 0 {
		return nil
	}
	return c.Host.Files.RemoveDir(DropInDir)
}

// Present is a value of the kernel that runs, in the ledger's words.
func (c *Capacity) Present(e state.Entry) string {
	return cmp.Or(kernelValue(c.Host, e.Name), e.Before)
}
