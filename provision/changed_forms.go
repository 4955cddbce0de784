package provision

import (
	"bytes"
	"fmt"

	"wsprovision/provision/engine"
)

// changedForm is what an earlier version wrote into files of ours, and no
// version writes by now.
type changedForm struct{ had, why string }

var changedForms = [...]changedForm{
	{"proxy_set_header Upgrade $http_upgrade;",
		"1.0.0 passed on whatever protocol a client asks for with Upgrade, also h2c, a tunnel past the path; " +
			"only websocket is passed on by now"},
	{"# managed by wsprovision; what is changed here by hand is overwritten",
		"the first line of 1.0.0 said that an edit is overwritten; it names on_drift by now, which decides that"},
}

// sayForms says why a file that an earlier version wrote is written anew,
// although nobody has asked for anything else.
func (m *managedFiles) sayForms(f *engine.Finding, files []siteFile) {
	for _, form := range changedForms {
		first, more := "", -1
		for _, s := range files {
			if form.changes(s) {
				if more++; first == "" {
					first = s.path
				}
			}
		}
		if first != "" {
			f.Notes = append(f.Notes, fmt.Sprintf("change of %s%s: %s", first, andMore(more), form.why))
		}
	}
}

func (c changedForm) changes(s siteFile) bool {
	had := []byte(c.had)
	return !s.foreign && !s.kept && s.content != nil &&
		bytes.Contains(s.have.Content, had) && !bytes.Contains(s.content, had)
}
