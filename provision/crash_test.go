package provision

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"wsprovision/provision/config"
	"wsprovision/provision/engine"
	"wsprovision/provision/host"
	"wsprovision/provision/packages"
	"wsprovision/provision/state"
)

// crash is one way of a host from before to after, which is stopped at every point of the seam.
type crash struct {
	name string
	// host is the host before; it must come out the same every time.
	host func(t testing.TB) *fakeHost
	// act makes the run; nil is an apply of the configuration.
	act    func(*Run, context.Context) (*engine.Report, error)
	config func(t testing.TB) config.Config
	// fails: the run as a whole is meant to fail and to leave the host as it was.
	fails bool
	// offline hosts have nothing that runs.
	offline bool
	// least is a bound on the number of points, so that an enumeration that went wrong is seen.
	least int
}

// written is a site that options ask for, with the file in which apply writes it down.
func written(t testing.TB) config.Config {
	c := basic(t)
	c.Record = &config.Record{Site: c.Sites[0].Name, Path: "/etc/wsprovision/sites.d/websocket.yaml",
		Content: []byte("sites:\n  - name: websocket\n")}
	return c
}

func crashes() []crash {
	changed := func(more string) func(testing.TB) config.Config {
		return func(t testing.TB) config.Config {
			return parse(t, strings.Replace(oneSite, "/ws/", "/socket/", 1)+more)
		}
	}
	return []crash{
		{name: "a bare host", host: newFakeHost, config: basic, least: 40},
		{name: "a bare host in an installer's chroot", host: bareOffline, config: basic, least: 30, offline: true},
		{name: "nginx runs already, for others", host: withNginx, config: basic, least: 20},
		{name: "EPEL from a mirror", host: bareForMirror, config: mirrored, least: 50},
		{name: "EPEL from a package", host: bareForRelease, least: 50, config: func(t testing.TB) config.Config {
			return fromPackage(t, "/root/epel-release.rpm")
		}},
		{name: "a tree with labels in an installer's chroot", host: labelledOffline, config: basic, least: 30,
			offline: true},
		{name: "a bare host, EPEL by its mirrors", host: bareForMirrors, config: auto, least: 45},
		{name: "a bare host, EPEL by its archive", host: bareForArchive, config: auto, least: 45},
		{name: "a bare host, EPEL of its own disabled", host: bareForDisabled, config: auto, least: 40},
		{name: "EPEL by its mirrors in an installer's chroot", config: auto, least: 35, offline: true,
			host: func(t testing.TB) *fakeHost {
				h := bareForMirrors(t)
				h.goOffline()
				return h
			}},
		{name: "a revert with packages, EPEL by its archive", config: auto, act: revert(true), least: 14,
			host: func(t testing.TB) *fakeHost {
				h := bareForArchive(t)
				h.must(h.apply(auto(t)).Err())
				return h
			}},
		{name: "a site of options, which is written down", host: withNginx, config: written, least: 24},
		{name: "a site of options in an installer's chroot", host: bareOffline, config: written, least: 34,
			offline: true},
		{name: "a revert of a site of options", config: written, act: revert(false), least: 12,
			host: func(t testing.TB) *fakeHost {
				h := withNginx(t)
				h.must(h.apply(written(t)).Err())
				return h
			}},
		{name: "a changed site", host: func(t testing.TB) *fakeHost {
			return provisioned(t)
		}, config: changed(""), least: 12},
		{name: "a changed site, on_drift keep", host: func(t testing.TB) *fakeHost {
			return provisioned(t)
		}, config: changed("on_drift: keep\n"), least: 12},
		{name: "a changed site, on_drift fail", host: func(t testing.TB) *fakeHost {
			return provisioned(t)
		}, config: changed("on_drift: fail\n"), least: 12},
		{name: "an edit, on_drift replace", host: edited, config: changed("on_drift: replace\n"), least: 20},
		{name: "a name that becomes long", host: func(t testing.TB) *fakeHost {
			return provisioned(t)
		}, config: longNamed, least: 16},
		{name: "a name that was long", host: longProvisioned, config: basic, least: 16},
		{name: "a long name that nginx refuses", host: takenPort, fails: true, least: 24,
			config: func(t testing.TB) config.Config {
				return parse(t, strings.NewReplacer("80\n", "8008\n", "ws.example.com", longName).Replace(oneSite))
			}},
		{name: "a revert of a long name", host: longProvisioned, config: basic, act: revert(false), least: 12},
		{name: "a socket outside of /run", host: withSocket, least: 12,
			config: func(t testing.TB) config.Config { return parse(t, socketSite) }},
		{name: "a revert of a socket outside of /run", least: 12, act: revert(false),
			config: func(t testing.TB) config.Config { return parse(t, socketSite) },
			host: func(t testing.TB) *fakeHost {
				h := withSocket(t)
				if r := h.apply(parse(t, socketSite)); r.Result != engine.Changed {
					t.Fatalf("a socket: %s", summarize(r))
				}
				return h
			}},
		{name: "a bare host, by the label alone", host: newFakeHost, config: labelOnly, least: 36},
		{name: "from the boolean to the label", host: func(t testing.TB) *fakeHost {
			return provisioned(t)
		}, config: labelOnly, least: 5},
		{name: "ports that firewalld lets in", host: walled, config: opened, least: 44},
		{name: "ports that firewalld lets in, in an installer's chroot", host: walledOffline, config: opened, least: 30,
			offline: true},
		{name: "a revert of ports that firewalld lets in", host: openedHost, config: opened, act: revert(false),
			least: 14},
		{name: "room for many", host: serving, config: roomyConfig, least: 20},
		{name: "room for many, on a bare host", host: narrow, config: roomyConfig, least: 50},
		{name: "room for many, in an installer's chroot", host: narrowOffline, config: roomyConfig, least: 36,
			offline: true},
		{name: "room for many, no longer asked for", host: roomyHost, config: basic, least: 16},
		{name: "a revert of room for many", host: roomyHost, config: roomyConfig, act: revert(false), least: 16},
		{name: "a site removed", host: withTwoSites, config: basic, least: 12},
		{name: "a reload that nginx refuses", host: takenPort, fails: true, least: 20,
			config: func(t testing.TB) config.Config { return parse(t, strings.Replace(oneSite, "80", "8008", 1)) }},
		{name: "over an administrator's file", host: theirFile, config: basic, least: 12},
		{name: "over an administrator's file in an installer's chroot", host: theirFileOffline, config: basic,
			least: 12, offline: true},
		{name: "over an administrator's large file", host: theirLargeFile, config: basic, least: 14},
		{name: "a revert to an administrator's large file", host: overTheirLargeFile, config: basic, act: revert(false),
			least: 14},
		{name: "a mirror no longer asked for", host: withMirror, config: func(t testing.TB) config.Config {
			return parse(t, oneSite+"epel:\n  source: none\n")
		}, least: 8},
		{name: "a revert to an administrator's file", host: overTheirFile, config: basic, act: revert(false),
			least: 12},
		{name: "a line of nginx.conf", host: stockHost, config: withoutStockLine, least: 40},
		{name: "a line of nginx.conf in an installer's chroot", host: stockOffline, config: withoutStockLine, least: 30,
			offline: true},
		{name: "a line of nginx.conf comes back", host: withoutLine, config: basic, least: 10},
		{name: "a revert of a line of nginx.conf", host: withoutLine, config: withoutStockLine, act: revert(false),
			least: 12},
		{name: "a reload that nginx refuses, with a line of nginx.conf", host: stockTaken, fails: true, least: 20,
			config: func(t testing.TB) config.Config {
				return parse(t, strings.Replace(oneSite, "80", "8008", 1)+removesStock)
			}},
		{name: "a revert", host: func(t testing.TB) *fakeHost {
			return provisioned(t)
		}, config: basic, act: revert(false), least: 12},
		{name: "a revert with packages", host: func(t testing.TB) *fakeHost {
			return provisioned(t)
		}, config: basic, act: revert(true), least: 12},
	}
}

