package provision

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"wsprovision/provision/config"
	"wsprovision/provision/host"
	"wsprovision/provision/nginx"
	"wsprovision/rpm"
)

const (
	confDir  = host.ConfDir
	siteMode = 0o644
)

func sitePath(name string) string { return host.SitePath(name) }

// wanted is what should be at a path; nil content is no file.
type wanted struct {
	path    string
	content []byte
	mode    fs.FileMode
	owner   host.Owner
	lost    error  // why content is not what was there before: nobody has it any more
	custom  string // a label that is not the policy's for the path; "" for that
}

// siteFile is one file of ours: what should be, and what is there.
type siteFile struct {
	wanted
	have host.File
	// drifted says that somebody else has edited what the agent left.
	drifted bool
	kept    bool // left as found
	foreign bool // nothing of the agent's
	found   bool // as wanted, and not known to the ledger
	label   string
}

// differs reports whether the file has to be written or removed.
func (s siteFile) differs() bool {
	if s.kept {
		return false
	}
	if !host.Same(s.have.Content, s.content) {
		return true
	}
	return s.content != nil && s.attributes() != ""
}

// attributes says what but the content is wrong with the file.
func (s siteFile) attributes() string {
	var wrong []string
	if s.have.Mode != s.mode {
		wrong = append(wrong, fmt.Sprintf("mode %04o", s.have.Mode))
	}
	// A file of ours may have the group of a set-group-ID directory.
	if s.have.UID != s.owner.UID || s.owner.GID != 0 && s.have.GID != s.owner.GID {
		wrong = append(wrong, s.have.Owner.Words())
	}
	if s.label != "" && s.have.Label != "" && host.TypeOf(s.have.Label) != host.TypeOf(s.label) {
		wrong = append(wrong, s.have.Label)
	}
	return strings.Join(wrong, ", ")
}

// configured is what the configuration asks for: a file for each site, and
// none for a site that it no longer has.
func (p *Sites) configured() ([]wanted, error) {
	var all []wanted
	for _, site := range p.Config.Sites {
		content, err := nginx.Render(model(site))
		if err != nil {
			return nil, err
		}
		all = append(all, wanted{path: sitePath(site.Name), content: content, mode: siteMode})
	}
	if d := p.Config.WorkerShutdownTimeout; d > 0 {
		all = append(all, wanted{path: shutdownPath, content: shutdownFile(d), mode: siteMode})
	}
	all, err := p.files.addRemovals(all, func(path string) bool { return nginxReads(path) && path != namesPath })
	if err != nil {
		return nil, err
	}
	if all, err = p.longNames(all); err != nil { // which is for all that stays
		return nil, err
	}
	return p.files.addRemovals(all, func(path string) bool { return path == namesPath })
}

// addRemovals adds the removal of files of ours that are not wanted any more.
func (m *managedFiles) addRemovals(all []wanted, which func(path string) bool) ([]wanted, error) {
	asked := map[string]bool{}
	for _, w := range all {
		asked[w.path] = true
	}
	for _, e := range m.ledger.Entries {
		if e.Kind != KindFile || !which(e.Name) || asked[e.Name] {
			continue
		}
		gone, err := m.toRemove(e)
		if err != nil {
			return nil, err
		}
		all = append(all, gone...)
	}
	return all, nil
}

// toRemove says whether a file of ours that nobody asks for any more is still
// there, also where a run died before it could remove it. What was there before
// the agent came is there again, or still, and never the agent's to remove.
func (m *managedFiles) toRemove(e Entry) ([]wanted, error) {
	have, err := m.Files.Read(e.Name)
	if err != nil || have.Content == nil {
		return nil, err
	}
	now := digest(have.Content)
	if now == e.Before || e.Left == Absent && now != e.Prior {
		return nil, nil // somebody else's, as ever or by now
	}
	return []wanted{{path: e.Name}}, nil
}

// nginxReads reports whether the file is one of those that make nginx's
// configuration, so that its change is validated and owes a reload.
func nginxReads(path string) bool {
	return filepath.Dir(path) == confDir || path == shutdownPath
}

// siteFiles are the files that are ours to write or to remove; a survey reads them once.
func (p *Sites) siteFiles() ([]siteFile, error) {
	m := p.survey.memory()
	if m.files == nil {
		all, err := p.readSiteFiles()
		m.files = &siteFiles{all, err}
	}
	return m.files.all, m.files.err
}

