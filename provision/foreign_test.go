package provision

import (
	"os"
	"strings"
	"testing"

	"wsprovision/provision/config"
	"wsprovision/provision/engine"
	"wsprovision/provision/host"
	"wsprovision/provision/packages"
	"wsprovision/provision/policy"
	"wsprovision/provision/proxy"
	"wsprovision/provision/state"
	"wsprovision/provision/status"
	"wsprovision/provision/stepnames"
	"wsprovision/selinux/policydb"
)

const theirs = "server {\n    listen 80;\n    server_name theirs.example.com;\n}\n"

// withForeign is a host on which somebody has files wherever the agent would put one.
func withForeign(t testing.TB) (*fakeHost, config.Config, map[string]string) {
	h := withNginx(t)
	h.write(host.NginxConf, "include /usr/share/nginx/modules/*.conf;\n"+confOfEPEL)
	key, fingerprint := armoredKey(t, 1)
	other, _ := armoredKey(t, 2)
	h.write("/root/epel.key", key)
	files := map[string]string{site: theirs, namesPath: "# mine\n", proxy.ShutdownPath: "# mine\n",
		packages.RepositoryPath: "[mine]\nname=mine\nbaseurl=http://mirror.example.com/mine\nenabled=0\n",
		packages.KeyPath:        other}
	for path, content := range files {
		h.write(path, content)
	}
	c := parse(t, strings.Replace(oneSite, "ws.example.com", longName,
		1)+"worker_shutdown_timeout: 8h\nepel:\n  source: mirror\n"+
		"  baseurl: http://mirror.example.com/epel/7\n  gpgkey: /root/epel.key\n  fingerprint: "+fingerprint+"\n")
	return h, c, files
}

