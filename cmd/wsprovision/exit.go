package main

import (
	"errors"
	"fmt"
	"strings"

	"wsprovision/cmd/wsprovision/cmdline"
	"wsprovision/cmd/wsprovision/screen"
	"wsprovision/provision"
	"wsprovision/provision/config/reading"
	"wsprovision/provision/engine"
	"wsprovision/provision/host"
	"wsprovision/provision/planfile"
)

// Exit statuses, by sysexits(3) where it has a word for it.
const (
	exitOK          = 0
	exitFailed      = 1  // a step failed
	exitChanged     = 2  // with --detailed-exitcode: something changed or would
	exitDeferred    = 3  // with --detailed-exitcode: the first boot finishes it
	exitUsage       = 64 // EX_USAGE
	exitLocked      = 75 // EX_TEMPFAIL: another run holds the lock
	exitNoPerm      = 77 // EX_NOPERM
	exitConfig      = 78 // EX_CONFIG
	exitStatusesDoc = `Exit status:
  0   the host is as asked for, or the rest is deferred
  1   a step failed
  2   with --detailed-exitcode: something was changed
  3   with --detailed-exitcode: the rest is deferred to the first boot
  64  usage
  75  another run holds the lock
  77  not permitted: root is needed
  78  the configuration is wrong, or the plan is refused; nothing was touched`
)

// outcome is a run that went its way: its status is its answer, and what
// there is to say has been said in the report.
type outcome int

func (o outcome) Error() string { return fmt.Sprintf("exit status %d", int(o)) }

// exitStatus decides, in this one place, what an error means to the caller.
func exitStatus(err error) int {
	var (
		code  outcome
		usage cmdline.Error
		conf  *reading.Error
	)
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &code):
		return int(code)
	case errors.As(err, &usage):
		return exitUsage
	case errors.As(err, &conf), errors.Is(err, provision.ErrUntrusted), errors.Is(err, planfile.ErrRefused):
		return exitConfig
	case errors.Is(err, provision.ErrNotRoot):
		return exitNoPerm
	case errors.Is(err, host.ErrLocked):
		return exitLocked
	}
	return exitFailed
}

// complain says on stderr what kept a command from answering. What is wrong with what was typed needs no time.
func (a *app) complain(err error) {
	var (
		code  outcome
		usage cmdline.Error
		conf  *reading.Error
	)
	switch {
	case err == nil || errors.As(err, &code):
	case errors.As(err, &usage): // a line for each word of the user's own
		lead, text := "wsprovision: ", err.Error()
		for line := range strings.SplitSeq(text, "\n") {
			a.stderr.Put([]screen.Span{screen.Styled(screen.Plainly, lead)}, "  ", screen.Plainly, line)
			lead = ""
		}
	case errors.As(err, &conf):
		a.tell("", err.Error())
	default:
		a.say(err.Error())
	}
}

// outcomeOf turns a report into the error that carries its exit status.
func outcomeOf(r *engine.Report, detailed bool) error {
	switch {
	case r.Result == engine.Failed:
		return outcome(exitFailed)
	case !detailed:
		return nil
	case r.Result == engine.Deferred:
		return outcome(exitDeferred)
	case r.Differs():
		return outcome(exitChanged)
	}
	return nil
}