func (p *Sites) readSiteFiles() ([]siteFile, error) {
	all, err := p.sites()
	if err != nil {
		return nil, err
	}
	return p.files.filesOf(all)
}

func (m *managedFiles) filesOf(all []wanted) ([]siteFile, error) {
	var err error
	files := make([]siteFile, len(all))
	together := 0
	for i, w := range all {
		if files[i], err = m.siteFile(w); err != nil {
			return nil, err
		}
		if files[i].differs() {
			together += len(files[i].have.Content) + len(files[i].content)
		}
	}
	if together > host.MaxTogether {
		return nil, fmt.Errorf("the files that are to change have %d bytes together, and one run changes at most %d: "+
			"change fewer at a time", together, host.MaxTogether)
	}
	return files, nil
}

func (m *managedFiles) siteFile(w wanted) (siteFile, error) {
	f := siteFile{wanted: w}
	var err error
	if f.have, err = m.Files.Read(w.path); err != nil {
		if errors.Is(err, host.ErrNotRegular) && w.content != nil && !m.reverting && isSite(w.path) {
			err = fmt.Errorf("%w; if somebody needs it, %s", err, wayAround(w.path))
		}
		return f, err
	}
	if w.content != nil {
		if f.label, err = m.Files.PolicyLabel(w.path, w.mode); err != nil {
			return f, fmt.Errorf("find the label of %s: %w", w.path, err)
		}
		f.label = cmp.Or(w.custom, f.label)
	}
	if len(w.content) > host.MaxFile && !m.reverting {
		return f, fmt.Errorf("%s would have %d bytes, and the agent writes at most %d: divide the site into several",
			w.path, len(w.content), host.MaxFile)
	}
	m.whose(&f)
	return f, f.fits()
}

// fits reports what could not be put away, and what was put away and is lost.
func (f siteFile) fits() error {
	switch {
	case f.lost != nil && !host.Same(f.have.Content, f.content):
		return f.lost
	case f.foreign && len(f.have.Content) > host.MaxFile:
		return fmt.Errorf("%s has %d bytes, and the agent puts away at most %d of a file that was there before: "+
			"move it elsewhere", f.path, len(f.have.Content), host.MaxFile)
	}
	return nil
}

// overlay is what differs, in the form in which nginx's tester takes it.
func overlay(files []siteFile) map[string][]byte {
	o := map[string][]byte{}
	for _, f := range files {
		if f.differs() {
			o[f.path] = f.content
		}
	}
	return o
}

// model turns a site of the configuration into one of nginx's.
func model(site config.Site) nginx.Site {
	s := nginx.Site{Name: site.Name, ServerNames: site.ServerNames}
	if site.TLS != nil {
		s.TLS = &nginx.TLS{Certificate: site.TLS.Certificate, Key: site.TLS.Key}
	}
	for _, l := range site.Listen {
		s.Listen = append(s.Listen, nginx.Listen{Address: l.Address, Port: l.Port, TLS: site.TLS != nil})
	}
	for _, l := range site.Locations {
		s.Locations = append(s.Locations, nginx.Location{
			Path: l.Path, Backend: nginx.Backend{Host: l.Backend.Host, Port: l.Backend.Port}, WebSocket: l.WebSocket,
			ReadTimeout: l.ReadTimeout, SendTimeout: l.SendTimeout, ConnectTimeout: l.ConnectTimeout,
		})
	}
	return s
}

// tree reads nginx's configuration as it would be with the overlay in place.
func (m *Survey) tree(o map[string][]byte) (nginx.Tree, error) {
	return m.memory().reader.Load(m.Root, host.NginxConf, o)
}

// hasNginx reports whether nginx is installed, and whole.
func (p *Packages) hasNginx(ctx context.Context) (bool, error) {
	found, err := p.installed(ctx)
	if err != nil || len(found[nginxPackage]) == 0 {
		return false, err
	}
	lost, err := p.damaged(ctx)
	return !slices.ContainsFunc(lost, func(d rpm.Damage) bool { return d.Package != epelPackage }), err
}

// pending is what is to change of what nginx reads, in the form in which its tester takes it.
func (p *Sites) pending() (map[string][]byte, error) {
	files, err := p.siteFiles()
	if err != nil {
		return nil, err
	}
	return overlay(files), nil
}
