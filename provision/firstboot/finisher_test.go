package firstboot

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"wsprovision/provision/config"
	"wsprovision/provision/engine"
	"wsprovision/provision/host"
	"wsprovision/provision/hosttest"
	"wsprovision/provision/proxy"
	"wsprovision/provision/state"
	"wsprovision/provision/stepnames"
	"wsprovision/systemd"
)

const deferred = "sites: [{name: chat, server_name: a.example.com, listen: 80, locations: [{path: /, backend: " +
	"'127.0.0.1:3000'}]}]\n"

// boot is a first boot of which each attempt comes to what is listed, the last one for ever.
type boot struct {
	Finisher
	attempts, rests, struck int
	notices                 []string
	began                   time.Time
}

func booting(t *testing.T, patience time.Duration, each ...func() (*engine.Report, error)) *boot {
	t.Helper()
	root := hosttest.StateRoot(t)
	if err := os.MkdirAll(root+host.StateDir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(root+state.DeferredPath, []byte(deferred), 0o600); err != nil {
		t.Fatal(err)
	}
	b := &boot{began: time.Now()}
	b.Finisher = Finisher{Root: root, Patience: patience, Notice: func(s string) { b.notices = append(b.notices, s) }}
	b.Attempt = func(_ context.Context, c config.Config) (*engine.Report, error) {
		if len(c.Sites) != 1 || c.Sites[0].Name != "chat" {
			t.Errorf("an attempt at %+v", c.Sites)
		}
		b.attempts++
		return each[min(b.attempts, len(each))-1]()
	}
	b.StrikeOff = func(context.Context) (*engine.Report, error) { b.struck++; return nil, nil }
	b.Rest = func(context.Context) error { b.rests++; return nil }
	return b
}

func report(result engine.Status, name string, err error, changes ...engine.Change) *engine.Report {
	s := engine.StepReport{Name: name, Status: result, Changes: changes}
	if err != nil {
		s.Fail(err)
	}
	return &engine.Report{Result: result, Steps: []engine.StepReport{s}}
}

func ends(r *engine.Report, err error) func() (*engine.Report, error) {
	return func() (*engine.Report, error) { return r, err }
}

func failing(step string, err error) func() (*engine.Report, error) {
	return ends(report(engine.Failed, step, err), nil)
}

var (
	done   = ends(report(engine.Changed, stepnames.Site, nil), nil)
	waits  = ends(report(engine.Deferred, stepnames.FirstBoot, nil, engine.Change{Deferred: "no backend yet"}), nil)
	locked = ends(nil, fmt.Errorf("lock: %w", host.ErrLocked))
)

// The pauses double up to a minute; what heals is tried again as long as the patience lasts, and nothing else is.
func TestFinish(t *testing.T) {
	for name, tt := range map[string]struct {
		each     []func() (*engine.Report, error)
		patience time.Duration
		attempts int
		took     time.Duration
		fails    string // of the error
		result   engine.Status
	}{
		"at once": {[]func() (*engine.Report, error){done}, time.Hour, 1, 0, "", engine.Changed},
		"a mirror comes": {[]func() (*engine.Report, error){failing(stepnames.Packages,
			errors.New("no mirror")), done}, time.Hour, 2, 5 * time.Second, "", engine.Changed},
		"another run has the lock": {[]func() (*engine.Report, error){locked, locked, done}, time.Hour, 3,
			15 * time.Second, "", engine.Changed},
		"a backend comes": {[]func() (*engine.Report, error){waits, waits, waits, waits, waits, waits, done},
			time.Hour, 7, (5 + 10 + 20 + 40 + 60 + 60) * time.Second, "", engine.Changed},
		"it gives up": {[]func() (*engine.Report, error){waits}, 20 * time.Second, 4, 20 * time.Second,
			"gave up after 20s: no backend yet", engine.Deferred},
		"no patience": {[]func() (*engine.Report, error){waits}, 0, 1, 0,
			"gave up after 0s: no backend yet", engine.Deferred},
		"what time does not heal": {[]func() (*engine.Report, error){failing(stepnames.Validate,
			errors.New("bogus"))}, time.Hour, 1, 0, "", engine.Failed},
		"a decision is asked for": {[]func() (*engine.Report, error){failing(stepnames.Packages,
			engine.NewDecision(errors.New("x")))}, time.Hour, 1, 0, "", engine.Failed},
		"a name does not resolve": {[]func() (*engine.Report, error){failing(stepnames.Validate, fmt.Errorf("x: %w",
			proxy.ErrUnresolved)), done}, time.Hour, 2, 5 * time.Second, "", engine.Changed},
		"PID 1 does not answer while it boots": {[]func() (*engine.Report, error){failing(stepnames.FirstBoot,
			fmt.Errorf("x: %w", systemd.ErrNoAnswer)), done}, time.Hour, 2, 5 * time.Second, "", engine.Changed},
		"the run itself fails": {[]func() (*engine.Report, error){ends(nil, errors.New("no state"))}, time.Hour,
			1, 0, "no state", ""},
		"the report before it stays": {[]func() (*engine.Report, error){waits, ends(nil, errors.New("no state"))},
			time.Hour, 2, 5 * time.Second, "no state", engine.Deferred},
		"another run was quicker": {[]func() (*engine.Report, error){ends(nil, ErrOvertaken), done}, time.Hour, 2, 0,
			"", engine.Changed},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := booting(t, tt.patience, tt.each...)
				r, err := b.Finish(t.Context())
				took := time.Since(b.began)
				if b.attempts != tt.attempts || took != tt.took || b.rests != 1 || b.struck != 0 {
					t.Errorf("%d attempts in %s, %d rests, struck off %d times", b.attempts, took, b.rests, b.struck)
				}
				if (err == nil) != (tt.fails == "") || err != nil && !strings.Contains(err.Error(), tt.fails) {
					t.Errorf("error %v, want %q", err, tt.fails)
				}
				if result := resultOf(r); result != tt.result {
					t.Errorf("%q, want %q", result, tt.result)
				}
				if len(b.notices) < tt.attempts-2 || tt.attempts == 1 && len(b.notices) > 0 {
					t.Errorf("told %q", b.notices)
				}
			})
		})
	}
}

