package systemd

import (
	"context"
	"errors"
	"fmt"
	"time"

	"wsprovision/provision/plaintext"

	sd "github.com/coreos/go-systemd/v22/dbus"
	"github.com/godbus/dbus/v5"
)

type enqueue func(c *sd.Conn, ctx context.Context, unit, mode string, result chan<- string) (int, error)

// Start starts the unit, and what it needs. A job that is done although a Condition…= of the unit was not met, or
// although the unit failed at once, is an error.
func (l *Live) Start(ctx context.Context, unit string) error {
	if err := l.current(ctx, "start", unit); err != nil {
		return err
	}
	if err := l.job(ctx, "start", unit, (*sd.Conn).StartUnitContext); err != nil {
		return err
	}
	st, err := l.State(ctx, unit)
	if err != nil {
		return err
	}
	if st.Active == "failed" {
		return l.because(ctx, "start", unit, "the unit failed as soon as it was started", time.Now())
	}
	return l.conditions(ctx, unit, st)
}

// Reload asks the unit to read its configuration again. The job is done when ExecReload has exited 0, which proves
// that a signal was sent and no more.
func (l *Live) Reload(ctx context.Context, unit string) error {
	if err := l.current(ctx, "reload", unit); err != nil {
		return err
	}
	return l.job(ctx, "reload", unit, (*sd.Conn).ReloadUnitContext)
}

// current has systemd read its files where the unit's is newer than what it knows, or has appeared since.
func (l *Live) current(ctx context.Context, verb, unit string) error {
	st, err := l.State(ctx, unit)
	if err != nil {
		return err
	}
	if st.NeedDaemonReload || st.Load == "not-found" && st.File != "" {
		if err := l.DaemonReload(ctx); err != nil {
			return fmt.Errorf("%s %s: %w", verb, unit, err)
		}
		if st, err = l.State(ctx, unit); err != nil {
			return err
		}
	}
	switch st.Load {
	case "not-found":
		return fmt.Errorf("%s %s: there is no such unit", verb, unit)
	case "masked":
		return fmt.Errorf("%s %s: %s", verb, unit, maskedSentence(unit, st.File))
	}
	return nil
}

// conditions finds a start that systemd left out, which it reports as done.
func (l *Live) conditions(ctx context.Context, unit string, st State) error {
	if st.Active != "inactive" {
		return nil
	}
	var p *sd.Property
	err := l.ask(ctx, func(ctx context.Context, w *wire) (err error) {
		p, err = w.conn.GetUnitPropertyContext(ctx, unit, "ConditionResult")
		return err
	})
	if err != nil {
		return l.sentence("read", unit, err)
	}
	if met, ok := p.Value.Value().(bool); ok && !met {
		return fmt.Errorf("start %s: not started: a Condition…= in the unit is not met", unit)
	}
	return nil
}

// job queues a job and waits for its result, over one and the same way: what was sent is not sent again.
func (l *Live) job(ctx context.Context, verb, unit string, queue enqueue) error {
	w, err := l.reached()
	if err != nil {
		return l.sentence(verb, unit, err)
	}
	return l.mutate("systemd: "+verb+" "+unit, func() error {
		begun := time.Now()
		wait, cancel := context.WithTimeout(ctx, l.JobWait)
		defer cancel()
		if err := w.subscribe(wait); err != nil {
			return l.late(ctx, wait, verb, unit, err)
		}
		// Buffered: go-systemd sends while it holds its lock, and we may have left by then.
		result := make(chan string, 1)
		if _, err := queue(w.conn, wait, unit, "replace", result); err != nil {
			return l.late(ctx, wait, verb, unit, err)
		}
		select {
		case r := <-result:
			return l.verdict(ctx, verb, unit, r, begun)
		case <-wait.Done():
			return l.late(ctx, wait, verb, unit, wait.Err())
		case <-w.calls.Context().Done():
		case <-w.signals.Context().Done():
		}
		if len(result) > 0 {
			return l.verdict(ctx, verb, unit, <-result, begun)
		}
		return fmt.Errorf("%s %s: the connection to systemd was lost before the job's result came; the job may "+
			"still run", verb, unit)
	})
}

// subscribe makes systemd 208 send the job's end to both connections. Without a subscriber it sends it only to the
// connection that made the job, and go-systemd listens on the other one; 219 sends it to all.
func (w *wire) subscribe(ctx context.Context) error {
	o := w.signals.Object(destination, "/org/freedesktop/systemd1")
	err := o.CallWithContext(ctx, manager+".Subscribe", 0).Err
	var failed dbus.Error
	if errors.As(err, &failed) && failed.Name == destination+".AlreadySubscribed" {
		return nil
	}
	return err
}

// late tells a caller who left from a systemd that does not answer, and both from an answer.
func (l *Live) late(ctx, wait context.Context, verb, unit string, err error) error {
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("%s %s: stopped waiting, the job may still run: %w", verb, unit, context.Cause(ctx))
	case wait.Err() != nil:
		return fmt.Errorf("%s %s: systemd gave no result in %s; see \"systemctl status %s\"", verb, unit,
			seconds(l.JobWait), unit)
	}
	return l.sentence(verb, unit, err)
}

// seconds keeps a round bound short: 90s, not 1m30s, which is how unit files write it.
func seconds(d time.Duration) string {
	if d%time.Second == 0 {
		return fmt.Sprintf("%ds", int64(d/time.Second))
	}
	return plaintext.Duration(d)
}
