package provision

import (
	"strings"
	"testing"

	"wsprovision/provision/engine"
	"wsprovision/provision/packages"
	"wsprovision/provision/stepnames"
)

// A dependency whose script failed is not "everything is there": the step fails and names it, and the next run, to
// which nothing seems to be missing, brings it.
func TestFailedDependency(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		h := newFakeHost(t)
		h.packages.available[nginxFilesystem] = "epel"
		h.packages.yum = func(names []string) (string, string, int, bool) {
			if len(names) == 1 {
				return "", "", 0, false
			}
			for _, name := range names {
				h.install(name)
			}
			return "error: %pre(nginx-filesystem-1:1.20.1-10.el7.noarch) scriptlet failed, exit status 10\n" +
				"Failed:\n  nginx-filesystem.noarch 1:1.20.1-10.el7   \n\nComplete!\n", "", 1, true
		}
		failed := step(t, h.apply(basic(t)), stepnames.Packages)
		if want := "nginx-filesystem-1:1.20.1-10.el7.noarch failed and is not " +
			"installed"; failed.Status != engine.Failed ||
			!strings.Contains(failed.Error, want) {
			t.Errorf("%s %q, want failed and %q", failed.Status, failed.Error, want)
		}
		if !h.installed(packages.Nginx) || h.installed(nginxFilesystem) {
			t.Fatal("the host is not as it was to be")
		}
		mended := step(t, h.apply(basic(t)), stepnames.Packages)
		if mended.Status != engine.Changed || len(mended.Changes) != 1 ||
			mended.Changes[0].Object != "package "+nginxFilesystem {
			t.Errorf("the next run: %s %v, want just nginx-filesystem", mended.Status, mended.Changes)
		}
		h.unchanged(basic(t))
	})
}
