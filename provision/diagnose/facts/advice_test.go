package facts

import (
	"strings"
	"testing"

	"wsprovision/provision/config"
)

// What mends is the command that an administrator would type: the options of a run that is over are written down.
func TestApplyArgv(t *testing.T) {
	for source, want := range map[string]string{
		"":                                   "wsprovision apply",
		"/etc/wsprovision/wsprovision.yaml":  "wsprovision apply",
		"/var/lib/wsprovision/deferred.yaml": "wsprovision apply",
		"/root/sites.yaml":                   "wsprovision apply --config /root/sites.yaml",
	} {
		e := &Evidence{}
		e.Site, e.Config = &config.Site{Name: "chat"}, config.Config{Source: source}
		if got := strings.Join(applyArgv(e), " "); got != want {
			t.Errorf("with %q: %s, want %s", source, got, want)
		}
		e.Again = []string{"wsprovision", "apply", "--path=/x"}
		if got := strings.Join(applyArgv(e), " "); got != "wsprovision apply --path=/x" {
			t.Errorf("with options: %s", got)
		}
	}
}
