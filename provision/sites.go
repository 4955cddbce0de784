package provision

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"

	"wsprovision/provision/config"
	"wsprovision/provision/nginx"
)

const (
	nginxConf = "/etc/nginx/nginx.conf"
	confDir   = "/etc/nginx/conf.d"
	siteMode  = 0o644
)

// sitePath is the file of the named site.
func sitePath(name string) string { return filepath.Join(confDir, name+".conf") }

// siteFile is one file under conf.d: what is there, and what should be. A nil
// want is a file of ours that the configuration no longer asks for.
type siteFile struct {
	path string
	have File
	want []byte
	// drifted says that somebody else wrote what is there now.
	drifted bool
	kept    bool // left as found: on_drift is keep
	label   string
}

// differs reports whether the file has to be written or removed.
func (s siteFile) differs() bool {
	if s.kept {
		return false
	}
	if !same(s.have.Content, s.want) {
		return true
	}
	return s.want != nil && s.attributes() != ""
}

// attributes says what but the content is wrong with the file.
func (s siteFile) attributes() string {
	var wrong []string
	if s.have.Mode != siteMode {
		wrong = append(wrong, fmt.Sprintf("mode %04o", s.have.Mode))
	}
	if s.have.UID != 0 {
		wrong = append(wrong, fmt.Sprintf("uid %d", s.have.UID))
	}
	if s.label != "" && s.have.Label != "" && typeOf(s.have.Label) != typeOf(s.label) {
		wrong = append(wrong, s.have.Label)
	}
	return strings.Join(wrong, ", ")
}

// typeOf is the third field of a context: the one that the targeted policy
// decides by.
func typeOf(context string) string {
	fields := strings.SplitN(context, ":", 4)
	if len(fields) < 3 {
		return context
	}
	return fields[2]
}

// siteFiles reads every file that is ours to write or to remove.
func (r *Run) siteFiles() ([]siteFile, error) {
	var files []siteFile
	wanted := map[string]bool{}
	for _, site := range r.Config.Sites {
		content, err := nginx.Render(model(site))
		if err != nil {
			return nil, err
		}
		wanted[sitePath(site.Name)] = true
		f, err := r.siteFile(sitePath(site.Name), content)
		if err != nil {
			return nil, err
		}
		files = append(files, f)
	}
	for _, e := range r.ledger.Entries {
		if e.Kind != KindFile || filepath.Dir(e.Name) != confDir || wanted[e.Name] || e.Left == Absent {
			continue
		}
		f, err := r.siteFile(e.Name, nil)
		if err != nil {
			return nil, err
		}
		files = append(files, f)
	}
	return files, nil
}

func (r *Run) siteFile(path string, want []byte) (siteFile, error) {
	f := siteFile{path: path, want: want}
	var err error
	if f.have, err = r.Files.Read(path); err != nil {
		return f, err
	}
	if want != nil && r.Files.Label != nil {
		if f.label, err = r.Files.Label(path, siteMode); err != nil {
			return f, fmt.Errorf("find the label of %s: %w", path, err)
		}
	}
	if f.have.Content == nil || same(f.have.Content, want) {
		return f, nil
	}
	entry, recorded := r.ledger.Find(KindFile, path)
	f.drifted = recorded && entry.Left != digest(f.have.Content)
	// A file that the configuration no longer asks for and that somebody has
	// rewritten since is theirs now.
	f.kept = f.drifted && (want == nil || r.Config.OnDrift == config.DriftKeep)
	return f, nil
}

// overlay is what differs, in the form in which nginx's tester takes it.
func overlay(files []siteFile) map[string][]byte {
	o := map[string][]byte{}
	for _, f := range files {
		if f.differs() {
			o[f.path] = f.want
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
func (r *Run) tree(o map[string][]byte) (nginx.Tree, error) {
	return nginx.Load(r.Root, nginxConf, o)
}

// hasNginx reports whether nginx is installed.
func (r *Run) hasNginx(ctx context.Context) (bool, error) {
	found, err := r.installed(ctx)
	return len(found[nginxPackage]) > 0, err
}
