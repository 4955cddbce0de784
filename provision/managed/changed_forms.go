package managed

import (
	"bytes"
	"fmt"

	"wsprovision/provision/engine"
)

// changedForm is a line of files of ours that another version had otherwise.
type changedForm struct {
	Had   string // what an earlier version wrote, and no version writes by now
	Gains string // where it is not "": Had is still written, and this beside it
	Why   string
}

var ChangedForms = [...]changedForm{
	{Had: "proxy_set_header Upgrade $http_upgrade;",
		Why: "1.0.0 passed on whatever protocol a client asks for with Upgrade, also h2c, a tunnel past the path; " +
			"only websocket is passed on by now"},
	{Had: "# managed by wsprovision; what is changed here by hand is overwritten",
		Why: "the first line of 1.0.0 said that an edit is overwritten; it names on_drift by now, which decides that"},
	{Had: "proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;",
		Why: "the backend was told what a client wrote into X-Forwarded-For itself; by now it is the client's " +
			"address, and what stands before it counts from trusted_proxies only"},
	{Had: "proxy_set_header Host $http_host;",
		Why: "the backend's Host was whatever the client wrote; by now it is the name by which nginx chose the site, " +
			"with the client's port"},
	{Had: "ssl_certificate_key ", Gains: "ssl_protocols ",
		Why: "nginx's own default lets TLS 1.0 and 1.1 in; by now the protocols, ciphers and sessions are those of " +
			"Mozilla's intermediate profile (tls.profile)"},
	{Had: "proxy_set_header Upgrade ", Gains: "proxy_socket_keepalive ",
		Why: "a backend's machine that died was noticed after the timeout of a day only; by now TCP keepalive tells"},
}

// sayForms says why a file that an earlier version wrote is written anew,
// although nobody has asked for anything else.
func sayForms(f *engine.Finding, files []File) {
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
	if s.Foreign || s.Kept || s.Content == nil {
		return false
	}
	had, gains := []byte(c.Had), []byte(c.Gains)
	if !bytes.Contains(s.Have.Content, had) {
		return false
	}
	if c.Gains == "" {
		return !bytes.Contains(s.Content, had)
	}
	return !bytes.Contains(s.Have.Content, gains) && bytes.Contains(s.Content, had) && bytes.Contains(s.Content, gains)
}
