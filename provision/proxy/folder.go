package proxy

import (
	"fmt"

	"wsprovision/provision/engine"
	"wsprovision/provision/host"
	"wsprovision/provision/nginx/conf"
)

// checkGone is checkFolder for a run that has nothing to write: nginx goes on with what it has read, and would leave
// the sites out at its next reload.
func (v *Candidate) checkGone(f *engine.Finding) error {
	if v.SitesAreRead() {
		return nil
	}
	tree, err := v.Survey.Tree(nil)
	if err != nil { // the next reload says what is wrong with it
		return nil
	}
	return v.checkFolder(f, tree)
}

// checkFolder refuses sites whose files nginx would not read, and says where the others go if that is not conf.d.
func (v *Candidate) checkFolder(f *engine.Finding, tree conf.Tree) error {
	if v.Reverting || len(v.Config.Sites) == 0 {
		return nil
	}
	dir := v.SitesDir()
	for _, s := range v.Config.Sites {
		if path := v.SitePath(s.Name); !tree.InHTTP(path) {
			return fmt.Errorf("nginx would not read %s: no include in http{} of %s names such files in a folder that "+
				"is there: add the line \"include %s/*.conf;\" to its http block", path, host.NginxConf, host.ConfDir)
		}
	}
	if dir != host.ConfDir {
		f.Notes = append(f.Notes, fmt.Sprintf("the files of sites go to %s, the first folder that http{} of %s "+
			"includes by a pattern: it does not include %s", dir, host.NginxConf, host.ConfDir))
	}
	return nil
}
