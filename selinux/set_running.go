package selinux

import (
	"context"
	"fmt"
)

// SetRunning sets a boolean in the loaded policy alone (setsebool(8) without -P); the store is not touched, and so no
// policy is rebuilt. Read it back: setsebool's exit status is 255 for every failure.
func (h Host) SetRunning(ctx context.Context, name string, on bool) error {
	if err := SetBoolean(name, on).check(); err != nil {
		return fmt.Errorf("setsebool: %w", err)
	}
	value := string(setting(on))
	_, stderr, status, err := h.Change(ctx, "", "setsebool", name, value)
	if err != nil {
		return fmt.Errorf("setsebool %s %s: %w", name, value, err)
	}
	if status != 0 {
		return fmt.Errorf("setsebool %s %s: exit status %d: %s", name, value, status, lastLines(stderr))
	}
	return nil
}