// takenPort is a host on which another process listens where a new configuration would: nginx -t passes it.
func takenPort(t testing.TB) *fakeHost {
	h := provisioned(t)
	h.web.taken, h.web.late = []int{8008}, true
	return h
}

// edited is a host on which somebody has edited what the agent wrote, and not for the first time.
func edited(t testing.TB) *fakeHost {
	h := provisioned(t)
	for n := range host.ReplacedKept {
		h.must((&host.Files{Root: h.root, Seam: &host.Seam{}}).KeepCopy(site, fmt.Appendf(nil, "# %d\n", n)))
	}
	h.write(site, h.content(site)+"# by hand\n")
	return h
}

// theirFile is a host on which an administrator has a file where ours belongs.
func theirFile(t testing.TB) *fakeHost {
	h := withNginx(t)
	h.adopting = true
	h.write(site, "# theirs\n")
	return h
}

func theirFileOffline(t testing.TB) *fakeHost {
	h := bareOffline(t)
	for _, name := range []string{packages.EPELRelease, packages.Nginx, packages.Semanage} {
		h.install(name)
	}
	h.adopting = true
	h.write(site, "# theirs\n")
	return h
}

func overTheirFile(t testing.TB) *fakeHost {
	h := theirFile(t)
	if r := h.apply(basic(t)); r.Result != engine.Changed {
		t.Fatalf("over an administrator's file: %s", summarize(r))
	}
	return h
}

