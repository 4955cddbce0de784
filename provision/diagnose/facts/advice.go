package facts

import (
	"bytes"
	"slices"
	"strings"

	"wsprovision/provision/diagnose/cause"
	"wsprovision/provision/host"
	"wsprovision/provision/nginx/conf"
)

// Ours reports whether a file of nginx's configuration is the one that the agent wrote for the site.
func Ours(e *Evidence, file string) bool { return e.Site != nil && file == e.SitePath(e.Site.Name) }

// ApplyCommand is how the agent is told of this configuration, where the site's
// file is somebody's by now with what that takes.
func ApplyCommand(e *Evidence) cause.Mend {
	if e.Site == nil || asConfigured(e, e.SitePath(e.Site.Name)) {
		return cause.Do(applyArgv(e)...)
	}
	return cause.Do(append(applyArgv(e), e.Own.Flags...)...)
}

// applyArgv needs no options: what a run was told by them is written down. A first boot reads its own file, which no
// command is to name.
func applyArgv(e *Evidence) []string {
	source := e.Config.Source
	switch {
	case e.Again != nil:
		return slices.Clone(e.Again)
	case source == "", source == "/etc/wsprovision/wsprovision.yaml", strings.HasPrefix(source, host.StateDir+"/"):
		return []string{"wsprovision", "apply"}
	}
	return []string{"wsprovision", "apply", "--config", source}
}

// Edit says how to mend a line of the configuration: the agent rewrites its own file, as its configuration says, unless
// that would take somebody's lines out of it; somebody else's is theirs to edit.
func Edit(e *Evidence, file string, line int, what cause.Mend) cause.Mend {
	switch {
	case Ours(e, file) && asConfigured(e, file):
		return what.Say(" in ").Name(file).Say(" by way of the site's configuration, which does not ask for it, then ").
			Join(ApplyCommand(e))
	case Ours(e, file) && !HasOthersLines(e, file):
		return ApplyCommand(e)
	}
	return what.Say(" in ").Line(file, line).Say(ThenReload)
}

// Rewrite has the agent write the site's file anew, where nobody's lines are lost by that; else it is said what to do.
func Rewrite(e *Evidence, otherwise cause.Mend) cause.Mend {
	if e.Site == nil || HasOthersLines(e, e.SitePath(e.Site.Name)) {
		return otherwise
	}
	return ApplyCommand(e)
}

// HasOthersLines reports whether the site's file has a line that is not among those that the agent would write, such as
// certbot's: an apply would take it out.
func HasOthersLines(e *Evidence, file string) bool {
	have, err := e.Files.Read(file)
	if err != nil {
		return true
	}
	wanted := map[string]bool{"": true}
	for line := range bytes.Lines(e.Own.Content) {
		wanted[string(bytes.TrimSpace(line))] = true
	}
	for line := range bytes.Lines(have.Content) {
		if text := string(bytes.TrimSpace(line)); !wanted[text] && !replaces(text, wanted) {
			return true
		}
	}
	return false
}

// replaces: the line says a directive of the agent's otherwise, as an edit of it does, and adds none.
func replaces(line string, wanted map[string]bool) bool {
	fields := strings.Fields(line)
	if len(fields) == 0 || strings.HasPrefix(fields[0], "#") {
		return true
	}
	key := fields[0]
	if key == "proxy_set_header" && len(fields) > 1 {
		key += " " + fields[1]
	}
	for w := range wanted {
		if w == key || strings.HasPrefix(w, key+" ") {
			return true
		}
	}
	return false
}

// What nginx's configuration wants after an edit: a running nginx is reloaded, one that may not run is started.
const (
	ThenReload cause.Words = ", then nginx -t && systemctl reload nginx"
	ThenServe  cause.Words = ", then nginx -t && systemctl reload-or-restart nginx"
)

// Reload has nginx take the configuration of the disk.
func Reload() cause.Mend { return cause.Do("nginx", "-t").And("systemctl", "reload", "nginx") }

// asConfigured reports whether the site's file is what the agent would write.
func asConfigured(e *Evidence, file string) bool {
	have, err := e.Files.Read(file)
	return err == nil && e.Own.Content != nil && have.Content != nil && bytes.Equal(have.Content, e.Own.Content)
}

// ReplaceLine says what to write in the place of a directive.
func ReplaceLine(d conf.Directive, by cause.Words) cause.Mend {
	return cause.Say("replace ").Name(Written(d)).Say(" in ").Line(d.File, d.Line).
		Say(" by ").Say(by)
}

// Written is a directive as nginx would read it.
func Written(d conf.Directive) string {
	text := d.Name
	for _, a := range d.Args {
		if a == "" || strings.ContainsAny(a, " ;{}") {
			a = `"` + a + `"`
		}
		text += " " + a
	}
	return text + ";"
}

// InFile is a mend that says its own places; the agent's own file is the agent's to write.
func InFile(e *Evidence, file string, line int, what cause.Mend) cause.Mend {
	if Ours(e, file) {
		if asConfigured(e, file) || !HasOthersLines(e, file) {
			return Edit(e, file, line, what)
		}
	}
	return what.Say(ThenReload)
}
