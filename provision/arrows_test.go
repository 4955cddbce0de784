package provision

import (
	"slices"
	"strconv"
	"strings"
	"testing"
)

// arrows are whom each of our packages may import, in words: "host" is provision/host. They go one way: cmd → provision
// → its rooms → the leaves, which know nothing of each other. What is in bottom may be imported by all.
var arrows = map[string]string{
	"cmd/wsprovision": "cmd/wsprovision/screen cmd/wsprovision/show cmd/wsprovision/cmdline cmd/wsprovision/ending " +
		"cmd/wsprovision/outfile " +
		"provision firstboot verify status diagnose/cause fleet support planfile state host engine " +
		"config config/reading config/kinds websocket websocket/handshake systemd",
	"cmd/wsprovision/screen":  "",
	"cmd/wsprovision/show":    "cmd/wsprovision/screen verify status diagnose/cause engine websocket/handshake",
	"cmd/wsprovision/cmdline": "cmd/wsprovision/screen host config config/reading config/kinds",
	"cmd/wsprovision/ending":  "host engine",
	"cmd/wsprovision/outfile": "host",
	"provision": "siteconfig firstboot verify status " + rooms +
		" config nginx nginx/render websocket rpm rpm/openpgp rpm/locks rpm/yumerr selinux selinux/policydb systemd",
	"provision/firstboot":   rooms + " config systemd",
	"provision/credentials": "websocket/handshake",
	"provision/verify": "credentials diagnose diagnose/backend diagnose/server diagnose/facts diagnose/cause " +
		"proxy state host engine config nginx/conf nginx/files nginx/head nginx/render nginx/route websocket " +
		"websocket/handshake selinux selinux/policydb systemd",
	"provision/status": "packages state host engine nginx selinux selinux/policydb systemd",
	"provision/diagnose": "diagnose/answer diagnose/backend diagnose/server diagnose/facts diagnose/cause host " +
		"config nginx websocket/handshake",
	"provision/diagnose/answer": "diagnose/facts diagnose/cause nginx/conf nginx/files nginx/head nginx/outcome " +
		"nginx/route websocket websocket/handshake",
	"provision/diagnose/backend": "diagnose/server diagnose/facts diagnose/cause host config nginx nginx/conf " +
		"nginx/outcome nginx/render websocket/handshake selinux",
	"provision/diagnose/server": "diagnose/facts diagnose/cause host nginx nginx/conf nginx/render " +
		"websocket/handshake",
	"provision/diagnose/facts": "diagnose/cause host config nginx nginx/conf nginx/files nginx/head nginx/outcome " +
		"nginx/route websocket websocket/handshake selinux selinux/policydb systemd",
	"provision/diagnose/cause": "",
	"provision/proxy": "sitecheck managed state host engine config nginx nginx/conf nginx/glob " +
		"nginx/render nginx/route nginx/files nginx/head certificate selinux selinux/policydb systemd",
	"provision/renewal": "sitecheck proxy host engine config nginx/conf nginx/files nginx/head nginx/route " +
		"certificate",
	"provision/sitecheck":   "credentials certificate host engine nginx selinux",
	"provision/certificate": "",
	"provision/policy":      "managed state host engine config selinux selinux/policydb systemd",
	"provision/capacity":    "proxy managed state host engine config nginx nginx/conf selinux systemd",
	"provision/firewall":    "state host engine config firewalld systemd",
	"provision/labels":      "state host engine selinux selinux/policydb systemd",
	"provision/packages":    "managed state host engine config rpm rpm/rpmdb rpm/yumconf rpm/openpgp rpm/yumerr",
	"provision/siteconfig":  "managed engine config",
	"provision/managed":     "state host engine config",
	"provision/state":       "host engine",
	"provision/host": "nginx nginx/conf websocket websocket/handshake rpm firewalld selinux " +
		"selinux/policydb systemd",
	"provision/nginx/route":         "nginx/conf nginx/files nginx/head nginx/outcome nginx/variable",
	"provision/nginx/outcome":       "nginx/conf nginx/variable",
	"provision/nginx/variable":      "nginx/conf nginx/head nginx/pcre",
	"provision/nginx/files":         "",
	"provision/nginx/head":          "",
	"provision/nginx/pcre":          "",
	"provision/config":              "config/sitekeys config/reading config/kinds",
	"provision/config/sitekeys":     "config/reading config/kinds",
	"provision/config/reading":      "config/kinds",
	"provision/config/kinds":        "",
	"provision/engine":              "",
	"provision/nginx":               "nginx/conf",
	"provision/nginx/conf":          "nginx/glob nginx/render",
	"provision/nginx/glob":          "",
	"provision/nginx/render":        "",
	"provision/nginx/tokens":        "",
	"provision/websocket":           "websocket/handshake",
	"provision/websocket/handshake": "",
	"rpm":                           "rpm/rpmdb rpm/yumconf rpm/openpgp rpm/locks rpm/yumerr rpm/said",
	"rpm/rpmdb":                     "rpm/openpgp rpm/yumerr rpm/said",
	"rpm/yumconf":                   "rpm/yumerr rpm/said",
	"rpm/openpgp":                   "rpm/said",
	"rpm/locks":                     "rpm/said",
	"rpm/yumerr":                    "rpm/said",
	"rpm/said":                      "",
	"selinux":                       "selinux/policydb",
	"selinux/policydb":              "",
	"systemd":                       "",
	"firewalld":                     "",
	"provision/hostfile":            "plaintext",
	"provision/plaintext":           "",
	"provision/running":             "",
	"provision/secret":              "lazy nginx/tokens",
	"provision/lazy":                "",
	"provision/known":               "",
	"provision/planfile":            "engine host config",
	"provision/support":             "status state host engine config nginx/conf",
	"provision/fleet":               "state host engine config certificate",
	"provision/site":                "",
	"provision/stepnames":           "",
}

// rooms are the packages that steps are made of.
const rooms = "capacity renewal proxy firewall policy labels packages managed state host engine"

// bottom are the packages that know nothing of the agent's work: every other may import them, and they import none of
// ours but each other, as arrows says.
var bottom = []string{"hostfile", "known", "lazy", "plaintext", "running", "secret", "site", "stepnames",
	"nginx/tokens"}

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
			word := strings.TrimPrefix(ours, "provision/")
			if ok && !slices.Contains(strings.Fields(allowed), word) &&
				(slices.Contains(bottom, strings.TrimPrefix(dir, "provision/")) || !slices.Contains(bottom, word)) {
				t.Errorf("%s imports %s: the arrows go cmd → provision → {rpm, selinux, systemd, provision/…} → "+
					"bottom", path, ours)
			}
			if p == "testing" || strings.Contains(p, "go-cmp") || strings.Contains(p, "testscript") {
				t.Errorf("%s imports %s and is no test", path, p)
			}
		}
	}
}
