package provision

import (
	"crypto/sha256"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"wsprovision/provision/capacity"
	"wsprovision/provision/config"
	"wsprovision/provision/engine"
	"wsprovision/provision/host"
	"wsprovision/provision/nginx/conf"
	"wsprovision/provision/packages"
	"wsprovision/provision/policy"
	"wsprovision/provision/state"
)

// snapshot is everything in the tree, with times; two of them are equal where nothing was touched.
func (h *fakeHost) snapshot() map[string]string {
	all := map[string]string{}
	err := filepath.WalkDir(h.root, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		short := strings.TrimPrefix(name, h.root)
		info, err := d.Info()
		if err != nil {
			return err
		}
		text := info.Mode().String()
		if !info.IsDir() { // a file that came and went moves a directory's time
			text += " " + info.ModTime().Format(time.RFC3339Nano)
		}
		switch {
		case info.Mode().IsRegular():
			b, err := os.ReadFile(name)
			if err != nil {
				return err
			}
			text += fmt.Sprintf(" %x", sha256.Sum256(b))
		case info.Mode()&fs.ModeSymlink != 0:
			target, err := os.Readlink(name)
			if err != nil {
				return err
			}
			text += " -> " + target
		}
		all[short] = text
		return nil
	})
	h.must(err)
	return all
}

// untouched fails the test where the tree is not what it was.
func (h *fakeHost) untouched(before map[string]string) {
	h.t.Helper()
	if d := h.touched(before); d != "" {
		h.t.Errorf("the host was touched (-before +after):\n%s", d)
	}
}

// touched is what of the tree is not what it was. A run that failed is told of in the history, whatever it touched
// besides.
func (h *fakeHost) touched(before map[string]string) string {
	h.t.Helper()
	after := h.snapshot()
	if h.lastResult == engine.Failed {
		before = maps.Clone(before)
		for _, path := range []string{host.StateDir, state.HistoryPath} {
			delete(before, path)
			delete(after, path)
		}
		kept := func(path, _ string) bool { return strings.HasPrefix(path, state.ReportsDir) }
		maps.DeleteFunc(before, kept)
		maps.DeleteFunc(after, kept)
	}
	return cmp.Diff(before, after)
}

// state is what an administrator sees of the host: what two runs that ended well have in common, whatever way they
// went.
func (h *fakeHost) state() map[string]string {
	s := map[string]string{
		"packages":       h.content(rpmPackages),
		"boolean stored": fmt.Sprint(h.stored().booleans[policy.ConnectBoolean]),
		"boolean now":    fmt.Sprint(h.running(policy.ConnectBoolean)),
		"local ports":    fmt.Sprint(h.localPorts()),
		"local contexts": h.localContexts(),
		"enabled":        fmt.Sprint(h.exists(wantsNginx)),
		"running":        fmt.Sprint(h.web.master != 0),
		"owed":           h.content(state.OwedPath),
		"mirror":         h.content(packages.RepositoryPath) + h.content(packages.KeyPath),
	}
	entries, _ := os.ReadDir(h.path(host.ConfDir))
	for _, e := range entries {
		s["conf.d/"+e.Name()] = h.content(host.ConfDir + "/" + e.Name())
	}
	s["limits"] = h.content(capacity.DropInPath) + h.content(capacity.SysctlPath) + h.content(somaxconnPath)
	s["nginx.conf"] = h.content(host.NginxConf)
	s["firewall"] = h.content(publicZone) + h.content(runningWall)
	written, _ := os.ReadDir(h.path("/etc/wsprovision/sites.d"))
	for _, e := range written {
		s["sites.d/"+e.Name()] = h.content("/etc/wsprovision/sites.d/" + e.Name())
	}
	s["served"] = strings.Join(h.served(), " ")
	return s
}

// served are the names in the configuration that nginx runs.
func (h *fakeHost) served() []string {
	if h.web.master == 0 {
		return nil
	}
	return serves(h.web.tree)
}

