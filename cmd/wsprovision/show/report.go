package show

import (
	"fmt"
	"strings"

	"wsprovision/cmd/wsprovision/screen"
	"wsprovision/provision/engine"
	"wsprovision/provision/stepnames"
)

// Styles are the colours of what became of a step.
var Styles = map[engine.Status]screen.Style{engine.Unchanged: screen.Green, engine.Changed: screen.Yellow,
	engine.Planned:  screen.Yellow,
	engine.Deferred: screen.Cyan, engine.Skipped: screen.Plainly, engine.Failed: screen.Red}

// Step is one step for people: a line, and what there is to say of it. Why it failed stands at the report's end,
// where it is on the screen still, and so does what was skipped.
func Step(s *screen.Screen, n, total int, step engine.StepReport) {
	if step.Status == engine.Skipped {
		return
	}
	s.Line(screen.Styled(screen.Plainly, fmt.Sprintf("%d/%d %-12s ", n, total, step.Name)),
		screen.Styled(Styles[step.Status], fmt.Sprintf("%-9s", step.Status)),
		screen.Styled(screen.Plainly, fmt.Sprintf(" %5.1fs", float64(step.Millis)/1000)))
	wanted := ""
	if step.Status == engine.Failed { // of which nobody knows how much was done
		wanted = "wanted: "
	}
	for _, c := range step.Changes {
		s.Item(6, screen.Plainly, wanted+c.String())
		s.Diff(8, c.Diff)
	}
	for _, note := range step.Notes {
		s.Item(6, screen.Plainly, note)
	}
	for _, warning := range step.Warnings {
		s.Item(6, screen.Yellow, "warning: "+warning)
	}
}

// End is the last of a report: the summary, and behind it what failed. It is an error if any of the report could
// not be written.
func End(s *screen.Screen, r *engine.Report) error {
	s.Line(screen.Styled(screen.Plainly, Summary(r)))
	if why := skipped(r.Steps); why != "" {
		s.Item(2, screen.Plainly, why)
	}
	for _, step := range r.Steps {
		if step.Status != engine.Failed {
			continue
		}
		s.Item(2, screen.Red, step.Name+": error: "+step.Error)
		if hint := hints[step.Name]; hint != "" {
			s.Item(4, screen.Plainly, "to see more: "+hint)
		}
	}
	if next := NextOf(r); next != "" {
		s.Item(2, screen.Bold, "next: "+next)
	}
	return s.Err
}

// hints are where more is to be seen of a step that failed. No hint changes anything.
var hints = map[string]string{
	stepnames.Repository: "yum repolist",
	stepnames.Packages:   "yum repolist; /var/log/yum.log",
	stepnames.SELinux:    "getsebool httpd_can_network_connect; semanage port -l -C",
	stepnames.Validate:   "nginx -t",
	stepnames.Service:    "systemctl status nginx; journalctl -u nginx; tail /var/log/nginx/error.log",
	stepnames.Proof:      "wsprovision verify",
}

// NextOf is what to do about a run that failed.
func NextOf(r *engine.Report) string {
	switch {
	case r.Result != engine.Failed, r.Interrupted != "": // which the summary speaks of
		return ""
	case r.Command == "plan" || r.Command == "revert --plan":
		return "mend that, and plan again: nothing was changed"
	case !r.Differs():
		return "mend that, and run the same command again: nothing was changed"
	}
	return "mend that, and run the same command again: it leaves alone what is right already"
}

// skipped is one line of all the steps that were.
func skipped(steps []engine.StepReport) string {
	var names []string
	var why string
	same := true
	for _, s := range steps {
		if s.Status == engine.Skipped {
			same = same && (why == "" || why == s.Why)
			why = s.Why
			names = append(names, s.Name)
		}
	}
	switch {
	case len(names) == 0:
		return ""
	case same && why != "":
		return "skipped: " + strings.Join(names, ", ") + ": " + why
	}
	return "skipped, for what failed before: " + strings.Join(names, ", ")
}

// Summary is a line: "apply: changed, 12.6s: 5 changed, 3 unchanged".
func Summary(r *engine.Report) string {
	count := map[engine.Status]int{}
	for _, s := range r.Steps {
		count[s.Status]++
	}
	var parts []string
	for _, status := range []engine.Status{engine.Failed, engine.Skipped, engine.Deferred, engine.Changed,
		engine.Planned, engine.Unchanged} {
		if count[status] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", count[status], status))
		}
	}
	line := fmt.Sprintf("%s: %s, %.1fs: %s", r.Command, r.Result, float64(r.Millis)/1000, strings.Join(parts, ", "))
	if len(r.NextBoot) > 0 {
		line += "; at the next boot: " + strings.Join(r.NextBoot, "; ")
	}
	if r.Resumes != "" {
		line += "; " + r.Resumes
	}
	if r.Interrupted != "" {
		line += "; interrupted: " + r.Interrupted + "; run it again to finish"
	}
	return line
}
