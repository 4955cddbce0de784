package provision

import (
	"path/filepath"

	"wsprovision/provision/host"
	"wsprovision/provision/managed"
	"wsprovision/provision/nginx"
)

const (
	confDir  = host.ConfDir
	siteMode = 0o644
)

func sitePath(name string) string { return host.SitePath(name) }

// configured is what the configuration asks for: a file for each site, and
// none for a site that it no longer has.
func (p *Sites) configured() ([]managed.Want, error) {
	var all []managed.Want
	for _, site := range p.Config.Sites {
		content, err := nginx.Render(site)
		if err != nil {
			return nil, err
		}
		all = append(all, managed.Want{Path: sitePath(site.Name), Content: content, Mode: siteMode})
	}
	if d := p.Config.WorkerShutdownTimeout; d > 0 {
		all = append(all, managed.Want{Path: shutdownPath, Content: shutdownFile(d), Mode: siteMode})
	}
	all, err := p.files.AddObsolete(all, func(path string) bool { return nginxReads(path) && path != namesPath })
	if err != nil {
		return nil, err
	}
	if all, err = p.longNames(all); err != nil { // which is for all that stays
		return nil, err
	}
	return p.files.AddObsolete(all, func(path string) bool { return path == namesPath })
}

// nginxReads reports whether the file is one of those that make nginx's
// configuration, so that its change is validated and owes a reload.
func nginxReads(path string) bool {
	return filepath.Dir(path) == confDir || path == shutdownPath
}

// siteFiles are the files that are ours to write or to remove; a survey reads them once.
func (p *Sites) siteFiles() ([]managed.File, error) {
	m := p.survey.memory()
	if m.files == nil {
		all, err := p.readSiteFiles()
		m.files = &siteFiles{all, err}
	}
	return m.files.all, m.files.err
}

func (p *Sites) readSiteFiles() ([]managed.File, error) {
	all, err := p.sites()
	if err != nil {
		return nil, err
	}
	return p.files.ReadAll(all)
}

// tree reads nginx's configuration as it would be with the overlay in place.
func (m *Survey) tree(o map[string][]byte) (nginx.Tree, error) {
	return m.memory().reader.Load(m.Root, host.NginxConf, o)
}

// pending is what is to change of what nginx reads, in the form in which its tester takes it.
func (p *Sites) pending() (map[string][]byte, error) {
	files, err := p.siteFiles()
	if err != nil {
		return nil, err
	}
	return managed.Overlay(files), nil
}
