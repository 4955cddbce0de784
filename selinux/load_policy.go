package selinux

import (
	"context"
	"fmt"
)

// LoadPolicy makes the kernel take the policy on disk, where it is newer than the loaded one: Stored and Running
// differ, which somebody's `semanage -N` leaves behind.
func (h Host) LoadPolicy(ctx context.Context) error {
	if h.Offline {
		return fmt.Errorf("load policy: %w", errOffline)
	}
	_, stderr, status, err := h.Change(ctx, "", "load_policy")
	if err != nil {
		return fmt.Errorf("load_policy: %w", err)
	}
	if status != 0 {
		return fmt.Errorf("load_policy: exit status %d: %s", status, lastLines(stderr))
	}
	return nil
}