// theirLargeFile has no place in the ledger that 1.0.0 reads.
func theirLargeFile(t testing.TB) *fakeHost {
	h := withNginx(t)
	h.adopting = true
	h.write(site, strings.Repeat("# theirs: "+strings.Repeat("x", 900)+"\n", 80))
	return h
}

func overTheirLargeFile(t testing.TB) *fakeHost {
	h := theirLargeFile(t)
	if r := h.apply(basic(t)); r.Result != engine.Changed {
		t.Fatalf("over an administrator's large file: %s", summarize(r))
	}
	return h
}

func longNamed(t testing.TB) config.Config {
	return parse(t, strings.Replace(oneSite, "ws.example.com", longName, 1))
}

func longProvisioned(t testing.TB) *fakeHost {
	h := newFakeHost(t)
	if r := h.apply(longNamed(t)); r.Result != engine.Changed {
		t.Fatalf("with a long name: %s", summarize(r))
	}
	return h
}

func revert(packages bool) func(*Run, context.Context) (*engine.Report, error) {
	return func(r *Run, ctx context.Context) (*engine.Report, error) {
		return NewRevert(r.Host, r.on, packages).Apply(ctx)
	}
}

func bareOffline(t testing.TB) *fakeHost {
	h := newFakeHost(t)
	h.goOffline()
	return h
}

func withNginx(t testing.TB) *fakeHost {
	h := newFakeHost(t)
	for _, name := range []string{packages.EPELRelease, packages.Nginx, packages.Semanage} {
		h.install(name)
	}
	h.write(host.ConfDir+"/other.conf", "server {\n    listen 80;\n    server_name other.example.com;\n}\n")
	h.must(h.enableUnit(host.NginxUnit))
	if !h.startNginx() {
		t.Fatal("nginx does not start")
	}
	return h
}

func bareForMirror(t testing.TB) *fakeHost {
	h := newFakeHost(t)
	key, _ := armoredKey(t, 1)
	h.write("/root/epel.key", key)
	h.packages.available[packages.Nginx] = "wsprovision-epel"
	return h
}

func mirrored(t testing.TB) config.Config {
	_, fingerprint := armoredKey(t, 1)
	return parse(t, oneSite+"epel:\n  source: mirror\n  baseurl: http://mirror.example.com/epel/7\n  gpgkey: "+
		"/root/epel.key\n  fingerprint: "+fingerprint+"\n")
}

const secondSite = `  - name: chat
    server_name: chat.example.com
    listen: 80
    locations:
      - path: /
        backend: 127.0.0.1:3000
`

