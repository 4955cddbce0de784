package provision

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"time"

	"wsprovision/provision/capacity"
	"wsprovision/provision/config"
	"wsprovision/provision/engine"
	"wsprovision/provision/firewall"
	"wsprovision/provision/firstboot"
	"wsprovision/provision/host"
	"wsprovision/provision/labels"
	"wsprovision/provision/managed"
	"wsprovision/provision/packages"
	"wsprovision/provision/policy"
	"wsprovision/provision/proxy"
	"wsprovision/provision/renewal"
	"wsprovision/provision/state"
	"wsprovision/provision/stepnames"
	"wsprovision/provision/verify"
)

// Run is one plan or apply of a configuration on a host.
type Run struct {
	*host.Host
	Config config.Config
	Options

	on     Listener
	sites  func() ([]managed.Want, error) // what a revert brings back; nil: what the configuration asks for
	limits func() []managed.Want          // the same of the files around nginx
	kind
	past
	parts
	surroundings
}

// Options are what a person says of one run.
type Options struct {
	// AnyPlatform goes on where the host is not RHEL 7 or a rebuild of it.
	AnyPlatform bool
	// Adopt takes over what is somebody else's and stands where this run is to
	// put something: files, and local labels of ports.
	Adopt bool
	// Agent is the version of the agent, for the report.
	Agent string
}

// kind is which of the commands this is.
type kind struct {
	holdOut   bool // deferred work stays outstanding until a backend has answered
	reverting bool
	planning  bool
}

// past is what earlier runs left, and what this one writes down of itself.
type past struct {
	ledger *state.Ledger
	annals *chronicle
	told   bool // of the defaults that have changed
	blind  bool // only root may read the ledger
}

// parts are what steps are made of: parts.go.
type parts struct {
	engine    *engine.Engine
	files     *managed.Files
	pkgs      *packages.Packages
	epel      *packages.Source
	labels    *labels.Labels
	policy    *policy.Policy
	survey    *proxy.Survey
	unit      *proxy.Unit
	conf      *proxy.Sites
	candidate *proxy.Candidate
	renewal   *renewal.Renewal
	proof     *verify.Proof
	later     *firstboot.Deferral
}

// surroundings are the parts that most hosts do without.
type surroundings struct {
	capacity *capacity.Capacity
	firewall *firewall.Firewall
}

// NewRun prepares a run; it reads nothing of the host yet.
func NewRun(h *host.Host, c config.Config, on Listener) *Run {
	h.RPM.LockWait, h.SELinux.LockWait = c.Wait.YumLock, c.Wait.SemanageLock
	h.RPM.Fingerprints = []string{c.EPEL.Fingerprint}
	return &Run{Host: h, Config: OnHost(h, c), on: on}
}

// OnHost is the configuration with what it leaves to the host.
func OnHost(h *host.Host, c config.Config) config.Config {
	if host.HasIPv6(h) {
		return c.WithIPv6()
	}
	return c
}

// Plan reports what Apply would do and changes nothing.
func (r *Run) Plan(ctx context.Context) (*engine.Report, error) {
	r.planning = true
	return r.run(ctx, "plan", r.steps, (*engine.Engine).Plan)
}

// Apply brings about what the configuration asks for. The error is of the run
// itself; what became of the steps is in the report, and its Err.
func (r *Run) Apply(ctx context.Context) (*engine.Report, error) {
	return r.run(ctx, "apply", r.steps, (*engine.Engine).Apply)
}

// ApplyAs is Apply of what somebody was shown: of each step these changes and no others.
func (r *Run) ApplyAs(ctx context.Context, promised map[string][]engine.Change) (*engine.Report, error) {
	return r.run(ctx, "apply", r.steps, func(e *engine.Engine, ctx context.Context) []engine.StepReport {
		e.Promised = promised
		return e.Apply(ctx)
	})
}

func (r *Run) run(ctx context.Context, command string, steps func() []engine.Step,
	act func(*engine.Engine, context.Context) []engine.StepReport) (*engine.Report, error) {
	start := time.Now()
	if err := r.begin(ctx); err != nil {
		return nil, err
	}
	defer host.Disconnect(r.Host)
	if r.holdOut { // a boot that is cut off while it waits for a backend has been interrupted too
		if err := r.annals.mark(command, start.UTC()); err != nil {
			return nil, err
		}
	}
	if r.on.Began != nil {
		r.on.Began(command, r.annals.id(start))
	}
	r.engine.Steps = r.annals.marking(command, steps())
	report := r.report(ctx, command, start, act)
	r.toldDefaults(report)
	r.annals.conclude(report)
	return report, nil
}

// report has the engine act, and says what came of it.
func (r *Run) report(ctx context.Context, command string, start time.Time,
	act func(*engine.Engine, context.Context) []engine.StepReport) *engine.Report {
	report := &engine.Report{Version: engine.ReportVersion, Command: command, Agent: r.Agent, Started: start.UTC(),
		Place: string(r.Where.Place)}
	wait := func() {}
	if r.asksForPackages() {
		wait = r.pkgs.Ask(ctx)
	}
	report.Steps = act(r.engine, ctx)
	wait()
	r.takeIn(report.Steps)
	r.settleAnnounced(ctx)
	report.Millis = time.Since(start).Milliseconds()
	if cause := context.Cause(ctx); cause != nil {
		report.Interrupted = cause.Error()
	}
	report.GatherNextBoot()
	report.Settle()
	return report
}

// asksForPackages: a revert, a renewal and what strikes off a first boot ask rpm of little, if at all.
func (r *Run) asksForPackages() bool {
	return !r.reverting && slices.ContainsFunc(r.engine.Steps, func(s engine.Step) bool {
		return s.Name == stepnames.Packages
	})
}

// begin reads what earlier runs left, makes the parts of this one, and settles what a run announced that died.
func (r *Run) begin(ctx context.Context) error {
	if err := r.trustsItsState(); err != nil {
		return err
	}
	if err := r.readLedger(); err != nil {
		return err
	}
	r.annals = r.chronicle()
	r.engine = &engine.Engine{Now: time.Now, Started: r.on.Started, Finished: r.on.Finished,
		Pending: map[string]bool{}, Known: r.Known}
	r.wire(ctx)
	r.tidyLedger()
	r.RecordRelabel = r.labels.NoteRelabel
	r.settleAnnounced(ctx)
	r.tidySource()
	r.pkgs.Inventory = nil // a transaction starts from what rpm has then
	return nil
}

// tidySource takes away what a run that was killed had given to its yum.
func (r *Run) tidySource() {
	if r.planning || r.Euid != 0 {
		return
	}
	if err := r.epel.Repositories().Tidy(); err != nil {
		r.notice(err.Error() + "; yum does not read it, and the next boot takes it away")
	}
}

// readLedger reads the ledger; who may not, and only plans, does without.
func (r *Run) readLedger() (err error) {
	r.ledger, err = state.ReadLedger(r.Files)
	switch {
	case err == nil:
		return nil
	case r.Euid == 0 || !errors.Is(err, fs.ErrPermission):
		return err
	case r.reverting: // what there is to undo is in it
		return fmt.Errorf("%w (%w)", ErrNotRoot, err)
	}
	r.blind = true
	r.ledger = state.NewLedger(r.Files)
	return nil
}

// anyPending reports whether the host is known to be not yet as asked, or
// cannot be told to be.
func anyPending(steps *engine.Engine) bool {
	for step, pending := range steps.Pending {
		if pending && step != stepnames.FirstBoot { // which comes last, and waits for the proof
			return true
		}
	}
	return false
}