// TestHostileForeignFile: what the ledger does not know is somebody else's, whatever on_drift says.
func TestHostileForeignFile(t *testing.T) {
	for _, drift := range []string{config.DriftFail, config.DriftKeep, config.DriftReplace} {
		bubble(t, "refused, every file of ours, on_drift "+drift, func(t *testing.T) {
			h, c, _ := withForeign(t)
			c.OnDrift = drift
			h.fails(c, stepnames.Site, site, namesPath, proxy.ShutdownPath,
				"-    server_name theirs.example.com;",
				"another name", "--adopt")
			h.fails(c, stepnames.Repository, packages.RepositoryPath, packages.KeyPath, "--adopt")
		})
	}
	bubble(t, "taken over, and back again byte for byte", func(t *testing.T) {
		h, c, files := withForeign(t)
		h.adopting = true
		h.must(os.Chmod(h.path(site), 0o640))
		h.must(h.host(Listener{}).SELinux.Contexts().SetFileLabel(site, "system_u:object_r:httpd_sys_content_t:s0"))
		before, stat := h.snapshot(), h.stat(site)
		if r := h.plan(c); r.Result != engine.Planned ||
			!strings.Contains(strings.Join(step(t, r, stepnames.Site).Warnings, "\n"),
				site+" is not the agent's, and is taken over") {
			t.Errorf("plan: %s", summarize(r))
		}
		h.untouched(before)
		r := h.apply(c)
		said := strings.Join(append(step(t, r, stepnames.Site).Warnings, step(t, r, stepnames.Repository).Warnings...),
			"\n")
		for path := range files {
			if r.Result != engine.Changed || !strings.Contains(said, path+" is not the agent's") ||
				h.content(path) == files[path] {
				t.Fatalf("%s: %s", path, summarize(r))
			}
		}
		h.adopting = false
		h.unchanged(c)
		if r := h.run(c, revert(false)); r.Result != engine.Changed {
			t.Errorf("revert: %s", summarize(r))
		}
		for path, content := range files {
			if h.content(path) != content {
				t.Errorf("%s is not back:\n%s", path, h.content(path))
			}
		}
		if got := h.stat(site); got != stat {
			t.Errorf("mode, owner and label of %s are %s, and were %s", site, got, stat)
		}
		h.fails(c, stepnames.Site, site, "--adopt")
	})
	for name, edit := range map[string]func(h *fakeHost){
		"edited":  func(h *fakeHost) { h.write(site, h.content(site)+"# by hand\n") },
		"removed": func(h *fakeHost) { h.must(os.Remove(h.path(site))) },
	} {
		bubble(t, "taken over, and then "+name+": the revert keeps what was there", func(t *testing.T) {
			h := withNginx(t)
			h.adopting = true
			h.write(site, theirs)
			h.must(h.apply(basic(t)).Err())
			edit(h)
			h.hup()
			kept := host.CopyPath(site, 1)
			r := h.run(basic(t), revert(false))
			if w := strings.Join(step(t, r, stepnames.Site).Warnings, "\n"); !strings.Contains(w, "is kept as "+kept) ||
				h.content(kept) != theirs || h.exists(state.LedgerPath) {
				t.Errorf("%q, kept is %v\n%s", w, h.copiesOf(site), summarize(r))
			}
		})
	}
	for name, put := range map[string]func(h *fakeHost) error{
		"a link":      func(h *fakeHost) error { return os.Symlink("../sites/websocket", h.path(site)) },
		"a directory": func(h *fakeHost) error { return os.Mkdir(h.path(site), 0o755) },
	} {
		bubble(t, name+" is never taken over", func(t *testing.T) {
			h := withNginx(t)
			h.must(put(h))
			h.adopting = true
			h.fails(basic(t), stepnames.Site, site+": not a regular file", "give the site another name")
		})
	}
	bubble(t, "for what the run names only", func(t *testing.T) {
		h := withNginx(t)
		h.adopting = true
		h.must(h.apply(basic(t)).Err())
		h.adopting = false
		h.write(host.ConfDir+"/chat.conf", theirs)
		h.fails(parse(t, oneSite+secondSite), stepnames.Site, host.ConfDir+"/chat.conf", "--adopt")
	})
	bubble(t, "put in our place after ours was taken away", func(t *testing.T) {
		h := withTwoSites(t)
		h.must(h.apply(basic(t)).Err())
		h.write(host.ConfDir+"/chat.conf", theirs)
		both := parse(t, oneSite+secondSite+"on_drift: replace\n")
		h.fails(both, stepnames.Site, host.ConfDir+"/chat.conf", "--adopt")
		h.adopting = true
		h.must(h.apply(both).Err())
		if h.run(both, revert(false)); h.content(host.ConfDir+"/chat.conf") != theirs {
			t.Errorf("not back: %q", h.content(host.ConfDir+"/chat.conf"))
		}
	})
	bubble(t, "twice in our place: both are kept", func(t *testing.T) {
		h, second := withNginx(t), host.ConfDir+"/chat.conf"
		h.adopting = true
		h.write(second, theirs)
		h.must(h.apply(parse(t, oneSite+secondSite)).Err())
		h.must(h.apply(basic(t)).Err())
		h.write(second, "# another\n")
		h.must(h.apply(parse(t, oneSite+secondSite)).Err())
		if h.run(basic(t), revert(false)); h.content(second) != "# another\n" || h.copiesOf(second)[1] != theirs {
			t.Errorf("%q is back, and kept is %v", h.content(second), h.copiesOf(second))
		}
	})
	for name, point := range map[string]string{"announced": "before stage " + site, "staged": "before install " +
		site} {
		bubble(t, "a run that took it over was killed, "+name, func(t *testing.T) {
			h := withNginx(t)
			h.write(site, theirs)
			h.adopting = true
			h.at(point, true)
			h.apply(basic(t))
			h.hook, h.adopting = nil, false
			if r := h.plan(basic(t)); r.Result != engine.Failed ||
				!strings.Contains(step(t, r, stepnames.Site).Error, "--adopt") {
				t.Errorf("plan: %s", summarize(r))
			}
			if r := h.apply(basic(t)); r.Result != engine.Failed || h.content(site) != theirs ||
				!strings.Contains(step(t, r,
					stepnames.Site).Error, "--adopt") {
				t.Errorf("without --adopt: %s", summarize(r))
			}
			h.adopting = true
			h.must(h.apply(basic(t)).Err())
			if h.run(basic(t), revert(false)); h.content(site) != theirs {
				t.Errorf("not back: %q", h.content(site))
			}
		})
	}
	bubble(t, "without root nobody can tell", func(t *testing.T) {
		h := provisioned(t)
		h.must(os.Chmod(h.path(host.StateDir), 0o755))
		run := h.newRun(moved(t))
		run.Euid = 1000
		run.Files = &host.Files{Root: h.root, Seam: run.Seam}
		run.blind = true
		run.ledger = state.NewLedger(run.Files)
		run.annals = run.chronicle()
		run.wire(t.Context())
		f, err := run.conf.Check(t.Context())
		if w := strings.Join(f.Warnings, "\n"); err != nil || !strings.Contains(w,
			"cannot tell without root whether "+site) {
			t.Errorf("%v, warnings %q", err, w)
		}
	})
	bubble(t, "a file that nobody asks for is left", func(t *testing.T) {
		h := withNginx(t)
		h.write(namesPath, "# mine\n")
		h.must(h.apply(basic(t)).Err())
		if h.content(namesPath) != "# mine\n" {
			t.Errorf("%s holds %q", namesPath, h.content(namesPath))
		}
	})
}

