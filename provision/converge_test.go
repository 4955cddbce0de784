package provision

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"wsprovision/provision/config"
	"wsprovision/provision/engine"
	"wsprovision/provision/host"
	"wsprovision/provision/nginx/conf"
	"wsprovision/provision/packages"
	"wsprovision/provision/policy"
	"wsprovision/provision/state"
	"wsprovision/provision/stepnames"
	"wsprovision/selinux"
	"wsprovision/selinux/policydb"
)

// anyPort are backends' ports of every sort: free, inside and exactly in policy ranges, right already.
var anyPort = rapid.SampledFrom([]int{3000, 3001, 8080, 8000, 8443, 4881, 5000, 22, 65535})

// TestConverge: whatever the host is like, an apply either brings it about, and a second one finds nothing to do, or
// fails and leaves a host that serves as before, or by what its files said before; where the survey fails nothing at
// all is touched. What fails after nginx has taken the configuration is its proof, which undoes nothing.
func TestConverge(t *testing.T) {
	results, drifts := map[engine.Status]int{}, map[string]int{}
	rapid.Check(t, func(rt *rapid.T) {
		h := newFakeHost(t)
		defer os.RemoveAll(h.root)
		c, left := drawConfig(rt), ""
		h.adopting = rapid.IntRange(0, 3).Draw(rt, "adopt") > 0
		if rapid.Bool().Draw(rt, "applied before") {
			left = h.formerly(t)
		}
		drawPackages(rt, h)
		drawSELinux(rt, h)
		drawNginx(rt, h)
		if _, yes := h.drifted(left); yes {
			drifts[c.OnDrift]++
		}
		var err error // a failure of rapid's ends its own goroutine, and a bubble has another
		synctest.Test(t, func(t *testing.T) {
			h.t = t
			err = h.converges(c, left)
		})
		if err != nil {
			rt.Fatal(err)
		}
		results[h.lastResult]++
	})
	if results[engine.Changed] == 0 || results[engine.Failed] == 0 || len(drifts) < 3 && !testing.Short() {
		t.Errorf("results %v, drift by on_drift %v: the hosts that are drawn are all alike", results, drifts)
	}
}

// formerly is an apply of another day: it returns the site's file as it left it.
func (h *fakeHost) formerly(t *testing.T) (left string) {
	synctest.Test(t, func(t *testing.T) {
		h.t = t
		h.apply(basic(t))
		left = h.content(site)
	})
	h.t = t
	return left
}

// drifted reports whether the site's file is another than the agent left, and what it is.
func (h *fakeHost) drifted(left string) (content string, yes bool) {
	b, err := os.ReadFile(h.path(site))
	return string(b), left != "" && err == nil && string(b) != left
}

func drawConfig(rt *rapid.T) config.Config {
	text := "sites:\n"
	names := rapid.SampledFrom([][]string{{"websocket"}, {"websocket", "chat"}}).Draw(rt, "sites")
	listens := rapid.SliceOfN(rapid.SampledFrom([]string{"80", "8008", "[80, 8008]", "4881", "\"[::]:80\""}),
		len(names), len(names)).Draw(rt, "listens")
	anyPort := anyPort.Filter(func(port int) bool { // a site that is its own backend is refused beforehand
		return !slices.Contains(listens, fmt.Sprint(port))
	})
	for i, name := range names {
		text += fmt.Sprintf("  - name: %s\n    server_name: %s.example.com\n    listen: %s\n    locations:\n      - "+
			"path: /ws%d/\n        backend: 127.0.0.1:%d\n",
			name, name, listens[i], i, anyPort.Draw(rt, "backend"))
		if rapid.Bool().Draw(rt, "mixed") {
			text += fmt.Sprintf("      - path: /\n        backend: 127.0.0.1:%d\n        websocket: false\n",
				anyPort.Draw(rt, "http backend"))
		}
	}
	text += "on_drift: " + rapid.SampledFrom([]string{config.DriftReplace, config.DriftKeep,
		config.DriftFail}).Draw(rt, "on_drift") + "\n"
	if rapid.Bool().Draw(rt, "label listen ports") {
		text += "selinux:\n  label_listen_ports: true\n"
	}
	c, err := config.Load(config.Input{File: "/c.yaml", ReadFile: func(string) ([]byte, error) {
		return []byte(text), nil
	}})
	if err != nil {
		rt.Fatalf("%v\n%s", err, text)
	}
	rt.Log(text)
	return c
}

