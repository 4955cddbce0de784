package managed

import (
	"bytes"
	"fmt"

	"wsprovision/provision/engine"
)

// changedForm is what an earlier version wrote into files of ours, and no
// version writes by now.
type changedForm struct{ Had, Why string }

var ChangedForms = [...]changedForm{
	{"proxy_set_header Upgrade $http_upgrade;",
		"1.0.0 passed on whatever protocol a client asks for with Upgrade, also h2c, a tunnel past the path; " +
			"only websocket is passed on by now"},
	{"# managed by wsprovision; what is changed here by hand is overwritten",
		"the first line of 1.0.0 said that an edit is overwritten; it names on_drift by now, which decides that"},
}

// sayForms says why a file that an earlier version wrote is written anew,
// although nobody has asked for anything else.
func (m *Files) sayForms(f *engine.Finding, files []File) {
	for _, form := range ChangedForms {
		first, more := "", -1
		for _, s := range files {
			if form.changes(s) {
				if more++; first == "" {
					first = s.Path
				}
			}
		}
		if first != "" {
			f.Notes = append(f.Notes, fmt.Sprintf("change of %s%s: %s", first, engine.AndMore(more), form.Why))
		}
	}
}

func (c changedForm) changes(s File) bool {
	had := []byte(c.Had)
	return !s.Foreign && !s.Kept && s.Content != nil &&
		bytes.Contains(s.Have.Content, had) && !bytes.Contains(s.Content, had)
}