// stat is what but the content a file has.
func (h *fakeHost) stat(path string) string {
	h.t.Helper()
	f, err := h.host(Listener{}).Files.Read(path)
	h.must(err)
	return f.Mode.String() + " " + f.Words() + " " + f.Label
}

// What is as wanted already is not foreign: a ledger was lost, or an image was made elsewhere.
func TestHostileLostLedger(t *testing.T) {
	for name, c := range map[string]func(testing.TB) (*fakeHost, config.Config){
		"a site":   func(t testing.TB) (*fakeHost, config.Config) { return provisioned(t), basic(t) },
		"a mirror": func(t testing.TB) (*fakeHost, config.Config) { return withMirror(t), mirrored(t) },
	} {
		bubble(t, name, func(t *testing.T) {
			h, c := c(t)
			had := h.ledger()
			h.must(os.Remove(h.path(state.LedgerPath)))
			before := h.snapshot()
			h.plan(c)
			h.untouched(before)
			r := h.apply(c)
			said := strings.Join(append(step(t, r, stepnames.Site).Notes, step(t, r, stepnames.Repository).Notes...),
				"\n")
			for _, e := range had.Entries {
				got, recorded := h.ledger().Find(state.KindFile, e.Name)
				if e.Kind == state.KindFile && (!recorded || got.Left != e.Left || got.Prior != "" ||
					!strings.Contains(said, e.Name+" is as wanted already")) {
					t.Errorf("%s: %+v, recorded: %v, the report says %q", e.Name, got, recorded, said)
				}
			}
			if r.Result != engine.Unchanged {
				t.Errorf("%s", summarize(r))
			}
			h.unchanged(c)
			h.run(c, revert(false))
			for _, path := range []string{site, packages.RepositoryPath, packages.KeyPath} {
				if h.exists(path) {
					t.Errorf("%s is left by the revert", path)
				}
			}
		})
	}
	bubble(t, "another content is not taken in", func(t *testing.T) {
		h := provisioned(t)
		h.must(os.Remove(h.path(state.LedgerPath)))
		h.fails(moved(t), stepnames.Site, site, "--adopt")
	})
	bubble(t, "a run that fails takes nothing in", func(t *testing.T) {
		h := provisioned(t)
		h.must(os.Remove(h.path(state.LedgerPath)))
		h.mask()
		if h.apply(basic(t)); h.exists(state.LedgerPath) {
			t.Error("the host was to be left untouched")
		}
	})
}

// TestHostileForeignAtFirstBoot: what an installation was told to take over, its first boot takes over, and nothing
// else.
func TestHostileForeignAtFirstBoot(t *testing.T) {
	cut := func(t *testing.T) *fakeHost {
		h := theirFileOffline(t)
		h.setLocalPorts(policydb.Port{Proto: "tcp", Low: 3000, High: 3000, Type: "postgresql_port_t"})
		h.rebuild(false)
		h.at("before run semanage", true)
		h.apply(basic(t))
		h.hook = nil
		if !h.exists(state.DeferredPath) || h.content(site) != "# theirs\n" {
			t.Fatalf("deferred: %v, the site holds %q", h.exists(state.DeferredPath), h.content(site))
		}
		h.boot()
		return h
	}
	bubble(t, "the installation was cut off", func(t *testing.T) {
		h := cut(t)
		r, err := h.firstBoot(1)
		if err != nil || r.Result == engine.Failed || h.exists(state.DeferredPath) ||
			h.stored().typeOf(3000) != policy.HTTPPortType {
			t.Fatalf("%v\n%s", err, summarize(r))
		}
		h.adopting = false
		h.unchanged(basic(t))
		h.run(basic(t), revert(false))
		if h.content(site) != "# theirs\n" || h.stored().typeOf(3000) != "postgresql_port_t" {
			t.Errorf("the site holds %q, and the port is %s", h.content(site), h.stored().typeOf(3000))
		}
	})
	bubble(t, "what came since is not agreed to", func(t *testing.T) {
		h := cut(t)
		h.write(site, "# since\n")
		if r, err := h.firstBoot(1); err != nil || r.Result != engine.Failed || h.content(site) != "# since\n" {
			t.Errorf("%v\n%s", err, summarize(r))
		}
		if s := h.status(t); s.State != status.Broken || !strings.Contains(s.Why, site) {
			t.Errorf("status: %s, %s", s.State, s.Why)
		}
	})
	bubble(t, "no key of an administrator's file", func(t *testing.T) {
		_, err := config.Load(config.Input{File: "/c.yaml", ReadFile: func(string) ([]byte,
			error) {
			return []byte(oneSite + "adopt: [a]\n"), nil
		}})
		if err == nil || !strings.Contains(err.Error(), "adopt") {
			t.Errorf("%v", err)
		}
	})
	bubble(t, "a second installation is as the first", func(t *testing.T) {
		h := theirFileOffline(t)
		h.apply(basic(t))
		before := h.snapshot()
		for _, adopting := range []bool{true, false} {
			h.adopting = adopting
			if r := h.apply(basic(t)); r.Result != engine.Deferred {
				t.Errorf("%s", summarize(r))
			}
			h.untouched(before)
		}
	})
}