func withTwoSites(t testing.TB) *fakeHost {
	h := newFakeHost(t)
	if r := h.apply(parse(t, oneSite+secondSite)); r.Result != engine.Changed {
		t.Fatalf("two sites: %s", summarize(r))
	}
	return h
}

// TestCrash stops a run at every point at which it is about to change the host or has just done so. What is left must
// be a host that serves, and the next run must end where an undisturbed one ends. Every point is tried twice: with the
// agent killed, and with the power cut.
func TestCrash(t *testing.T) {
	total, converged := 0, 0
	for _, c := range crashes() {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				points, good := c.matrix(t)
				total, converged = total+points, converged+good
			})
		})
	}
	note := ""
	if everyPoint > 1 {
		note = fmt.Sprintf(" (every %dth point, under the race detector)", everyPoint)
	}
	fmt.Printf("crash matrix: %d points, %d converged, %d broken%s\n", total, converged, total-converged, note)
}

func (c crash) matrix(t *testing.T) (points, good int) {
	whole := c.host(t)
	if r := c.run(whole); (r.Result == engine.Failed) != c.fails {
		t.Fatalf("without a crash: %s\n%s", r.Result, summarize(r))
	}
	all := whole.points
	if len(all) < c.least {
		t.Fatalf("%d points, want at least %d: %q", len(all), c.least, all)
	}
	want := whole.outcome()
	var (
		mu   sync.Mutex
		wait sync.WaitGroup
		slot = make(chan struct{}, 8) // the kernel takes its time over mount namespaces, which nginx -t has
	)
	for i, point := range all {
		for _, cut := range []bool{false, true} {
			// The boot frees the port of a refused reload, and the next run is then another story. And where the next
			// point begins nothing has changed since the last one's end, so that the power is cut there once.
			if i%everyPoint > 0 || cut && (c.fails || i > 0 && strings.HasPrefix(point, "before ")) {
				continue
			}
			points++
			slot <- struct{}{}
			wait.Go(func() {
				defer func() { <-slot }()
				err := c.at(t, i, cut, want)
				mu.Lock()
				defer mu.Unlock()
				if err != nil {
					t.Errorf("point %d, %s (power cut: %v): %v", i, point, cut, err)
					return
				}
				good++
			})
		}
	}
	wait.Wait()
	return points, good
}

func (c crash) run(h *fakeHost) *engine.Report {
	h.t.Helper()
	if c.act == nil {
		return h.apply(c.config(h.t))
	}
	return h.run(c.config(h.t), c.act)
}

// outcome is what has to come out in the end, the agent's own memory included.
func (h *fakeHost) outcome() map[string]string {
	s := h.state()
	for n, copied := range h.copiesOf(site) {
		s[fmt.Sprint("copy ", n)] = copied
	}
	s["ledger"] = ""
	l, err := state.ReadLedger(&host.Files{Root: h.root})
	h.must(err)
	for _, e := range l.Entries {
		if e.Kind != state.KindActive { // after a power cut it is the boot that starts nginx, and not the agent
			s["ledger"] += fmt.Sprintf("%s %s: %s, %q -> %s\n", e.Kind, e.Name, e.Before, e.Bytes, e.Left)
		}
	}
	return s
}

// at stops one run at a point and judges the host then, after the next run, and after the one after that.
func (c crash) at(t *testing.T, point int, cut bool, want map[string]string) error {
	h := c.host(t)
	defer os.RemoveAll(h.root)
	before, master := h.files(), h.web.master
	h.killAt(point)
	c.run(h)
	h.hook = nil
	if err := h.sound(before, want, master); err != nil {
		return fmt.Errorf("afterwards: %w", err)
	}
	if cut {
		if err := h.reboot(c.offline); err != nil {
			return err
		}
	}
	r := c.run(h)
	if (r.Result == engine.Failed) != c.fails {
		return fmt.Errorf("the next run: %s\n%s", r.Result, summarize(r))
	}
	got := h.outcome()
	if cut && !h.exists(wantsNginx) { // the boot did not start what the run has already taken from the boot
		want = maps.Clone(want)
		for _, key := range []string{"running", "served"} {
			want[key] = got[key]
		}
	}
	if d := cmp.Diff(want, got); d != "" {
		return fmt.Errorf("the next run ends elsewhere (-undisturbed +after the crash):\n%s", d)
	}
	if err := h.leftovers(); err != nil {
		return err
	}
	snapshot := h.snapshot()
	if r = c.run(h); !c.fails && r.Result != settled(c.offline) {
		return fmt.Errorf("the run after the next: %s\n%s", r.Result, summarize(r))
	}
	if d := cmp.Diff(snapshot, h.snapshot()); d != "" && !c.fails {
		return fmt.Errorf("the run after the next touches (-before +after):\n%s", d)
	}
	return nil
}

