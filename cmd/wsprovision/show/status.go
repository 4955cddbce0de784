package show

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"wsprovision/cmd/wsprovision/screen"
	"wsprovision/provision/engine"
	"wsprovision/provision/plaintext"
	"wsprovision/provision/status"
)

// besideName is where the words about a thing begin.
const besideName = 14

func Status(s *screen.Screen, h status.Report) {
	line := func(name string, words ...string) {
		words = slices.DeleteFunc(words, func(s string) bool { return s == "" })
		if len(words) == 0 {
			words = []string{"unknown"}
		}
		s.Put([]screen.Span{screen.Styled(screen.Plainly, fmt.Sprintf("%-*s", besideName, name))},
			strings.Repeat(" ", besideName), screen.Plainly,
			plaintext.Line(strings.Join(words, ", ")))
	}
	line("provisioning", string(h.State), h.Why)
	place := h.Place
	if h.Offline {
		place += " (offline)"
	}
	nowText(line, h.Now)
	line("place", place, h.Evidence)
	line("system", h.System)
	line("selinux", named("", h.SELinux.Mode), named("configured ", h.SELinux.Configured),
		named("policy ", h.SELinux.Policy), named("store ", h.SELinux.Store))
	if h.SELinux.Relabel {
		line("", "the next boot labels every file anew (/.autorelabel) and reboots")
	}
	line("systemd", SystemdWords(h.Systemd)...)
	for _, name := range []string{"yum", "rpm", "nginx"} {
		words := []string{h.Packages[name]}
		if words[0] == "" && h.Packages != nil {
			words[0] = "not installed"
		}
		if name == "nginx" {
			words = append(words, named("at boot ", h.Nginx.AtBoot), named("now ", h.Nginx.Active))
		}
		line(name, words...)
	}
	for _, beside := range h.Nginx.Beside {
		line("", beside)
	}
	for _, why := range h.Unknown {
		line("", "not known: "+why)
	}
	if h.Report != nil {
		writeLastRun(s, h.Report)
	}
}

// nowText says how the host stands, and what differs.
func nowText(line func(name string, words ...string), n status.Now) {
	by := map[string]string{status.ByConfiguration: "by the files in /etc/wsprovision",
		status.ByLedger: "by what the agent left, because no file asks for a site"}[n.By]
	state := map[status.Condition]string{status.AsAsked: "as asked", status.Differs: "not as asked"}[n.State]
	line("now", cmp.Or(state, "unknown"), by, n.Why)
	for _, words := range slices.Concat(n.Differences(), n.Unknown) {
		line("", words)
	}
}

func writeLastRun(s *screen.Screen, r *engine.Report) {
	s.Line(screen.Span{})
	Run(s, r)
}

// Run is the report of an earlier run.
func Run(s *screen.Screen, r *engine.Report) {
	s.Line(screen.Styled(screen.Plainly, fmt.Sprintf("%s of %s%s", r.Command, r.Started.Format(time.RFC3339),
		named(", phase ", r.Phase))))
	for i, step := range r.Steps {
		Step(s, i+1, len(r.Steps), step)
	}
	_ = End(s, r)
}

func named(name, value string) string {
	if value == "" {
		return ""
	}
	return name + value
}

func SystemdWords(s status.SystemdStatus) []string {
	words := []string{"version unknown", "not running here"}
	if s.Version > 0 {
		words[0] = fmt.Sprint(s.Version)
	}
	if s.Running {
		words[1] = "is PID 1"
	}
	return words
}
