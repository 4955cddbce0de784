package systemd

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"syscall"
	"time"

	"github.com/godbus/dbus/v5"
)

// refusal explains systemd's error codes (its bus-errors.h; 208 says Masked where 219 says UnitMasked), as their own
// texts often lack the unit's name: "Unit is masked.", "Unit not found.". An unknown code has no explanation.
func refusal(code, unit string) string {
	switch strings.TrimPrefix(code, destination+".") {
	case "NoSuchUnit":
		return "there is no such unit"
	case "UnitMasked", "Masked":
		return fmt.Sprintf("%s, or %q where it is masked until the next boot only", maskedSentence(unit, ""),
			Unmask(unit, "masked-runtime"))
	case "JobTypeNotApplicable":
		return "the unit cannot do that (a reload needs ExecReload= in the unit)"
	case "ShuttingDown":
		return "the system is shutting down"
	case "org.freedesktop.DBus.Error.AccessDenied", "org.freedesktop.DBus.Error.InteractiveAuthorizationRequired":
		return "systemd does not permit it to this user"
	case "org.freedesktop.DBus.Error.FileNotFound":
		return "there is no such unit file"
	}
	return ""
}

// sentence says what a failed call means. What systemd said besides is kept.
func (l *Live) sentence(verb, unit string, err error) error {
	var failed dbus.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &failed):
		if s := refusal(failed.Name, unit); s != "" {
			return fmt.Errorf("%s %s: %s", verb, unit, s)
		}
		return fmt.Errorf("%s %s: systemd: %s (%s)", verb, unit, strings.TrimSuffix(failed.Error(), "."), failed.Name)
	case l.wire != nil && l.wire.lost(err):
		return fmt.Errorf("%s %s: the connection to systemd was lost: %w", verb, unit, err)
	}
	return fmt.Errorf("%s %s: %w", verb, unit, err)
}

// verdict turns a job's result (org.freedesktop.systemd1(5), JobRemoved) into an error, unless it is "done".
func (l *Live) verdict(ctx context.Context, verb, unit, result string, begun time.Time) error {
	says := map[string]string{
		"canceled":    "the job was cancelled by another request",
		"timeout":     "the job timed out",
		"failed":      "the job failed",
		"dependency":  "a unit that it depends on failed",
		"skipped":     "the job was skipped, as the unit's state had no use for it",
		"invalid":     "the unit is not active",
		"assert":      "an Assert…= in the unit is not met",
		"unsupported": "this kind of unit is not supported here",
	}
	if result == "done" {
		return nil
	}
	s, ok := says[result]
	if !ok {
		s = fmt.Sprintf("the job ended with the unknown result %q", result)
	}
	return l.because(ctx, verb, unit, s, begun)
}

// because adds to an error what systemd knows of the unit's commands, and the journal's last lines.
func (l *Live) because(ctx context.Context, verb, unit, what string, begun time.Time) error {
	ctx, cancel := context.WithTimeout(ctx, min(l.CallWait, 10*time.Second))
	defer cancel()
	text := fmt.Sprintf("%s %s: %s", verb, unit, what)
	for _, c := range l.commands(ctx, verb, unit) {
		text += "; " + c
	}
	if lines := l.journal(ctx, unit, begun); lines != "" {
		return errors.New(text + "; journal: " + lines)
	}
	return fmt.Errorf("%s; see \"systemctl status %s\"", text, unit)
}

// journal gives the unit's last lines. --since takes a span before now, as journalctl 208 reads no other form
// that does not depend on the time zone.
func (l *Live) journal(ctx context.Context, unit string, begun time.Time) string {
	if l.Read == nil {
		return ""
	}
	since := fmt.Sprintf("--since=-%ds", int(time.Since(begun)/time.Second)+2)
	out, _, status, err := l.Read(ctx, "", "journalctl", "--no-pager", "--quiet", "--unit="+unit, since, "--lines=5",
		"--output=cat")
	if err != nil || status != 0 {
		return ""
	}
	return strings.Join(strings.FieldsFunc(out, func(r rune) bool { return r == '\n' }), " | ")
}

// commands names the commands of the unit that did not exit with 0.
func (l *Live) commands(ctx context.Context, verb, unit string) []string {
	var props map[string]any
	err := l.ask(ctx, func(ctx context.Context, w *wire) (err error) {
		props, err = w.conn.GetUnitTypePropertiesContext(ctx, unit, "Service")
		return err
	})
	if err != nil {
		return nil
	}
	kinds := []string{"ExecStartPre", "ExecStart", "ExecStartPost"}
	if verb == "reload" {
		kinds = []string{"ExecReload"}
	}
	var found []string
	for _, kind := range kinds {
		list, _ := props[kind].([][]any)
		for _, c := range list {
			if s := ended(c); s != "" {
				found = append(found, kind+" "+s)
			}
		}
	}
	return found
}

// ended reads one command, of type (sasbttttuii): path, arguments, ignored, four times, pid, code, status. The code
// is a CLD_… of sigaction(2).
func ended(c []any) string {
	if len(c) != 10 {
		return ""
	}
	argv, _ := c[1].([]string)
	code, _ := c[8].(int32)
	status, _ := c[9].(int32)
	command := strings.Join(argv, " ")
	switch {
	case code == 1 && status != 0:
		return fmt.Sprintf("%s: exit status %d", command, status)
	case code == 2 || code == 3:
		return fmt.Sprintf("%s: killed by %s", command, syscall.Signal(status))
	}
	return ""
}
