package diagnose

import (
	"bytes"
	"slices"
	"strings"

	"wsprovision/provision/host"
)

// ours reports whether a file of nginx's configuration is the one that the agent wrote for the site.
func ours(e *evidence, file string) bool { return e.Site != nil && file == host.SitePath(e.Site.Name) }

// applyCommand is how the agent is told of this configuration, where the site's
// file is somebody's by now with what that takes.
func applyCommand(e *evidence) Mend {
	if e.Site == nil || asConfigured(e, host.SitePath(e.Site.Name)) {
		return do(applyArgv(e)...)
	}
	return do(append(applyArgv(e), e.Own.Flags...)...)
}

func applyArgv(e *evidence) []string {
	if e.Again != nil {
		return slices.Clone(e.Again)
	}
	if e.Site == nil {
		return []string{"wsprovision", "apply"}
	}
	switch e.config.Source {
	case "":
		argv := []string{"wsprovision", "apply", "--server-name", strings.Join(e.Site.ServerNames, ",")}
		if e.Location != nil {
			argv = append(argv, "--backend", e.Location.BackendFlag())
			if e.Location.Path != "/" {
				argv = append(argv, "--path", e.Location.Path)
			}
		}
		return argv
	case "/etc/wsprovision/wsprovision.yaml":
		return []string{"wsprovision", "apply"}
	}
	return []string{"wsprovision", "apply", "--config", e.config.Source}
}

// edit says how to mend a line of the configuration: the agent rewrites its own file, as its configuration says, unless
// that would take somebody's lines out of it; somebody else's is theirs to edit.
func edit(e *evidence, file string, line int, what Mend) Mend {
	switch {
	case ours(e, file) && asConfigured(e, file):
		return what.say(" in ").name(file).say(" by way of the site's configuration, which does not ask for it, then ").
			join(applyCommand(e))
	case ours(e, file) && !hasOthersLines(e, file):
		return applyCommand(e)
	}
	return what.say(" in ").line(file, line).say(thenReload)
}

// rewrite has the agent write the site's file anew, where nobody's lines are lost by that; else it is said what to do.
func rewrite(e *evidence, otherwise Mend) Mend {
	if e.Site == nil || hasOthersLines(e, host.SitePath(e.Site.Name)) {
		return otherwise
	}
	return applyCommand(e)
}

// hasOthersLines reports whether the site's file has a line that is not among those that the agent would write, such as
// certbot's: an apply would take it out.
func hasOthersLines(e *evidence, file string) bool {
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
	thenReload words = ", then nginx -t && systemctl reload nginx"
	thenServe  words = ", then nginx -t && systemctl reload-or-restart nginx"
)

// reload has nginx take the configuration of the disk.
func reload() Mend { return do("nginx", "-t").and("systemctl", "reload", "nginx") }

// asConfigured reports whether the site's file is what the agent would write.
func asConfigured(e *evidence, file string) bool {
	have, err := e.Files.Read(file)
	return err == nil && e.Own.Content != nil && have.Content != nil && bytes.Equal(have.Content, e.Own.Content)
}