// settled is what a run says that finds nothing to do.
func settled(offline bool) engine.Status {
	if offline {
		return engine.Deferred
	}
	return engine.Unchanged
}

// killAt ends the run at one of its points: a killed process does nothing more.
func (h *fakeHost) killAt(point int) {
	n, dead := -1, false
	h.hook = func(string) error {
		n++
		if dead = dead || n == point; dead {
			return errKilled
		}
		return nil
	}
}

// reboot loses what is under /run and every process, and starts what is enabled.
func (h *fakeHost) reboot(offline bool) error {
	h.must(os.RemoveAll(h.path("/run")))
	h.mkdir("/run")
	ran := h.web.master != 0
	if ran {
		h.stopNginx()
	}
	for name, on := range h.stored().booleans {
		if h.enabled() && !offline {
			h.setRunning(name, on)
		}
	}
	if h.enabled() {
		h.rebuild(true)
	}
	if offline || !h.exists(wantsNginx) {
		return nil
	}
	if !h.startNginx() {
		return fmt.Errorf("after the boot nginx does not start: %s", h.content("/var/log/nginx/error.log"))
	}
	return nil
}

// sound judges what a stopped run left behind.
func (h *fakeHost) sound(before map[string]string, want map[string]string, master int) error {
	var all []error
	if warnings, emerg := h.judgeConf(); h.exists(host.NginxConf) && (emerg != "" || len(warnings) > 0) {
		all = append(all, fmt.Errorf("nginx would not start: %s %q", emerg, warnings))
	}
	if h.web.master != master && master != 0 {
		all = append(all, fmt.Errorf("nginx was master %d and is %d", master, h.web.master))
	}
	if h.content(selinuxfs+"/enforce") != "1" {
		all = append(all, errors.New("SELinux is not enforcing"))
	}
	now, _ := filepath.Glob(h.path(host.ConfDir + "/*.conf"))
	for _, name := range now {
		base := "conf.d/" + filepath.Base(name)
		content := h.content(host.ConfDir + "/" + filepath.Base(name))
		if content != before[base] && content != want[base] && !strings.Contains(content, "wsprovision") {
			all = append(all, fmt.Errorf("%s is neither the old nor the new one:\n%s", base, content))
		}
	}
	return errors.Join(all...)
}

// files are the contents under conf.d.
func (h *fakeHost) files() map[string]string {
	all := map[string]string{}
	entries, _ := os.ReadDir(h.path(host.ConfDir))
	for _, e := range entries {
		all["conf.d/"+e.Name()] = h.content(host.ConfDir + "/" + e.Name())
	}
	return all
}

// leftovers are staged files that no run has cleared away, and what yum was given for one run.
func (h *fakeHost) leftovers() error {
	var all []error
	for name := range h.snapshot() {
		// In its own directory the agent leaves a staged file for its next write of that file.
		if strings.Contains(name, ".wsprovision-new") && !strings.HasPrefix(name, host.StateDir) &&
			!strings.HasPrefix(name, state.ReportsDir) { // where the next report removes it
			all = append(all, fmt.Errorf("%s is left over", name))
		}
	}
	if h.exists(runDir) {
		all = append(all, fmt.Errorf("%s is left over", runDir))
	}
	return errors.Join(all...)
}
