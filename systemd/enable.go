package systemd

import (
	"context"
	"errors"
	"fmt"

	"wsprovision/provision/plaintext"
)

// Enable makes the links under /etc/systemd/system and has systemd read its files again, which EnableUnitFiles
// alone does not do (systemctl(1) does both).
func (l *Live) Enable(ctx context.Context, unit string) error {
	file, err := l.enablement(ctx, "enable", unit, func(ctx context.Context, w *wire) error {
		_, _, err := w.conn.EnableUnitFilesContext(ctx, []string{unit}, false, false)
		return err
	})
	if err != nil {
		return err
	}
	return isEnabled(unit, file)
}

// Disable removes the links under /etc/systemd/system. A static unit has none and stays static.
func (l *Live) Disable(ctx context.Context, unit string) error {
	file, err := l.enablement(ctx, "disable", unit, func(ctx context.Context, w *wire) error {
		_, err := w.conn.DisableUnitFilesContext(ctx, []string{unit}, false)
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
	return l.change(ctx, "reset-failed", unit, func(ctx context.Context, w *wire) error {
		return w.conn.ResetFailedUnitContext(ctx, unit)
	})
}

// change makes one call that changes something, over the way in use and no other.
func (l *Live) change(ctx context.Context, verb, unit string, call func(context.Context, *wire) error) error {
	w, err := l.reached()
	if err != nil {
		return l.sentence(verb, unit, err)
	}
	return l.mutate("systemd: "+verb+" "+unit, func() error {
		bounded, cancel := context.WithTimeout(ctx, l.CallWait)
		defer cancel()
		err := call(bounded, w)
		if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
			return fmt.Errorf("%s %s: systemd gave %w in %s", verb, unit, ErrNoAnswer, seconds(l.CallWait))
		}
		return l.sentence(verb, unit, err)
	})
}

// enablement changes links, reloads the manager and gives the state then.
func (l *Live) enablement(
	ctx context.Context, verb, unit string, change func(context.Context, *wire) error,
) (string, error) {
	if err := checkName(unit); err != nil {
		return "", err
	}
	if err := l.change(ctx, verb, unit, change); err != nil {
		return "", err
	}
	if err := l.DaemonReload(ctx); err != nil {
		return "", fmt.Errorf("%s %s: %w", verb, unit, err)
	}
	return l.file(ctx, unit)
}

// DaemonReload returns when systemd has read all its files again: the reply is sent at the end.
func (l *Live) DaemonReload(ctx context.Context) error {
	w, err := l.reached()
	if err != nil {
		return fmt.Errorf("have systemd read its unit files: %w", err)
	}
	return l.mutate("systemd: daemon-reload", func() error {
		bounded, cancel := context.WithTimeout(ctx, l.CallWait)
		defer cancel()
		err := w.conn.ReloadContext(bounded)
		switch {
		case errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil:
			return fmt.Errorf("have systemd read its unit files: %w in %s", ErrNoAnswer,
				plaintext.Duration(l.CallWait))
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
