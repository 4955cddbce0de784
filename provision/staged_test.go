package provision

import (
	"testing"
	"testing/synctest"

	"golang.org/x/sys/unix"

	"wsprovision/provision/config"
	"wsprovision/provision/engine"
	"wsprovision/provision/host"
	"wsprovision/provision/stepnames"
)

// TestStagedIsClearedAway: a run dies between staging a file and renaming it, and the next run does not want that file
// any more.
func TestStagedIsClearedAway(t *testing.T) {
	chat := host.ConfDir + "/" + "chat" + ".conf"
	for name, next := range map[string]func(h *fakeHost) *engine.Report{
		"the site is not configured any more": func(h *fakeHost) *engine.Report { return h.apply(basic(h.t)) },
		"all is reverted": func(h *fakeHost) *engine.Report {
			return h.run(config.Config{}, revert(false))
		},
		"all is reverted, with packages": func(h *fakeHost) *engine.Report {
			return h.run(config.Config{}, revert(true))
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := provisioned(t)
				dead := false
				h.hook = func(point string) error {
					if dead = dead || point == "after stage "+chat; dead {
						return errKilled
					}
					return nil
				}
				h.apply(parse(t, oneSite+secondSite))
				h.hook = nil
				if !h.exists(host.Staging(chat)) || h.exists(chat) {
					t.Fatal("the run did not die between staging and renaming")
				}
				r := next(h)
				if r.Result != engine.Changed || h.exists(host.Staging(chat)) {
					t.Errorf("%s, the staged file is there: %v\n%s", r.Result, h.exists(host.Staging(chat)),
						summarize(r))
				}
				if r := next(h); r.Result != engine.Unchanged {
					t.Errorf("once more: %s\n%s", r.Result, summarize(r))
				}
			})
		})
	}
}

// TestStagedOwesNoReload: nginx never read the file.
func TestStagedOwesNoReload(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := provisioned(t)
		h.write(host.Staging(host.ConfDir+"/"+"websocket"+".conf"), "half a")
		if r := h.apply(basic(t)); r.Result != engine.Changed || h.reloads > 0 ||
			h.exists(host.Staging(host.ConfDir+"/"+"websocket"+".conf")) {
			t.Errorf("%s, %d reloads; want the staged file removed and nothing else\n%s", r.Result, h.reloads,
				summarize(r))
		}
		h.unchanged(basic(t))
	})
}

// TestSomethingElseWhereAFileIsStaged: what is no directory is taken away and never followed.
func TestSomethingElseWhereAFileIsStaged(t *testing.T) {
	stage := host.Staging(site)
	for name, put := range map[string]func(h *fakeHost){
		"a symbolic link":            func(h *fakeHost) { h.link("precious", stage) },
		"a symbolic link to nothing": func(h *fakeHost) { h.link("/root/nothing", stage) },
		"a FIFO":                     func(h *fakeHost) { h.must(unix.Mkfifo(h.path(stage), 0o600)) },
	} {
		for _, c := range []config.Config{basic(t), moved(t)} {
			bubble(t, name+" at "+c.Sites[0].Locations[0].Path, func(t *testing.T) {
				h := provisioned(t)
				h.write(host.ConfDir+"/precious", "precious\n")
				put(h)
				r := h.apply(c)
				if r.Result != engine.Changed || h.exists(stage) ||
					h.content(host.ConfDir+"/precious") != "precious\n" {
					t.Errorf("%s, something is there: %v, the link's target holds %q\n%s", r.Result, h.exists(stage),
						h.content(host.ConfDir+"/precious"), summarize(r))
				}
				h.unchanged(c)
			})
		}
	}
	bubble(t, "a directory", func(t *testing.T) {
		h := provisioned(t)
		h.mkdir(stage + "/x")
		h.fails(moved(t), stepnames.Site, stage, "directory", "remove it")
	})
}
