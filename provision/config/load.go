package config

import (
	"maps"
	"path/filepath"
	"slices"

	"wsprovision/provision/config/reading"
	"wsprovision/provision/config/sitekeys"
)

// Input is where a configuration comes from; nothing else is looked at.
type Input struct {
	File        string // given by --config, and must exist; "" is WSPROVISION_CONFIG's, else DefaultFile
	DefaultFile string // may be absent
	// ReadFile may be nil, and then reads from the file system no more than is accepted.
	ReadFile func(string) ([]byte, error)
	// SitesDir holds further files of the same form, read together with the default file; a file that was named is read
	// alone. "" for none.
	SitesDir string
	// Limit is how many bytes of a file are accepted; 0 is a mebibyte.
	Limit int
	// Trusted refuses a file that somebody else than root could have written, exchanged or made a pipe.
	Trusted bool
	Environ []string          // as os.Environ gives it; only WSPROVISION_… is looked at
	Flags   map[string]string // by name, without dashes, only those that the user typed; Flags tells the names
	// Deferred says that the file is the agent's own, which may have the keys adopt and record.
	Deferred bool
}

// Load reads every layer and returns what they come to, or an *Error with all problems of all layers.
func Load(in Input) (Config, error) {
	c, _, err := gather(in)
	return c, err
}

// cloneSites are the sites as they are now, whatever is overridden in them.
func cloneSites(sites []Site) []Site {
	all := slices.Clone(sites)
	for i := range all {
		all[i].Locations = slices.Clone(all[i].Locations)
	}
	return all
}

// over is one layer over another.
func over(below, above layer) layer {
	l := newLayer()
	maps.Copy(l.values, below.values)
	maps.Copy(l.values, above.values)
	l.at.Add(below.at, above.at)
	return l
}

// own is the file of the site that options describe.
func (in Input) own(options layer) string {
	name, given := options.values["site.name"].(string)
	if !given {
		name = FlagSite
	}
	return filepath.Join(in.SitesDir, name+".yaml")
}

// contents is what all files say. A site that only options describe has its place among them where apply will write it:
// the order of sites says which one answers on a port by default, and is the same for the next run.
func (in Input) contents(path string, content []byte, named bool, options layer, p *reading.Problems) contents {
	file := readFile(path, content, in.Deferred, 0, p)
	file.slot = -1
	if named {
		return file
	}
	paths, own, slot := in.beside(p), in.own(options), ""
	if asksForSite(options) {
		seen := readFile(path, content, in.Deferred, 0, &reading.Problems{})
		seen.join(paths, "", &reading.Problems{})
		has := func(s Site) bool { return filepath.Join(in.SitesDir, s.Name+".yaml") == own }
		if !slices.ContainsFunc(seen.sites, has) {
			slot = own
		}
	}
	file.join(paths, slot, p)
	return file
}

func asksForSite(options layer) bool {
	return slices.ContainsFunc(siteSettings(), func(s setting) bool { return options.at.Has(s.Path) })
}

// gather tells too where each value was written.
func gather(in Input) (Config, reading.Origins, error) {
	p := &reading.Problems{}
	env := environment(in.Environ, p)
	path, content := locate(in, env.config, p)
	typed := flags(in.Flags, p)
	options := over(env.layer, typed)
	named := in.File != "" || env.config != "" || in.SitesDir == ""
	file := in.contents(path, content, named, options, p)

	c, site, err := merge(file.layer, env.layer, typed)
	if err != nil {
		return Config{}, nil, err
	}
	at := reading.Origins{}
	at.Add(file.layer.at, env.layer.at, typed.at)
	before := cloneSites(file.sites)
	c.Sites = combine(file, site, at, p)
	checkEPEL(c.EPEL, at, p)
	sitekeys.Check(c.WithIPv6().Sites, at, p)
	if err := p.Err(); err != nil {
		return Config{}, nil, err
	}
	c.Source, c.Adopt, c.Record = path, file.adopt, file.record
	if named {
		return c, at, nil
	}
	file.sites = before
	c.Record, c.Unrecorded, err = recorder{path: in.own(options), name: site.Name, file: file, options: options,
		sites: c.Sites, at: at}.record()
	return c, at, err
}