func resultOf(r *engine.Report) engine.Status {
	if r == nil {
		return ""
	}
	return r.Result
}

// Work that is nobody's any more is struck off, and nothing rests; what cannot be read is neither tried nor struck off.
func TestFinishWithoutWork(t *testing.T) {
	b := booting(t, time.Hour, done)
	if err := os.Remove(b.Root + state.DeferredPath); err != nil {
		t.Fatal(err)
	}
	if r, err := b.Finish(t.Context()); r != nil || err != nil || b.attempts != 0 || b.struck != 1 || b.rests != 0 {
		t.Errorf("%v, %v, %+v", r, err, b)
	}
	b = booting(t, time.Hour, done)
	if err := os.WriteFile(b.Root+state.DeferredPath, []byte("sites: foo\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if r, err := b.Finish(t.Context()); r != nil || err == nil || b.attempts != 0 || b.struck != 0 || b.rests != 1 {
		t.Errorf("%v, %v, %+v", r, err, b)
	}
	b = booting(t, time.Hour, done)
	b.Rest = func(context.Context) error { return errors.New("cannot rest") }
	if r, err := b.Finish(t.Context()); r == nil || err == nil || err.Error() != "cannot rest" {
		t.Errorf("%v, %v", r, err)
	}
}

// A first boot that is ended stops between two attempts, and still rests.
func TestFinishEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := booting(t, time.Hour, waits)
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(7*time.Second, func() { cancel(errors.New("SIGTERM")) })
		b.Rest = func(ctx context.Context) error { b.rests++; return ctx.Err() }
		r, err := b.Finish(ctx)
		if took := time.Since(b.began); b.attempts != 2 || took != 7*time.Second || b.rests != 1 || err == nil ||
			err.Error() != "SIGTERM" || resultOf(r) != engine.Deferred {
			t.Errorf("%d attempts in %s, %d rests, %v, %v", b.attempts, took, b.rests, r, err)
		}
	})
	b := booting(t, time.Hour, waits)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := b.Finish(ctx); err != nil || b.attempts != 1 { // what the attempt says is all there is to say
		t.Errorf("%d attempts, %v", b.attempts, err)
	}
}

// Time heals what a booting host does not have yet, and nothing else.
func TestHeals(t *testing.T) {
	other := errors.New("x")
	for step, want := range map[string]bool{stepnames.Platform: false, stepnames.Repository: true,
		stepnames.Packages: true,
		stepnames.SELinux:  false, stepnames.Validate: false, stepnames.Site: false, stepnames.Service: true,
		stepnames.Proof: true} {
		if got := Heals(report(engine.Failed, step, other), nil); got != want {
			t.Errorf("%s: %v", step, got)
		}
		if !Heals(report(engine.Failed, step, proxy.ErrUnresolved), nil) || !Heals(report(engine.Skipped, step, nil),
			nil) {
			t.Errorf("%s: a name, or what was skipped for it, does not heal", step)
		}
		if Heals(report(engine.Failed, step, engine.NewDecision(other)), nil) {
			t.Errorf("%s: a decision heals", step)
		}
	}
	two := report(engine.Failed, stepnames.Packages, other)
	two.Steps = append(two.Steps, report(engine.Failed, stepnames.Site, other).Steps...)
	if Heals(two, nil) || Heals(nil, other) || !Heals(nil, fmt.Errorf("x: %w", host.ErrLocked)) {
		t.Error("two failures, or one of the run itself")
	}
}

func TestReason(t *testing.T) {
	interrupted := report(engine.Changed, stepnames.Site, nil)
	interrupted.Interrupted = "SIGTERM"
	got := []string{reason(nil, errors.New("x")), reason(report(engine.Failed, stepnames.Site, errors.New("y")), nil),
		reason(interrupted, nil), reason(report(engine.Changed, stepnames.Site, nil), nil),
		reason(report(engine.Deferred, stepnames.FirstBoot, nil, engine.Change{}, engine.Change{Deferred: "z"}), nil),
		reason(report(engine.Changed, stepnames.Site, nil, engine.Change{Deferred: "z"}), nil)}
	if d := cmp.Diff([]string{"x", "server-block: y", "SIGTERM", "", "z", ""}, got); d != "" {
		t.Error(d)
	}
}