func drawPackages(rt *rapid.T, h *fakeHost) {
	for _, name := range []string{packages.EPELRelease, packages.Semanage, packages.Nginx} {
		if rapid.Bool().Draw(rt, name) && !h.installed(name) {
			h.install(name)
		}
	}
	if rapid.IntRange(0, 9).Draw(rt, "no nginx to be had") == 0 {
		h.packages.yum = func(names []string) (string, string, int, bool) {
			return "No package nginx available.\n", "Error: Nothing to do\n", 1, slices.Contains(names, packages.Nginx)
		}
	}
}

func drawSELinux(rt *rapid.T, h *fakeHost) {
	h.laySELinux(rapid.SampledFrom([]selinux.Mode{selinux.Enforcing, selinux.Enforcing, selinux.Permissive}).Draw(rt,
		"mode"))
	switch rapid.IntRange(0, 2).Draw(rt, "local boolean") {
	case 1:
		h.setLocalBoolean(policy.ConnectBoolean, false)
	case 2:
		h.setLocalBoolean(policy.ConnectBoolean, true)
	}
	var ports []policydb.Port
	for range rapid.IntRange(0, 3).Draw(rt, "local records") {
		low := anyPort.Draw(rt, "low")
		p := policydb.Port{Proto: rapid.SampledFrom([]string{"tcp", "tcp", "udp"}).Draw(rt, "proto"), Low: low,
			High: min(low+rapid.SampledFrom([]int{0, 0, 1, 20}).Draw(rt, "width"), 65535),
			Type: rapid.SampledFrom([]string{policy.HTTPPortType, "ssh_port_t"}).Draw(rt, "type")}
		if !slices.ContainsFunc(ports, func(o policydb.Port) bool {
			return o.Proto == p.Proto && o.Low <= p.High && p.Low <= o.High
		}) {
			ports = append(ports, p)
		}
	}
	h.setLocalPorts(ports...)
	h.rebuild(true)
	h.setRunning(policy.ConnectBoolean, rapid.Bool().Draw(rt, "running boolean"))
}

func drawNginx(rt *rapid.T, h *fakeHost) {
	up := rapid.Bool().Draw(rt, "backends run")
	for _, port := range []int{3000, 3001, 8080, 8000, 8443, 5000, 22, 65535} { // 4881 may be nginx's own
		h.web.backends[fmt.Sprintf("127.0.0.1:%d", port)] = up
	}
	if rapid.IntRange(0, 4).Draw(rt, "8008 is taken") >= 3 {
		h.web.taken, h.web.late = []int{8008}, rapid.Bool().Draw(rt, "unseen")
	}
	if !h.installed(packages.Nginx) {
		return
	}
	neighbour := "server {\n    listen 80;\n    server_name %s;\n}\n"
	switch rapid.IntRange(0, 9).Draw(rt, "neighbour") {
	case 8:
		h.write(host.ConfDir+"/aa.conf", fmt.Sprintf(neighbour, "websocket.example.com"))
	case 9:
		h.write(host.ConfDir+"/zz.conf", fmt.Sprintf(neighbour, "other.example.com"))
	}
	if rapid.Bool().Draw(rt, "enabled") {
		h.must(h.enableUnit(host.NginxUnit))
	}
	if rapid.Bool().Draw(rt, "running") && h.web.master == 0 && !h.startNginx() {
		rt.Fatalf("nginx does not start: %s", h.content("/var/log/nginx/error.log"))
	}
	switch rapid.IntRange(0, 14).Draw(rt, "site file") {
	case 1, 2, 3:
		h.write(site, h.content(site)+"# by hand\n")
	case 4, 5, 6:
		h.write(site, fmt.Sprintf(neighbour, "older.example.com"))
	case 7:
		h.write(site, "") // empty, as a touch leaves it
	case 8:
		h.write(host.Staging(site), "half of a fi")
	case 12:
		h.write(host.ConfDir+"/broken.conf", "server {\n")
	case 13:
		h.must(removeAll(h.path(site)))
		h.link("/root/x", site)
	case 14:
		h.must(removeAll(h.path(site)))
		h.mkdir(site)
	}
	switch rapid.IntRange(0, 9).Draw(rt, "unit and mark") {
	case 9:
		h.mask()
	case 1, 2:
		h.must((state.Owed{Files: h.host(Listener{}).Files}).Note("", state.Proven{Path: site, Absent: true}))
	}
}

