package provision

import (
	"wsprovision/provision/config"
	"wsprovision/provision/engine"
	"wsprovision/provision/host"
	"wsprovision/provision/labels"
	"wsprovision/provision/managed"
	"wsprovision/provision/packages"
	"wsprovision/provision/policy"
	"wsprovision/provision/state"
)

// Service is nginx.service.
type Service struct {
	*host.Host
	engine *engine.Engine
	ledger *state.Ledger
	files  *managed.Files
	pkgs   *packages.Packages
	survey *Survey
	owed   state.Owed
	// pending is what is to change of what nginx reads, in the form in which its tester takes it.
	pending func() (map[string][]byte, error)
	seen    *service       // what the survey found; while it lasts nothing changes
	wrote   []state.Proven // what nginx reads and this run has changed, as it was
}

// Sites are the files that nginx reads.
type Sites struct {
	*host.Host
	Config    config.Config
	ledger    *state.Ledger
	files     *managed.Files
	unit      *Service
	survey    *Survey
	reverting bool
	// sites says what should be under conf.d: what the configuration asks for
	// or, reverting, what was there before.
	sites func() ([]managed.Want, error)
}

// Candidate is nginx's configuration as it is to be, before it is.
type Candidate struct {
	*host.Host
	Config    config.Config
	pkgs      *packages.Packages
	unit      *Service
	conf      *Sites
	survey    *Survey
	reverting bool
}

// Proof is that a WebSocket goes through.
type Proof struct {
	*host.Host
	Config   config.Config
	engine   *engine.Engine
	policy   *policy.Policy
	survey   *Survey
	unproved []string // what the proof could not tell, and time may
}

// Deferral is the work that the first boot does.
type Deferral struct {
	*host.Host
	Config  config.Config
	annals  *chronicle
	files   *managed.Files
	labels  *labels.Labels
	unit    *Service
	policy  *policy.Policy
	proof   *Proof
	ours    func() []managed.File
	holdOut bool // deferred work stays outstanding until a backend has answered
}

// wire makes the parts of a run, which know each other in one direction.
func (r *Run) wire() {
	h, c := r.Host, r.Config
	r.files = &managed.Files{Host: h, Config: c, Ledger: r.ledger, Adopt: r.Adopt, Reverting: r.reverting,
		Planning: r.planning, Blind: r.blind, Elsewhere: elsewhere}
	r.pkgs = &packages.Packages{Host: h, Ledger: r.ledger, History: r.annals.history}
	r.epel = &packages.Source{Host: h, Config: c, Ledger: r.ledger, Managed: r.files, Packages: r.pkgs}
	r.labels = &labels.Labels{Host: h, Ledger: r.ledger, Packages: r.pkgs}
	r.policy = &policy.Policy{Host: h, Config: c, Ledger: r.ledger, Managed: r.files, Labels: r.labels}
	r.survey = &Survey{Host: h, engine: r.engine}
	r.unit = &Service{Host: h, engine: r.engine, ledger: r.ledger, files: r.files, pkgs: r.pkgs, survey: r.survey,
		owed: state.Owed{Files: h.Files}}
	r.conf = &Sites{Host: h, Config: c, ledger: r.ledger, files: r.files, unit: r.unit, survey: r.survey,
		reverting: r.reverting, sites: r.sites}
	if r.conf.sites == nil {
		r.conf.sites = r.conf.configured
	}
	r.unit.pending = r.conf.pending
	r.candidate = &Candidate{Host: h, Config: c, pkgs: r.pkgs, unit: r.unit, conf: r.conf, survey: r.survey,
		reverting: r.reverting}
	r.proof = &Proof{Host: h, Config: c, engine: r.engine, policy: r.policy, survey: r.survey}
	r.later = &Deferral{Host: h, Config: c, annals: r.annals, files: r.files, labels: r.labels, unit: r.unit,
		policy: r.policy, proof: r.proof, ours: r.ours, holdOut: r.holdOut}
}
