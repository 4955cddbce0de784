package nginx

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"wsprovision/provision/nginx/conf"
	"wsprovision/provision/plaintext"
)

// NotReplacedError: the master is the same and goes on with its old configuration, or its new workers do not stay. No
// WebSocket was cut.
type NotReplacedError struct {
	Master Master
	Waited time.Duration
	// Why is what /proc shows.
	Why string
	// Lines is what the master said about it in the error logs, as far as these tell the truth.
	Lines []LogLine
	// Unread is why a log could not be read; nil where all were.
	Unread error
}

func (e *NotReplacedError) Error() string {
	waited := plaintext.Duration(e.Waited.Round(100 * time.Millisecond))
	text := fmt.Sprintf("reload was not taken: after %s %s%s", waited, e.Why, quoted(e.Lines))
	if e.Unread != nil {
		text += "; what nginx says of it cannot be read: " + e.Unread.Error()
	}
	return text
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

// Before is nginx as it was before a reload was asked for.
type Before struct {
	Master Master
	opened map[openFile]bool
	logs   LogMark
}

// BeforeReload looks at the master (0: the pid file's) that is about to be told to reload, and at where its error logs
// stand.
func (n Nginx) BeforeReload(ctx context.Context, pid int, errorLogs []string) (Before, error) {
	m, err := n.Master(ctx, pid)
	if err != nil {
		return Before{}, err
	}
	return Before{Master: m, opened: n.table().openFiles(m.PID), logs: n.MarkLogs(errorLogs)}, nil
}

const (
	lookEvery = 50 * time.Millisecond
	// steadyLooks a new worker has to be seen in, one after another: one that dies as it starts is not.
	steadyLooks = 3
	// idleFor is how long a master has to have done nothing before its reload is held to have failed.
	idleFor = time.Second
	// busyPatience is for a master that is still at work when its time is up: name servers may be slow.
	busyPatience = 3
)

// ProveReload waits until the reload that was asked for after before was taken has happened, as /proc shows it: the
// same master, which has closed its old configuration's logs and listens where the new one asks it to; a new worker
// that stays; every older one gone or shutting down. No line of a log proves or disproves anything.
//
// It returns at once when ctx ends; as soon as the master has gone back to waiting without having done it, which is
// after the time that nginx needs and a second; and where that cannot be told, at Patience (10 s). The errors that tell
// what happened to the host are *NotReplacedError and *MasterChangedError.
func (n Nginx) ProveReload(ctx context.Context, before Before) (Master, error) {
	p := n.newProof(before)
	for {
		after, done, err := p.look(ctx)
		if done || err != nil {
			return after, err
		}
		select {
		case <-ctx.Done():
			return after, fmt.Errorf("prove the reload: %w: %w", context.Cause(ctx), p.notReplaced(ctx, after))
		case <-time.After(lookEvery):
		}
	}
}

type proof struct {
	nginx    Nginx
	before   Before
	wanted   sockets
	began    time.Time
	patience time.Duration
	idle     time.Time // since when the master has been waiting for signals; zero: it is not, or cannot be told
	steady   []Worker  // new workers that the last looks all saw
	looks    int       // that saw them
	missing  string    // what the last look still missed
}

func (n Nginx) newProof(before Before) *proof {
	p := &proof{nginx: n, before: before, began: time.Now(), patience: n.Patience,
		missing: fmt.Sprintf("master %d has not replaced its workers", before.Master.PID)}
	if p.patience == 0 {
		p.patience = 10 * time.Second
	}
	if tree, err := conf.Load(n.Root, n.conf(), nil); err == nil {
		p.wanted = socketsOf(tree)
	}
	return p
}

func (p *proof) look(ctx context.Context) (Master, bool, error) {
	after, err := p.nginx.Master(ctx, p.before.Master.PID)
	switch {
	case ctx.Err() != nil:
		return p.before.Master, false, nil // the caller says so
	case err != nil && !errors.Is(err, ErrNotRunning):
		return Master{}, false, fmt.Errorf("prove the reload: %w", err)
	case err != nil || after.Start != p.before.Master.Start:
		lines, _ := p.before.logs.Complaints(context.WithoutCancel(ctx), p.before.Master.PID)
		return after, true, &MasterChangedError{Before: p.before.Master, Now: after, Lines: lines}
	}
	renewed := p.nginx.renewed(after.PID, p.before.opened)
	p.missing = p.misses(ctx, after, renewed)
	p.watch(ctx, after.PID)
	switch waited := time.Since(p.began); {
	case p.missing == "":
		return after, true, nil
	case !renewed && !p.idle.IsZero() && time.Since(p.idle) >= idleFor:
		return after, true, p.notReplaced(ctx, after)
	case waited >= p.patience && !p.busy(ctx, after.PID), waited >= busyPatience*p.patience:
		return after, true, p.notReplaced(ctx, after)
	}
	return after, false, nil
}

// misses is what keeps the reload from being proved; "" is that nothing does.
func (p *proof) misses(ctx context.Context, after Master, renewed bool) string {
	pid, newer, older := after.PID, p.newer(after), p.older(after)
	p.keep(newer)
	switch {
	case len(older) > 0:
		return fmt.Sprintf("master %d has not replaced its workers (process %d still serves)", pid, older[0].PID)
	case !renewed:
		return fmt.Sprintf("master %d has not read its configuration; its workers were replaced because they had ended",
			pid)
	case p.looks < steadyLooks:
		return fmt.Sprintf("master %d has no new worker that stays", pid)
	}
	if lacks := p.nginx.lacks(ctx, pid, p.wanted); lacks != "" {
		return fmt.Sprintf("master %d does not listen on %s", pid, lacks)
	}
	return ""
}

// keep counts the looks that have seen one and the same new worker.
func (p *proof) keep(newer []Worker) {
	p.steady = slices.DeleteFunc(p.steady, func(w Worker) bool { return !slices.Contains(newer, w) })
	if p.looks++; len(p.steady) == 0 {
		p.steady, p.looks = newer, min(1, len(newer))
	}
}

// older are the workers of before that still take connections; those that shut down stay as long as their WebSockets.
func (p *proof) older(after Master) []Worker {
	return slices.DeleteFunc(slices.Clone(after.Workers), func(w Worker) bool { return w.ShuttingDown || !p.known(w) })
}

func (p *proof) newer(after Master) []Worker {
	return slices.DeleteFunc(slices.Clone(after.Workers), func(w Worker) bool { return w.ShuttingDown || p.known(w) })
}

func (p *proof) known(w Worker) bool {
	return slices.ContainsFunc(p.before.Master.Workers, func(b Worker) bool {
		return b.PID == w.PID && b.Start == w.Start
	})
}

// watch notes since when the master has been idle.
func (p *proof) watch(ctx context.Context, pid int) {
	switch waits, told := p.nginx.table().waits(ctx, pid); {
	case !told || !waits:
		p.idle = time.Time{}
	case p.idle.IsZero():
		p.idle = time.Now()
	}
}

func (p *proof) busy(ctx context.Context, pid int) bool {
	waits, told := p.nginx.table().waits(ctx, pid)
	return told && !waits
}

func (p *proof) notReplaced(ctx context.Context, after Master) error {
	e := &NotReplacedError{Master: after, Waited: time.Since(p.began), Why: p.missing}
	if p.busy(ctx, after.PID) {
		e.Why = fmt.Sprintf("master %d is still reading its configuration", after.PID)
	}
	e.Lines, e.Unread = p.before.logs.Complaints(context.WithoutCancel(ctx), p.before.Master.PID)
	return e
}
