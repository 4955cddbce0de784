package firstboot

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"time"

	"wsprovision/provision/config"
	"wsprovision/provision/engine"
	"wsprovision/provision/host"
	"wsprovision/provision/plaintext"
	"wsprovision/provision/proxy"
	"wsprovision/provision/running"
	"wsprovision/provision/state"
	"wsprovision/provision/stepnames"
	"wsprovision/systemd"
)

// ErrOvertaken says that another run finished, replaced or reverted the deferred
// work while its lock was waited for.
var ErrOvertaken = errors.New("the deferred work is another run's by now")

// Finisher finishes what was deferred, with patience for what a booting host
// does not have yet: a network, a mirror, a backend.
type Finisher struct {
	// Root is empty but in tests.
	Root string
	// Attempt makes one apply of the configuration: Run.Resume, under the lock.
	Attempt func(context.Context, config.Config) (*engine.Report, error)
	// StrikeOff takes the unit from the boot where no work is recorded; its
	// report is nil where there is nothing to do.
	StrikeOff func(context.Context) (*engine.Report, error)
	// Rest is called when no more attempts are made.
	Rest func(context.Context) error
	// Patience bounds all attempts together.
	Patience time.Duration
	// Sleep waits between attempts, and ends early with ctx; nil is the clock.
	Sleep func(context.Context, time.Duration) error
	// Notice takes what is being waited for; may be nil.
	Notice func(string)
}

// Deferred reads the configuration of the deferred work; ok is false where
// there is none.
func (b Finisher) Deferred() (c config.Config, ok bool, err error) {
	path := b.Root + state.DeferredPath
	if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
		return c, false, nil
	}
	// Neither environment nor flags: what was asked for was settled then.
	in := config.Input{File: path, Limit: config.MaxMarshalled + len(Header), Deferred: true,
		Trusted: os.Geteuid() == 0}
	c, err = config.Load(in)
	return c, err == nil, err
}

// Finish tries until everything holds, until something fails that time does
// not heal, or until its patience ends. The report is the last attempt's; nil
// without one.
func (b Finisher) Finish(ctx context.Context) (*engine.Report, error) {
	report, err := b.try(ctx)
	if _, gone := os.Lstat(b.Root + state.DeferredPath); errors.Is(gone, fs.ErrNotExist) { // and the mark before it
		return report, err
	}
	return report, errors.Join(err, b.Rest(context.WithoutCancel(ctx)))
}

func (b Finisher) try(ctx context.Context) (*engine.Report, error) {
	var waited time.Duration
	var last *engine.Report
	for pause := 5 * time.Second; ; pause = min(2*pause, time.Minute) {
		c, ok, err := b.Deferred()
		if err != nil {
			return last, err
		}
		if !ok { // finished or reverted by somebody else, or cut off while it was struck off
			return b.StrikeOff(ctx)
		}
		start := time.Now()
		report, err := b.Attempt(ctx, c)
		waited += time.Since(start)
		if errors.Is(err, ErrOvertaken) {
			continue
		}
		if report != nil {
			last = report
		}
		why := reason(report, err)
		switch {
		case why == "":
			return last, nil
		case !Heals(report, err) || context.Cause(ctx) != nil:
			return last, err
		case waited >= b.Patience:
			return last, fmt.Errorf("gave up after %s: %s", plaintext.Duration(waited.Round(time.Second)), why)
		}
		pause = min(pause, b.Patience-waited)
		b.notice(fmt.Sprintf("trying again in %s: %s", plaintext.Duration(pause.Round(time.Second)), why))
		if err := b.sleep(ctx, pause); err != nil {
			return last, err
		}
		waited += pause
	}
}

// reason says why an attempt was not the last one; "" where all holds.
func reason(r *engine.Report, err error) string {
	switch {
	case err != nil:
		return err.Error()
	case r.Err() != nil:
		return r.Err().Error()
	case r.Interrupted != "":
		return r.Interrupted
	}
	for _, s := range r.Steps {
		for _, c := range s.Changes {
			if s.Status == engine.Deferred && c.Deferred != "" {
				return c.Deferred
			}
		}
	}
	return ""
}

// Heals reports whether waiting may help: another run's lock, a mirror, an
// address or a backend that is not there yet, a PID 1 that has no time to answer
// while the host boots. A conflict in the configuration, a missing boolean or
// somebody else's file stays.
func Heals(r *engine.Report, err error) bool {
	if err != nil {
		return errors.Is(err, host.ErrLocked)
	}
	for _, s := range r.Steps {
		if errors.As(s.Err, new(engine.Decision)) {
			return false
		}
		if s.Status != engine.Failed ||
			slices.Contains([]string{stepnames.Repository, stepnames.Packages, stepnames.Service, stepnames.Proof},
				s.Name) {
			continue
		}
		if !errors.Is(s.Err, proxy.ErrUnresolved) && !errors.Is(s.Err, systemd.ErrNoAnswer) {
			return false
		}
	}
	return true
}

func (b Finisher) notice(line string) {
	if b.Notice != nil {
		b.Notice(line)
	}
}

func (b Finisher) sleep(ctx context.Context, d time.Duration) error {
	if b.Sleep != nil {
		return b.Sleep(ctx, d)
	}
	return running.Sleep(ctx, d)
}
