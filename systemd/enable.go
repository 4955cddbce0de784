package systemd

import (
	"context"
	"errors"
	"fmt"
)

// Enable makes the links under /etc/systemd/system and has systemd read its files again, which EnableUnitFiles
// alone does not do (systemctl(1) does both).
func (l *Live) Enable(ctx context.Context, unit string) error {
	file, err := l.enablement(ctx, "enable", unit, func(ctx context.Context) error {
		_, _, err := l.conn.EnableUnitFilesContext(ctx, []string{unit}, false, false)
		return err
	})
	if err != nil {
		return err
	}
	return isEnabled(unit, file)
}

// Disable removes the links under /etc/systemd/system. A static unit has none and stays static.
func (l *Live) Disable(ctx context.Context, unit string) error {
	file, err := l.enablement(ctx, "disable", unit, func(ctx context.Context) error {
		_, err := l.conn.DisableUnitFilesContext(ctx, []string{unit}, false)
		return err
	})
	if err != nil {
		return err
	}
	return isDisabled(unit, file)
}

// ResetFailed is ResetFailedUnit, which systemd 208 has. A unit that is not in memory is none that failed.
func (l *Live) ResetFailed(ctx context.Context, unit string) error {
	if err := checkName(unit); err != nil {
		return err
	}
	return l.mutate("systemd: reset-failed "+unit, func() error {
		ctx, cancel := context.WithTimeout(ctx, l.CallWait)
		defer cancel()
		return l.sentence("reset-failed", unit, l.conn.ResetFailedUnitContext(ctx, unit))
	})
}

// enablement changes links, reloads the manager and gives the state then.
func (l *Live) enablement(ctx context.Context, verb, unit string, change func(context.Context) error) (string, error) {
	if err := checkName(unit); err != nil {
		return "", err
	}
	err := l.mutate("systemd: "+verb+" "+unit, func() error {
		ctx, cancel := context.WithTimeout(ctx, l.CallWait)
		defer cancel()
		return l.sentence(verb, unit, change(ctx))
	})
	if err != nil {
		return "", err
	}
	if err := l.daemonReload(ctx); err != nil {
		return "", fmt.Errorf("%s %s: %w", verb, unit, err)
	}
	return l.file(ctx, unit)
}

// daemonReload returns when systemd has read all its files again: the reply is sent at the end.
func (l *Live) daemonReload(ctx context.Context) error {
	return l.mutate("systemd: daemon-reload", func() error {
		ctx, cancel := context.WithTimeout(ctx, l.CallWait)
		defer cancel()
		err := l.conn.ReloadContext(ctx)
		switch {
		case errors.Is(err, context.DeadlineExceeded):
			return fmt.Errorf("have systemd read its unit files: no answer in %s", l.CallWait)
		case err != nil:
			return fmt.Errorf("have systemd read its unit files: %w", err)
		}
		return nil
	})
}

func isEnabled(unit, file string) error {
	switch file {
	case "enabled":
		return nil
	case "static", "indirect":
		return fmt.Errorf("enable %s: the unit says nothing of when to start (no WantedBy= in [Install])", unit)
	case "masked", "masked-runtime":
		return fmt.Errorf("enable %s: %s", unit, maskedSentence(unit, file))
	}
	return fmt.Errorf("enable %s: done, but systemd has it as %q, not enabled", unit, file)
}

func isDisabled(unit, file string) error {
	if file == "enabled" || file == "enabled-runtime" {
		return fmt.Errorf("disable %s: done, but systemd still has it as %q", unit, file)
	}
	return nil
}

// Unmask is the command that makes a masked unit usable again. What was masked until the next boot, State.File
// "masked-runtime", stays so without --runtime.
func Unmask(unit, file string) string {
	if file == "masked-runtime" {
		return "systemctl unmask --runtime " + unit
	}
	return "systemctl unmask " + unit
}

func maskedSentence(unit, file string) string {
	return fmt.Sprintf("the unit is masked; %q makes it usable again", Unmask(unit, file))
}
