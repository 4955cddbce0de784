package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/term"

	"wsprovision/provision"
	"wsprovision/provision/engine"
	"wsprovision/provision/plaintext"
)

// output answers on stdout, as text or as JSON, and logs on stderr.
type output struct {
	app     *app
	command string
	live    *liveLine
	partial partial
}

func (a *app) newOutput(command string) *output {
	o := &output{app: a, command: command, partial: partial{began: time.Now()}}
	if file, ok := a.raw.(*os.File); ok && a.output == "text" && term.IsTerminal(int(file.Fd())) {
		o.live = &liveLine{w: a.raw}
	}
	return o
}

// listener hands what happens during a run to the right stream.
func (o *output) listener() provision.Listener {
	return provision.Listener{Log: o.log, Notice: o.notice, Started: o.started, Finished: o.finished}
}

// log writes what was run: always what could change the host, the rest only
// where it was asked for.
func (o *output) log(line string, changing bool) {
	if changing || o.app.verbose {
		o.say(line)
	}
}

func (o *output) notice(line string) { o.say(line) }

func (o *output) say(line string) {
	o.live.clear()
	writeSaid(o.app.stderr, line)
}

func (o *output) started(n, total int, step string) {
	o.partial.started(n, step)
	o.live.start(fmt.Sprintf("%d/%d %s", n, total, step))
}

func (o *output) finished(n, total int, s engine.StepReport) {
	o.stop()
	o.partial.finished(s)
	if o.app.output == "json" {
		return
	}
	writeStep(o.app.stdout, n, total, s)
}

func (o *output) stop() { o.live.stop() }

// cutShort has a second signal end the answer with what is known by then.
func (o *output) cutShort() {
	o.app.ender.reportWith(func(why string) { _ = o.report(o.partial.report(o.command, why)) })
}

// report ends the answer: a summary for people, the whole report as JSON. A
// reader that has gone away wants none.
func (o *output) report(r *engine.Report) error {
	if !o.partial.answer() {
		return nil
	}
	var err error
	if o.app.output == "json" {
		err = writeJSON(o.app.stdout, r)
	} else {
		_, err = fmt.Fprintln(o.app.stdout, plaintext.Line(summary(r)))
	}
	if err == nil || errors.Is(err, syscall.EPIPE) {
		return nil
	}
	return fmt.Errorf("the report is not on standard output: %w", err)
}

// writeStep is one step for people: a line, and what there is to say of it.
func writeStep(w io.Writer, n, total int, s engine.StepReport) {
	writeLine(w, "%d/%d %-12s %-9s %5.1fs", n, total, s.Name, s.Status, float64(s.Millis)/1000)
	for _, c := range s.Changes {
		writeItem(w, "      ", c.String())
		writeIndented(w, "        ", c.Diff)
	}
	for _, note := range s.Notes {
		writeItem(w, "      ", note)
	}
	for _, warning := range s.Warnings {
		writeItem(w, "      ", "warning: "+warning)
	}
	if s.Why != "" {
		writeItem(w, "      ", s.Why)
	}
	if s.Error != "" {
		writeItem(w, "      ", "error: "+s.Error)
	}
}

// summary is the last line: "apply: changed, 12.6s: 5 changed, 3 unchanged".
func summary(r *engine.Report) string {
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

// liveLine shows on a terminal which step is under way and for how long. A nil
// one shows nothing.
type liveLine struct {
	w    io.Writer
	mu   sync.Mutex
	text string
	done chan struct{}
	idle sync.WaitGroup
}

func (l *liveLine) start(text string) {
	if l == nil {
		return
	}
	l.stop()
	done, began := make(chan struct{}), time.Now()
	l.text, l.done = text, done
	l.idle.Go(func() {
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		for {
			select {
			case <-done:
				return
			case <-tick.C:
				l.show(fmt.Sprintf("%s … %ds", text, int(time.Since(began).Seconds())))
			}
		}
	})
}

const eraseLine = "\r\x1b[K" // ECMA-48 EL: to the end of the line

func (l *liveLine) show(text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	fmt.Fprint(l.w, eraseLine+plaintext.Line(text))
}

func (l *liveLine) clear() {
	if l == nil || l.done == nil {
		return
	}
	l.show("")
}

func (l *liveLine) stop() {
	if l == nil || l.done == nil {
		return
	}
	close(l.done)
	l.idle.Wait()
	l.done = nil
	l.show("")
}