func serves(tree conf.Tree) []string {
	var names []string
	for _, s := range tree.Servers() {
		for _, l := range s.Listen {
			names = append(names, fmt.Sprintf("%s:%d", strings.Join(s.Names, ","), l.Port))
		}
		for _, l := range s.Body {
			if l.Name == "location" {
				names = append(names, strings.Join(l.Args, " ")+"="+passedTo(s.Body, l.Args[len(l.Args)-1], nil))
			}
		}
	}
	return names
}

// parse is the configuration of a file's text.
func parse(t testing.TB, text string) config.Config {
	t.Helper()
	c, err := config.Load(config.Input{File: "/c.yaml", ReadFile: func(string) ([]byte, error) {
		return []byte(text), nil
	}})
	if err != nil {
		t.Fatalf("configuration: %v\n%s", err, text)
	}
	if !strings.Contains(text, "epel:") { // the host in a directory reaches nobody; see auto_test.go
		c.EPEL.Source = config.EPELRepository
	}
	return c
}

const oneSite = `sites:
  - name: websocket
    server_name: ws.example.com
    listen: 80
    locations:
      - path: /ws/
        backend: 127.0.0.1:3000
`

func basic(t testing.TB) config.Config {
	t.Helper()
	return parse(t, oneSite)
}

const (
	site      = host.ConfDir + "/websocket.conf"
	namesPath = host.ConfDir + "/" + host.NamesFile
)

// provisioned is a host on which an apply has already ended well.
func provisioned(t testing.TB) *fakeHost {
	t.Helper()
	h := newFakeHost(t)
	if r := h.apply(basic(t)); r.Result != engine.Changed {
		t.Fatalf("the first apply: %s\n%s", r.Result, summarize(r))
	}
	return h
}

// summarize is a report in a few lines, for failures of tests.
func summarize(r *engine.Report) string {
	var b strings.Builder
	for _, s := range r.Steps {
		fmt.Fprintf(&b, "%s: %s %v", s.Name, s.Status, s.Changes)
		for _, text := range []string{s.Why, s.Error} {
			if text != "" {
				b.WriteString(" | " + text)
			}
		}
		for _, w := range s.Warnings {
			b.WriteString(" | warning: " + w)
		}
		b.WriteString("\n")
	}
	return b.String()
}

func statuses(r *engine.Report) map[string]engine.Status {
	all := map[string]engine.Status{}
	for _, s := range r.Steps {
		all[s.Name] = s.Status
	}
	return all
}

func step(t testing.TB, r *engine.Report, name string) engine.StepReport {
	t.Helper()
	for _, s := range r.Steps {
		if s.Name == name {
			return s
		}
	}
	t.Fatalf("no step %s in %v", name, r.Steps)
	return engine.StepReport{}
}

// unchanged is the promise about a second run: nothing is run but one query of rpm, and nothing is touched.
func (h *fakeHost) unchanged(c config.Config) {
	h.t.Helper()
	before := h.snapshot()
	r := h.apply(c)
	if r.Result != engine.Unchanged {
		h.t.Errorf("a further apply: %s, want unchanged\n%s", r.Result, summarize(r))
	}
	if len(h.ran) > 1 || h.reloads+h.starts > 0 || len(h.points) > 0 {
		h.t.Errorf("a further apply ran %q, reloaded %d times, started %d times, points %q; want at most one program",
			h.ran, h.reloads, h.starts, h.points)
	}
	h.untouched(before)
}

func removeAll(path string) error { return os.RemoveAll(path) }

func (h *fakeHost) link(target, name string) {
	h.t.Helper()
	h.mkdir(filepath.Dir(name))
	h.must(os.Symlink(target, h.path(name)))
}

// mask is systemctl mask nginx.
func (h *fakeHost) mask() { h.link("/dev/null", "/etc/systemd/system/nginx.service") }
