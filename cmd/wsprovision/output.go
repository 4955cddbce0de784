package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"slices"
	"syscall"
	"time"

	"wsprovision/cmd/wsprovision/ending"
	"wsprovision/cmd/wsprovision/screen"
	"wsprovision/cmd/wsprovision/show"
	"wsprovision/provision"
	"wsprovision/provision/engine"
	"wsprovision/provision/fleet"
	"wsprovision/systemd"
)

// output answers on stdout, as text or as JSON, and logs on stderr.
type output struct {
	app     *app
	command string
	live    *screen.LiveLine
	partial ending.Partial
	journal *fleet.Journal
	id      string // by which the run's report is kept; "" until the run has begun
}

// telling has the host's log told of the run too, where this host's is there: an installer's is another system's.
func (o *output) telling(where systemd.Where) {
	if !where.Offline() && os.Geteuid() == 0 {
		o.journal = fleet.NewJournal(o.app.hostLog(), version)
	}
}

// doubled reports whether the answer goes to the journal, which has been told already.
func (o *output) doubled(told bool) bool {
	file, ok := o.app.raw.(*os.File)
	return told && ok && o.app.output == "text" && screen.IsJournal(int(file.Fd()))
}

// journalGrace is for journald to read the last entry before its sender ends: it finds out by /proc whose unit that is,
// and an entry of a process that is gone is in no unit's log.
const journalGrace = 300 * time.Millisecond

// plainText is what people are shown, for the log: without the differences of files, of which there are many lines.
func plainText(write func(s *screen.Screen)) string {
	var b bytes.Buffer
	write(&screen.Screen{W: &b})
	return b.String()
}

func withoutDiffs(s engine.StepReport) engine.StepReport {
	s.Changes = slices.Clone(s.Changes)
	for i := range s.Changes {
		s.Changes[i].Diff = ""
	}
	return s
}

func (a *app) newOutput(command string) *output {
	o := &output{app: a, command: command, partial: ending.Partial{Agent: version, Began: time.Now()}}
	if screen.TerminalOf(a.raw) != nil && a.output == "text" && !a.quiet &&
		screen.Variable(a.environ, "TERM") != "dumb" {
		o.live = &screen.LiveLine{W: a.raw, Columns: a.stdout.Columns}
	}
	return o
}

// listener hands what happens during a run to the right stream.
func (o *output) listener() provision.Listener {
	return provision.Listener{Log: o.log, Notice: o.notice, Started: o.started, Finished: o.finished,
		Began: o.began}
}

// log writes what was run: always what could change the host, the rest only
// where it was asked for.
func (o *output) log(line string, changing bool) {
	if (changing || o.app.verbose) && !o.app.quiet {
		o.say(line)
	}
}

func (o *output) notice(line string) {
	if !o.app.quiet {
		o.say(line)
	}
}

func (o *output) say(line string) {
	o.live.Clear()
	o.app.say(line)
}

func (o *output) began(command, id string) {
	o.id = id
	o.journal.Began(command, id)
}

func (o *output) started(n, total int, step string) {
	o.partial.Started(n, step)
	o.live.Start(fmt.Sprintf("%d/%d %s", n, total, step))
}

func (o *output) finished(n, total int, s engine.StepReport) {
	o.stop()
	o.partial.Finished(s)
	told := o.journal.Step(s, plainText(func(to *screen.Screen) { show.Step(to, n, total, withoutDiffs(s)) }))
	if o.doubled(told) {
		return
	}
	if o.app.output == "json" || o.app.quiet && len(s.Warnings) == 0 {
		return
	}
	show.Step(o.app.stdout, n, total, s)
}

func (o *output) stop() { o.live.Stop() }

// cutShort has a second signal end the answer with what is known by then.
func (o *output) cutShort() {
	o.app.ender.ReportWith(func(why string) { _ = o.report(o.partial.Report(o.command, why)) })
}

// report ends the answer: a summary for people, the whole report as JSON. A
// reader that has gone away wants none.
func (o *output) report(r *engine.Report) error {
	if !o.partial.Answer() {
		return nil
	}
	told := o.journal.Ended(r, plainText(func(s *screen.Screen) { _ = show.End(s, r) }))
	var err error
	switch {
	case o.doubled(told):
		time.Sleep(journalGrace)
	case o.app.output == "json":
		err = show.JSON(o.app.stdout, r)
	case !o.app.quiet || r.Result == engine.Failed:
		err = show.End(o.app.stdout, r)
	}
	if err == nil || errors.Is(err, syscall.EPIPE) {
		return nil
	}
	return fmt.Errorf("the report is not on standard output: %w", err)
}
