package ending

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"wsprovision/provision/host"
)

// UntilSignalled is a context that SIGINT, SIGTERM or a terminal that goes away
// (SIGHUP) ends: the step that is under way is finished, and no further one
// begun. Every later one of these signals is handed to again. A reader that no
// longer reads (SIGPIPE) ends nothing.
func UntilSignalled(parent context.Context, again func(os.Signal)) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(parent)
	signal.Ignore(syscall.SIGPIPE)
	ending := []os.Signal{syscall.SIGINT, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) { // as nohup(1) has it
		ending = append(ending, syscall.SIGHUP)
	}
	caught := make(chan os.Signal, 1)
	signal.Notify(caught, ending...)
	done := make(chan struct{})
	go func() {
		for first := true; ; first = false {
			select {
			case s := <-caught:
				if !first {
					again(s)
				}
				cancel(fmt.Errorf("caught %s", s))
			case <-done:
				return
			}
		}
	}()
	return ctx, func() {
		signal.Stop(caught)
		close(done)
		cancel(nil)
	}
}

// OutliveTerminal is the PreRun of what changes the host, which matters more
// than who watches: no SIGHUP ends it, nor the programs that it runs.
func OutliveTerminal(*cobra.Command, []string) { signal.Ignore(syscall.SIGHUP) }

// EndGrace is how long a run that may end has to do so by itself, with its own
// report, before it is cut.
const EndGrace = 500 * time.Millisecond

// Ender ends a run at a second signal: at once where nothing is half done, else
// as soon as what is under way is done.
type Ender struct {
	Seam *host.Seam
	Say  func(line string)
	// report writes what is known of the run; nil where there is none.
	report func(why string)
	Exit   func()
	begun  bool
	mu     sync.Mutex
}

// ReportWith says how a report is written should the run be cut.
func (e *Ender) ReportWith(report func(why string)) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.report = report
}

// Again is called at every signal but the first, by one goroutine.
func (e *Ender) Again(s os.Signal) {
	under, idle := e.Seam.End()
	if len(under) > 0 {
		e.tell(fmt.Sprintf("caught %s again: what is under way cannot be left half done, and the run ends when it "+
			"is done: %s", s, strings.Join(under, ", ")))
	}
	if e.begun {
		return
	}
	e.begun = true
	go func() {
		<-idle
		time.Sleep(EndGrace)
		e.cut(s)
	}()
}

// tell says one line at a time: a third signal may come while the run is being cut.
func (e *Ender) tell(line string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.Say(line)
}

func (e *Ender) cut(s os.Signal) {
	why := fmt.Sprintf("caught %s again and ended at once", s)
	made, last := e.Seam.Made()
	if made == 0 {
		e.tell(why + ": nothing was changed")
	} else {
		e.tell(fmt.Sprintf("%s, after %d changes, the last of them: %s; wsprovision status says what is "+
			"outstanding, and the same command again finishes it", why, made, last))
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.report != nil {
		e.report(why)
	}
	e.Exit()
}
