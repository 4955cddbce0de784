package proxy

import (
	"path/filepath"
	"slices"
	"strings"

	"wsprovision/provision/config"
	"wsprovision/provision/host"
	"wsprovision/provision/known"
	"wsprovision/provision/managed"
	"wsprovision/provision/nginx/conf"
	"wsprovision/provision/nginx/render"
	"wsprovision/provision/state"
)

const SiteMode = 0o644

// Configured is what the configuration asks for: a file for each site, and
// none for a site that it no longer has.
func (p *Sites) Configured() ([]managed.Want, error) {
	all, err := p.rendered()
	if err != nil {
		return nil, err
	}
	if d := p.Config.ShutdownTimeout; d > 0 {
		all = append(all, managed.Want{Path: ShutdownPath, Content: shutdownFile(d), Mode: SiteMode})
	}
	all, err = p.Managed.AddObsolete(all, func(path string) bool { return Reads(path) && !IsNames(path) })
	if err != nil {
		return nil, err
	}
	if all, err = p.LongNames(all); err != nil { // which is for all that stays
		return nil, err
	}
	if all, err = p.ConfLines(all); err != nil {
		return nil, err
	}
	return p.Managed.AddObsolete(all, func(path string) bool { return IsNames(path) })
}

// Reads reports whether the file is one of those that make nginx's
// configuration, so that its change is validated and owes a reload.
func Reads(path string) bool {
	return filepath.Ext(path) == ".conf" && !slices.ContainsFunc(elsewhere, func(dir string) bool {
		return strings.HasPrefix(path, dir)
	})
}

// elsewhere are the folders of files .conf of ours that nginx does not read. Where it does, nginx.conf has said once.
var elsewhere = []string{"/etc/systemd/", "/etc/sysctl.d/"}

// All are the files that are ours to write or to remove; a survey reads them once.
func (p *Sites) All() ([]managed.File, error) {
	m := p.Survey.memory()
	if m.files == nil {
		all, err := p.readSiteFiles()
		m.files = &Files{all, err}
	}
	return m.files.all, m.files.err
}

func (p *Sites) readSiteFiles() ([]managed.File, error) {
	all, err := p.Wanted()
	if err != nil {
		return nil, err
	}
	return p.Managed.ReadAll(all)
}

// Tree reads nginx's configuration as it would be with the overlay in place.
func (m *Survey) Tree(o map[string][]byte) (conf.Tree, error) {
	if len(o) > 0 {
		return m.memory().Reader.Load(m.Root, host.NginxConf, o)
	}
	r := known.Once(m.Known, treeNow{}, func() readTree {
		tree, err := m.memory().Reader.Load(m.Root, host.NginxConf, nil)
		return readTree{tree, err}
	})
	return r.tree, r.err
}

// treeNow is the key of the configuration as it is.
type treeNow struct{}

type readTree struct {
	tree conf.Tree
	err  error
}

// Pending is what is to change of what nginx reads, in the form in which its tester takes it.
func (p *Sites) Pending() (map[string][]byte, error) {
	files, err := p.All()
	if err != nil {
		return nil, err
	}
	return managed.Overlay(files), nil
}

// Sites are the files that nginx reads.
type Sites struct {
	*host.Host
	Config    config.Config
	Ledger    *state.Ledger
	Managed   *managed.Files
	Unit      *Unit
	Survey    *Survey
	Reverting bool
	// Build is what the installed nginx can, EPEL 7's where there is none yet.
	Build func() render.Build
	// sites says what should be under conf.d: what the configuration asks for
	// or, reverting, what was there before.
	Wanted func() ([]managed.Want, error)
}

func isSite(path string) bool {
	return Reads(path) && path != ShutdownPath && !strings.HasPrefix(filepath.Base(path), "_wsprovision")
}

// Elsewhere says how the file of a site gets another path; "" for any other file.
func Elsewhere(path string) string {
	if !isSite(path) {
		return ""
	}
	return "give the site another name (name, under sites in /etc/wsprovision/wsprovision.yaml)"
}
