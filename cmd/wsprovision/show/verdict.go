package show

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"wsprovision/cmd/wsprovision/screen"
	"wsprovision/provision/diagnose/cause"
	"wsprovision/provision/plaintext"
	"wsprovision/provision/verify"
)

func JSON(w io.Writer, report any) error {
	text, err := json.MarshalIndent(report, "", "  ")
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(w, string(text))
	return err
}

// Target is one target for people.
func Target(s *screen.Screen, t verify.TargetReport) {
	s.Line(screen.Styled(screen.Bold, fmt.Sprintf("%s at %s: ", t.URL, t.Address)), result(t.Result, "%s"))
	if t.Echo {
		s.Item(2, screen.Plainly, fmt.Sprintf("the backend %s does not run: an echo backend stood in for it",
			t.Backend))
	}
	for _, c := range t.Checks {
		detail := c.Detail
		switch c.Result {
		case verify.Failed:
			detail = c.Error
		case verify.Skipped:
			continue
		}
		s.Put([]screen.Span{screen.Styled(screen.Plainly, fmt.Sprintf("  %-25s ", c.Name)), result(c.Result, "%-7s"),
			screen.Styled(screen.Plainly, fmt.Sprintf(" %8.1f ms  ", c.Millis))}, "      ", screen.Plainly,
			plaintext.Line(detail))
	}
	writeSkipped(s, t.Checks)
	if t.Timing != nil {
		writeTiming(s, *t.Timing)
	}
	if t.Diagnosis != nil {
		writeDiagnosis(s, "cause", *t.Diagnosis)
	}
}

// writeSkipped is one line of all the checks that were skipped for the same reason.
func writeSkipped(s *screen.Screen, checks []verify.CheckReport) {
	names := map[string][]string{}
	var reasons []string
	for _, c := range checks {
		if c.Result != verify.Skipped {
			continue
		}
		if names[c.Why] == nil {
			reasons = append(reasons, c.Why)
		}
		names[c.Why] = append(names[c.Why], c.Name)
	}
	for _, why := range reasons {
		s.Item(2, screen.Plainly, plaintext.Line(fmt.Sprintf("skipped: %s: %s", strings.Join(names[why], ", "), why)))
	}
}

// result is a check's, as wide as the format has it.
func result(r string, format string) screen.Span {
	styles := map[string]screen.Style{verify.OK: screen.Green, verify.Failed: screen.Red}
	return screen.Styled(styles[r], fmt.Sprintf(format, r))
}

func writeTiming(s *screen.Screen, t verify.TimingReport) {
	s.Item(2, screen.Plainly, plaintext.Line(fmt.Sprintf("%d connections in %.0f ms, %d failed%s", t.Count, t.Elapsed,
		t.Failed,
		named(": ", t.Error))))
	for _, row := range []struct {
		name string
		p    verify.Percentiles
	}{{"handshake", t.Handshake}, {"ping to pong", t.RoundTrip}} {
		s.Item(2, screen.Plainly, fmt.Sprintf("%-13s p50 %.1f ms, p90 %.1f ms, p99 %.1f ms, max %.1f ms", row.name,
			row.p.P50,
			row.p.P90, row.p.P99, row.p.Max))
	}
}

func writeDiagnosis(s *screen.Screen, word string, d cause.Diagnosis) {
	colour := screen.Red
	if word == "warning" {
		colour = screen.Yellow
	}
	s.Item(2, colour, plaintext.Line(fmt.Sprintf("%s: %s (%s)", word, d.Cause, d.Code)))
	for _, e := range d.Evidence {
		s.Item(4, screen.Plainly, "evidence: "+e)
	}
	if !d.Mend.IsZero() {
		screen.WriteMend(s, d.Mend.String())
	}
}

// Verdict is the last of a verification. It is an error if any of it could not be written.
func Verdict(s *screen.Screen, r *verify.Report) error {
	for _, d := range r.Warnings {
		writeDiagnosis(s, "warning", d)
	}
	for _, u := range r.Unproved {
		s.Item(0, screen.Yellow, plaintext.Line(fmt.Sprintf("not proved: %s of %s: %s", u.Path, u.Site, u.Why)))
	}
	ok, stopped := 0, 0
	for _, t := range r.Targets {
		if t.Result == verify.OK {
			ok++
		}
		if t.Stop != nil {
			stopped++
		}
	}
	behind := ""
	if stopped > 0 {
		behind = fmt.Sprintf(", %d of them up to a refusal that the site asks for", stopped)
	}
	s.Line(screen.Styled(screen.Plainly,
		fmt.Sprintf("verify: %s, %.1fs: %d of %d%s%s", r.Result, float64(r.Millis)/1000, ok,
			len(r.Targets), behind, named("; interrupted: ", r.Interrupted))))
	return s.Err
}
