package nginx

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// NotReplacedError: the master is the same and its old workers still serve the old configuration. No WebSocket was cut.
type NotReplacedError struct {
	Master Master
	Waited time.Duration
	// Lines is what the error logs say about it; at EPEL's log level always something, unless the signal never came.
	Lines []LogLine
}

func (e *NotReplacedError) Error() string {
	return fmt.Sprintf("reload was not taken: after %s master %d has not replaced its workers%s", e.Waited.Round(100*time.Millisecond), e.Master.PID, quoted(e.Lines))
}

// ComplainedError: new workers serve, but an error log has new emerg, alert or crit lines.
type ComplainedError struct {
	Master Master
	Lines  []LogLine
}

func (e *ComplainedError) Error() string {
	return "reload was taken, but nginx complains" + quoted(e.Lines)
}

// MasterChangedError: the master that was to be reloaded is not there any more; Now is zero if nobody took its place.
type MasterChangedError struct {
	Before, Now Master
	Lines       []LogLine
}

func (e *MasterChangedError) Error() string {
	return fmt.Sprintf("master %d of nginx is gone, and its connections with it%s", e.Before.PID, quoted(e.Lines))
}

func quoted(lines []LogLine) string {
	var b strings.Builder
	for _, l := range lines {
		b.WriteString("; " + l.String())
	}
	return b.String()
}

// ProveReload waits until the reload that was asked for after before and mark were taken has happened: the same master,
// at least one newer worker, every older one gone or shutting down. It returns at most Patience later (10 s), at once
// when ctx ends, and earlier where the error log says that nginx gave up. The errors that tell what happened to the
// host are *NotReplacedError, *ComplainedError and *MasterChangedError.
func (n Nginx) ProveReload(ctx context.Context, before Master, mark LogMark) (Master, error) {
	p := &proof{nginx: n, before: before, logs: mark.follow(), began: time.Now()}
	patience := n.Patience
	if patience == 0 {
		patience = 10 * time.Second
	}
	limit, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		after, done, err := p.look()
		if done || err != nil {
			return after, err
		}
		select {
		case <-limit.Done():
			if err := context.Cause(ctx); err != nil {
				return after, fmt.Errorf("prove the reload: %w: %w", err, p.notReplaced(after))
			}
			return after, p.notReplaced(after)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

type proof struct {
	nginx  Nginx
	before Master
	logs   *follower
	lines  []LogLine
	began  time.Time
	// settled counts looks in a row that would end the proof: one more than the first, so that a worker that dies as it
	// starts, and the line that it leaves, are seen.
	taken, refused int
}

func (p *proof) look() (Master, bool, error) {
	after, err := p.nginx.Master(p.before.PID)
	if err != nil && !errors.Is(err, ErrNotRunning) {
		return Master{}, false, fmt.Errorf("prove the reload: %w", err)
	}
	var logErr error
	if p.lines, logErr = p.logs.read(); logErr != nil {
		return after, false, fmt.Errorf("prove the reload: %w", logErr)
	}
	switch {
	case err != nil || after.Start != p.before.Start:
		return after, true, &MasterChangedError{Before: p.before, Now: after, Lines: p.lines}
	case replaced(p.before, after):
		p.taken++
		return after, p.taken > 2, p.verdict(after)
	case gaveUp(p.lines):
		p.refused++
		if p.refused > 4 {
			return after, true, p.notReplaced(after)
		}
	}
	p.taken = 0
	return after, false, nil
}

// verdict waits for the last look before it complains. What befalls a worker of the old configuration says nothing of the
// new one, which serves: a leaked connection ([alert] aborting), a limit that it has reached.
func (p *proof) verdict(after Master) error {
	lines := slices.DeleteFunc(slices.Clone(p.lines), func(l LogLine) bool { return isRetry(l.Text) || p.ofOldWorker(l) })
	if p.taken <= 2 || len(lines) == 0 {
		return nil
	}
	return &ComplainedError{Master: after, Lines: lines}
}

func (p *proof) ofOldWorker(l LogLine) bool {
	pid := worker(l.Text)
	return slices.ContainsFunc(p.before.Workers, func(w Worker) bool { return w.PID == pid })
}

func (p *proof) notReplaced(after Master) error {
	return &NotReplacedError{Master: after, Waited: time.Since(p.began), Lines: p.lines}
}

// replaced does not ask for the old workers to be gone: they stay as long as their WebSockets.
func replaced(before, after Master) bool {
	newer := false
	for _, w := range after.Workers {
		old := slices.ContainsFunc(before.Workers, func(b Worker) bool { return b.PID == w.PID && b.Start == w.Start })
		if old && !w.ShuttingDown {
			return false
		}
		newer = newer || !old && !w.ShuttingDown
	}
	return newer
}

// isRetry: of a taken address nginx tries 5 times to get hold; where new workers serve, it got it.
func isRetry(line string) bool {
	return strings.Contains(line, " bind() to ") && strings.Contains(line, " failed (98: ")
}

// gaveUp: any emerg that is not one of the tries ends a reload.
func gaveUp(lines []LogLine) bool {
	return slices.ContainsFunc(lines, func(l LogLine) bool {
		return strings.Contains(l.Text, " [emerg] ") && !isRetry(l.Text)
	})
}
