package systemd

import (
	"context"
	"fmt"
	"strings"

	"wsprovision/provision/running"
)

// Offline has the same contract where no systemd of ours runs: enablement is done now, in files; what needs a running
// systemd is ErrDeferred. It holds no connection and opens none.
type Offline struct {
	Root   string      // prefix of every path; "" is the system itself
	Change running.Run // for systemctl enable and disable
}

// State tells Load and File by the files, and nothing of what runs.
func (o *Offline) State(_ context.Context, unit string) (State, error) {
	if err := checkName(unit); err != nil {
		return State{}, err
	}
	return unitFile(o.Root, unit)
}

// Enable runs systemctl and reads back, because systemctl 219 exits 0 for a masked unit.
func (o *Offline) Enable(ctx context.Context, unit string) error {
	if err := o.usable(ctx, "enable", unit); err != nil {
		return err
	}
	if err := o.systemctl(ctx, "enable", unit); err != nil {
		return err
	}
	st, err := o.State(ctx, unit)
	if err != nil {
		return err
	}
	return isEnabled(unit, st.File)
}

// Disable runs systemctl and reads back.
func (o *Offline) Disable(ctx context.Context, unit string) error {
	if err := checkName(unit); err != nil {
		return err
	}
	if err := o.systemctl(ctx, "disable", unit); err != nil {
		return err
	}
	st, err := o.State(ctx, unit)
	if err != nil {
		return err
	}
	return isDisabled(unit, st.File)
}

// Start is left to the first boot.
func (o *Offline) Start(_ context.Context, unit string) error {
	return fmt.Errorf("start %s: %w", unit, ErrDeferred)
}

// Reload is left to the first boot.
func (o *Offline) Reload(_ context.Context, unit string) error {
	return fmt.Errorf("reload %s: %w", unit, ErrDeferred)
}

// DaemonReload has nobody to ask.
func (o *Offline) DaemonReload(context.Context) error { return nil }

// ResetFailed has no list to take the unit off.
func (o *Offline) ResetFailed(context.Context, string) error { return nil }

// Close has nothing to close.
func (o *Offline) Close() error { return nil }

// usable finds beforehand what systemctl would get wrong.
func (o *Offline) usable(ctx context.Context, verb, unit string) error {
	st, err := o.State(ctx, unit)
	switch {
	case err != nil:
		return err
	case st.Load == "not-found":
		return fmt.Errorf("%s %s: there is no such unit file", verb, unit)
	case st.Load == "masked":
		return fmt.Errorf("%s %s: %s", verb, unit, maskedSentence(unit, st.File))
	}
	return nil
}

// systemctl works on files only. --root makes it so in 208 and 219 alike, before it opens any bus (avoid_bus in
// systemctl.c), also with root "/". Without the option it decides by /proc/1/root, takes a chroot without /proc for
// a live host, and finds the installer's bus in a bound /run.
func (o *Offline) systemctl(ctx context.Context, verb, unit string) error {
	root := o.Root
	if root == "" {
		root = "/"
	}
	_, stderr, status, err := o.Change(ctx, "", "systemctl", "--root="+root, verb, unit)
	if err != nil {
		return fmt.Errorf("%s %s: systemctl: %w", verb, unit, err)
	}
	if status != 0 {
		return fmt.Errorf("%s %s: systemctl: exit status %d: %s", verb, unit, status, lastLine(stderr))
	}
	return nil
}

func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.TrimSpace(lines[len(lines)-1])
}
