package provision

import (
	"slices"
	"strconv"
	"strings"
	"testing"
)

// arrows are who may import whom of our own packages: cmd → provision → the leaves, which know nothing of each other.
// What is in bottom may be imported by all.
var arrows = map[string][]string{
	"cmd/wsprovision": {"provision", "provision/firstboot", "provision/verify", "provision/status", "provision/state", "provision/host", "provision/diagnose", "provision/engine", "provision/config", "provision/websocket", "systemd"},
	"provision": {"provision/firstboot", "provision/verify", "provision/status", "provision/proxy", "provision/policy", "provision/labels", "provision/packages", "provision/managed", "provision/state", "provision/host", "provision/diagnose", "provision/engine", "provision/config", "provision/nginx", "provision/websocket",
		"rpm", "selinux", "systemd"},
	"provision/managed":      {"provision/state", "provision/host", "provision/engine", "provision/config"},
	"provision/state":        {"provision/host", "provision/engine"},
	"provision/host":         {"provision/config", "provision/nginx", "provision/websocket", "rpm", "selinux", "systemd"},
	"provision/diagnose":     {"provision/host", "provision/config", "provision/nginx", "provision/nginx/route", "provision/websocket", "selinux", "systemd"},
	"provision/config":       nil,
	"provision/engine":       nil,
	"provision/nginx":        {"provision/nginx/render"},
	"provision/nginx/render": nil,
	"provision/nginx/tokens": nil,
	"provision/nginx/route":  {"provision/nginx"},
	"provision/websocket":    nil,
	"rpm":                    nil,
	"selinux":                nil,
	"systemd":                nil,
	"provision/hostfile":     {"provision/plaintext"},
	"provision/plaintext":    nil,
	"provision/secret":       nil,
	"provision/site":         nil,
}

// bottom are the packages that know nothing of the agent's work: every other may import them, and they import none of
// ours but each other, as arrows says.
var bottom = []string{"provision/hostfile", "provision/plaintext", "provision/secret", "provision/site",
	"provision/nginx/tokens"}

func TestArrows(t *testing.T) {
	for path, file := range sources(t) {
		dir := path[:strings.LastIndexByte(path, '/')]
		allowed, known := arrows[dir]
		if !known {
			t.Errorf("package %s has no place in arrows: say who may import it", dir)
		}
		for _, i := range file.tree.Imports {
			p, _ := strconv.Unquote(i.Path.Value)
			ours, ok := strings.CutPrefix(p, "wsprovision/")
			if ok && !slices.Contains(allowed, ours) &&
				(slices.Contains(bottom, dir) || !slices.Contains(bottom, ours)) {
				t.Errorf("%s imports %s: the arrows go cmd → provision → {rpm, selinux, systemd, provision/…} → bottom", path, ours)
			}
			if p == "testing" || strings.Contains(p, "go-cmp") || strings.Contains(p, "testscript") {
				t.Errorf("%s imports %s and is no test", path, p)
			}
		}
	}
}
