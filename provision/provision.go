package provision

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"wsprovision/provision/config"
	"wsprovision/provision/engine"
	"wsprovision/provision/host"
	"wsprovision/rpm"
	"wsprovision/selinux"
)

// Run is one plan or apply of a configuration on a host.
type Run struct {
	*host.Host
	Config config.Config
	// AnyPlatform goes on where the host is not RHEL 7 or a rebuild of it.
	AnyPlatform bool
	// Adopt takes over what is somebody else's and stands where this run is to
	// put something: files, and local labels of ports.
	Adopt bool
	// Agent is the version of the agent, for the report.
	Agent string

	on      Listener
	holdOut bool // deferred work stays outstanding until a backend has answered
	// sites says what should be under conf.d: what the configuration asks for
	// or, reverting, what was there before.
	sites     func() ([]wanted, error)
	reverting bool
	planning  bool
	engine    *engine.Engine
	ledger    *Ledger
	owed      Owed
	annals    *chronicle
	packages  map[string][]rpm.Package // what rpm said; nil: ask
	damage    []rpm.Damage             // what a power cut took; nil: not looked for
	inventory *rpm.Inventory           // all that rpm has, once a transaction was due; nil: ask
	release   *release                 // what epel.package names; nil: fetch it
	seen      *service                 // what the survey found; while it lasts nothing changes
	surveyed  *memory                  // what it has read
	wrote     []Proven                 // what nginx reads and this run has changed, as it was
	unproved  []string                 // what the proof could not tell, and time may
	hopeless  bool                     // a label could not be set here
	bare      []selinux.Path           // what a walk found to have no label
	labelling bool                     // bare stays as it is
	told      bool                     // of the defaults that have changed
	blind     bool                     // only root may read the ledger
}

// NewRun prepares a run; it reads nothing of the host yet.
func NewRun(h *host.Host, c config.Config, on Listener) *Run {
	h.RPM.LockWait, h.SELinux.LockWait = c.Wait.YumLock, c.Wait.SemanageLock
	h.RPM.Fingerprints = []string{c.EPEL.Fingerprint}
	r := &Run{Host: h, Config: c, on: on, owed: Owed{h.Files}}
	r.sites = r.configured
	return r
}

// Plan reports what Apply would do and changes nothing.
func (r *Run) Plan(ctx context.Context) (*engine.Report, error) {
	r.planning = true
	return r.run(ctx, "plan", r.steps(), (*engine.Engine).Plan)
}

// Apply brings about what the configuration asks for. The error is of the run
// itself; what became of the steps is in the report, and its Err.
func (r *Run) Apply(ctx context.Context) (*engine.Report, error) {
	return r.run(ctx, "apply", r.steps(), (*engine.Engine).Apply)
}

func (r *Run) run(ctx context.Context, command string, steps []engine.Step,
	act func(*engine.Engine, context.Context) []engine.StepReport) (*engine.Report, error) {
	start := time.Now()
	if err := r.trustsItsState(); err != nil {
		return nil, err
	}
	var err error
	r.ledger, err = ReadLedger(r.Files)
	switch {
	case err == nil:
	case r.Euid == 0 || !errors.Is(err, fs.ErrPermission):
		return nil, err
	case r.reverting: // what there is to undo is in it
		return nil, fmt.Errorf("%w (%w)", ErrNotRoot, err)
	default:
		r.blind = true
		r.ledger = &Ledger{Version: ledgerVersion1, files: r.Files}
	}
	r.tidyLedger()
	defer host.Disconnect(r.Host)
	r.RecordRelabel = r.noteRelabel
	r.settleAnnounced(ctx)
	r.inventory = nil // a transaction starts from what rpm has then
	r.annals, steps = r.chronicle(command, steps)
	if r.holdOut { // a boot that is cut off while it waits for a backend has been interrupted too
		if err := r.annals.mark(command, start.UTC()); err != nil {
			return nil, err
		}
	}
	r.engine = &engine.Engine{Steps: steps, Now: time.Now, Started: r.on.Started, Finished: r.on.Finished,
		Pending: map[string]bool{}}
	report := &engine.Report{Version: engine.ReportVersion, Command: command, Agent: r.Agent, Started: start.UTC(),
		Place: string(r.Where.Place)}
	report.Steps = act(r.engine, ctx)
	r.takeIn(report.Steps)
	r.settleAnnounced(ctx)
	report.Millis = time.Since(start).Milliseconds()
	if cause := context.Cause(ctx); cause != nil {
		report.Interrupted = cause.Error()
	}
	report.GatherNextBoot()
	report.Settle()
	r.toldDefaults(report)
	r.annals.conclude(report)
	return report, nil
}

// anyPending reports whether the host is known to be not yet as asked, or
// cannot be told to be.
func (r *Run) anyPending() bool {
	for step, pending := range r.engine.Pending {
		if pending && step != StepFirstBoot { // which comes last, and waits for the proof
			return true
		}
	}
	return false
}

// sitesDiffer reports whether any site's file is still to be written; what
// cannot be read is the server-block step's to report.
func (r *Run) sitesDiffer() bool {
	files, err := r.siteFiles()
	return err == nil && len(overlay(files)) > 0
}
