package rpm

import (
	"context"
	"fmt"
	"strings"

	"wsprovision/rpm/rpmdb"
	"wsprovision/rpm/yumerr"
)

// Reinstall has yum lay down the files of installed packages anew, within limits as Install does. Whether it did,
// Damaged tells.
func (h Host) Reinstall(ctx context.Context, names []string, limits Limits) error {
	for _, name := range names {
		if err := rpmdb.CheckName(name); err != nil {
			return fmt.Errorf("reinstall: %w", err)
		}
	}
	h.tell(limits)
	err := h.patiently(ctx, yumArgv(limits.Args, "reinstall", names),
		func(said yumerr.Output, runErr error) (bool, error) {
			if runErr != nil || said.Status == 0 {
				return true, runErr
			}
			return false, h.explain(yumerr.Classify(said), said, names, rpmdb.Inventory{})
		})
	if err != nil {
		return fmt.Errorf("reinstall %s: %w", strings.Join(names, ", "), err)
	}
	return nil
}