// onDisk are the names that nginx would serve after a boot; nil where it is not there or would not start.
func (h *fakeHost) onDisk() []string {
	tree, err := conf.Load(h.root, host.NginxConf, nil)
	if _, emerg := h.judgeConf(); err != nil || emerg != "" {
		return nil
	}
	return serves(tree)
}

func (h *fakeHost) converges(c config.Config, left string) error {
	_, emerg := h.judgeConf()
	valid := !h.exists(host.NginxConf) || emerg == ""
	before, master, enforce, local := h.snapshot(), h.web.master, h.content(selinuxfs+"/enforce"), h.localPorts()
	served, stored := h.served(), h.onDisk()
	owed := h.exists(state.OwedPath) // then the way back leads to what the mark says
	edit, drifted := h.drifted(left)
	there, _ := os.ReadFile(h.path(site))
	theirs := string(there)
	r := h.apply(c)
	defer func() { h.lastResult = r.Result }()
	report := summarize(r)
	surveyed := slices.ContainsFunc(r.Steps, func(s engine.StepReport) bool {
		return strings.Contains(s.Why, "beforehand")
	})
	if d := h.touched(before); d != "" && (surveyed || len(h.points) == 0) {
		return fmt.Errorf("the survey failed or found nothing, and the host was touched (-before +after):\n%s\n%s", d,
			report)
	}
	if _, emerg := h.judgeConf(); valid && h.exists(host.NginxConf) && emerg != "" {
		return fmt.Errorf("nginx's configuration was valid and is not: %s\n%s", emerg, report)
	}
	if h.web.master != master && master != 0 {
		return fmt.Errorf("nginx was restarted\n%s", report)
	}
	if now := h.content(selinuxfs + "/enforce"); now != enforce {
		return fmt.Errorf("the mode was changed from %s to %s\n%s", enforce, now, report)
	}
	for _, p := range local { // of an administrator; only the very port may be relabelled
		if !slices.ContainsFunc(h.localPorts(), func(o policydb.Port) bool {
			return o.Proto == p.Proto && o.Low == p.Low && o.High == p.High && (o == p || p.Low == p.High && h.adopting)
		}) {
			return fmt.Errorf("the local record %s is gone or changed: %v\n%s", p, h.localPorts(), report)
		}
	}
	if left == "" && theirs != "" && !h.adopting && h.content(site) != theirs {
		return fmt.Errorf("somebody else's file was replaced without --adopt:\n%s\n%s", theirs, report)
	}
	if drifted && c.OnDrift != config.DriftReplace && h.content(site) != edit {
		return fmt.Errorf("on_drift is %s, and the edited file was replaced:\n%s\n%s", c.OnDrift, h.content(site),
			report)
	}
	if status := step(h.t, r, stepnames.Service).Status; status == engine.Failed || status == engine.Skipped {
		if now := h.served(); !slices.Equal(now, served) && !slices.Equal(now, stored) {
			return fmt.Errorf("the run failed, and nginx serves %q in place of %q\n%s", now, served, report)
		}
		if now := h.onDisk(); stored != nil && !owed && !slices.Equal(now, stored) {
			return fmt.Errorf("the run failed, and a boot would serve %q in place of %q\n%s", now, stored, report)
		}
	}
	if r.Result == engine.Failed {
		return nil
	}
	snapshot := h.snapshot()
	again := h.apply(c)
	// Where the backend is down, the proof says why, and asks nginx for its version.
	ran := slices.DeleteFunc(slices.Clone(h.ran), func(argv string) bool { return argv == "/usr/sbin/nginx -V" })
	if again.Result != engine.Unchanged || len(ran) > 1 || len(h.points) > 0 {
		return fmt.Errorf("a second apply: %s, ran %q, points %q\n%s\nafter\n%s", again.Result, h.ran, h.points,
			summarize(again), report)
	}
	if d := cmp.Diff(snapshot, h.snapshot()); d != "" {
		return fmt.Errorf("a second apply touched the host (-before +after):\n%s", d)
	}
	return nil
}