// TestHostileLocalPort: a local label is somebody's decision.
func TestHostileLocalPort(t *testing.T) {
	postgres := policydb.Port{Proto: "tcp", Low: 3000, High: 3000, Type: "postgresql_port_t"}
	label := func(h *fakeHost, p policydb.Port) { h.setLocalPorts(p); h.rebuild(true) }
	bubble(t, "refused, with its type and who uses it", func(t *testing.T) {
		h := withNginx(t)
		label(h, postgres)
		h.fails(basic(t), stepnames.SELinux, "tcp/3000", "postgresql_port_t", "PostgreSQL", "--adopt")
	})
	bubble(t, "after the agent had labelled it", func(t *testing.T) {
		h := provisioned(t)
		label(h, postgres)
		h.fails(basic(t), stepnames.SELinux, "tcp/3000", "postgresql_port_t", "--adopt")
		h.adopting = true
		r := h.apply(basic(t))
		if w := strings.Join(step(t, r, stepnames.SELinux).Warnings, "\n"); r.Result != engine.Changed ||
			!strings.Contains(w,
				"taken over (--adopt)") {
			t.Errorf("%s", summarize(r))
		}
		if h.run(basic(t), revert(false)); h.stored().typeOf(3000) != "postgresql_port_t" {
			t.Errorf("the port is %s again", h.stored().typeOf(3000))
		}
	})
	bubble(t, "taken over, and then given another label", func(t *testing.T) {
		h := withNginx(t)
		label(h, postgres)
		h.adopting = true
		h.must(h.apply(basic(t)).Err())
		label(h, policydb.Port{Proto: "tcp", Low: 3000, High: 3000, Type: "mysqld_port_t"})
		r := h.run(basic(t), revert(false))
		if w := strings.Join(step(t, r, stepnames.SELinux).Warnings,
			"\n"); h.stored().typeOf(3000) != "mysqld_port_t" ||
			!strings.Contains(w, "it found postgresql_port_t and left http_port_t") {
			t.Errorf("%q\n%s", w, summarize(r))
		}
	})
	bubble(t, "a range stays a decision", func(t *testing.T) {
		h := withNginx(t)
		h.adopting = true
		label(h, policydb.Port{Proto: "tcp", Low: 2990, High: 3010, Type: "postgresql_port_t"})
		h.fails(basic(t), stepnames.SELinux, "tcp/2990-3010", "postgresql_port_t", "semanage port")
	})
	bubble(t, "the policy's", func(t *testing.T) {
		for port, want := range map[string]string{"3000": "ntop_port_t, the policy's type for ntop",
			"8080": "http_cache_port_t", "4881": ""} {
			h := withNginx(t)
			notes := strings.Join(step(t, h.plan(parse(t, strings.Replace(oneSite, "3000", port, 1))),
				stepnames.SELinux).Notes, "\n")
			if said := strings.Contains(notes, "is taken from"); said != (want != "") || !strings.Contains(notes,
				want) {
				t.Errorf("%s: %q", port, notes)
			}
		}
	})
}
