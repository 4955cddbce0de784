package selinux

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
)

// unbuilt names a file of the policy that semodule(8) has yet to build from the modules of the store: policy.NN, which
// the boot loads, or policy.kern, from which semanage starts where it does not link the modules anew (libsemanage,
// direct_api.c). A tree has neither where selinux-policy's scriptlet did not run. Without root the store is closed, and
// what cannot be looked at counts as built.
func (sy system) unbuilt(store, policy string) string {
	if store == "" {
		return ""
	}
	dir := etc + "/" + policy + "/policy"
	entries, err := sy.list(dir)
	if (err == nil || errors.Is(err, fs.ErrNotExist)) && highestVersion(entries) == "" {
		return dir + "/policy.NN"
	}
	kern := path.Join(store, "policy.kern")
	if _, err := os.Lstat(sy.path(kern)); errors.Is(err, fs.ErrNotExist) {
		return kern
	}
	return ""
}

// Build makes the policy from the modules of the store, with its local records, and loads it nowhere. It is what
// selinux-policy's own scriptlet runs (selinux-policy.spec of RHEL 7.0 to 7.9, postInstall); what it has written is
// looked at afterwards.
func (h Host) Build(ctx context.Context) error {
	c, err := h.system().config()
	if err != nil {
		return err
	}
	if err := h.patiently(ctx, "semodule -B", "", []string{"semodule", "-B", "-n", "-s", c.policy}); err != nil {
		return err
	}
	s, err := h.Status()
	if err != nil {
		return err
	}
	if s.Unbuilt != "" {
		return fmt.Errorf("semodule -B: exit status 0, and there is still no %s", s.Unbuilt)
	}
	_, err = h.policies().storedPolicy()
	return err
}
