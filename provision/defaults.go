package provision

import (
	"fmt"

	"wsprovision/provision/config"
	"wsprovision/provision/engine"
	"wsprovision/provision/host"
)

// changedDefault is a default that an earlier version had otherwise.
type changedDefault func(config.Config) string

// changedDefaults are all of them, in the order in which they changed. Each says
// what the change means to a configuration, "" where it means nothing. A host on
// which an earlier version has run is told once: by every plan, until an apply
// has said it and ended well.
var changedDefaults = [...]changedDefault{
	driftByDefault,
	ipv6ByDefault,
	epelByDefault,
}

// driftByDefault is 1.1.0's. The wsprovision.yaml of 1.0.0 had on_drift: replace
// on an active line, which rpm leaves as it is (%config(noreplace)).
func driftByDefault(c config.Config) string {
	switch c.OnDrift {
	case config.DriftReplace:
		return "on_drift is replace, which was the default of 1.0.0 and an active line of its wsprovision.yaml, " +
			"and stays in force here: what it replaces is kept in " + host.ReplacedDir +
			". The default is fail by now: a file of ours that was edited by hand ends the run before anything is " +
			"changed; to have it so, take the line out"
	case config.DriftFail:
		return "on_drift is fail, the default, which was replace in 1.0.0: a file of ours that was edited by hand " +
			"ends the run before anything is changed; on_drift: replace has it replaced as before, and a copy kept " +
			"in " + host.ReplacedDir
	}
	return ""
}

// ipv6ByDefault is 1.1.0's. Until then a site that did not say what it listens
// on listened at IPv4 alone.
func ipv6ByDefault(c config.Config) string {
	for _, s := range c.Sites {
		if s.StandardListen && len(s.Listen) > 1 {
			return fmt.Sprintf("a site without listen, such as %s, listens on %s too, because this host has IPv6; "+
				"to have it so no more, write listen: %s", s.Name, s.Listen[1], s.Listen[0])
		}
	}
	return ""
}

// epelByDefault is 1.1.0's.
func epelByDefault(c config.Config) string {
	if c.EPEL.Source != config.EPELAuto {
		return ""
	}
	return "epel.source is auto, the default, which was repository in 1.0.0: while nothing is missing nobody is " +
		"asked for anything; else EPEL comes from what this host has of it, or from EPEL 7's mirrors or its archive; " +
		"epel.source: repository has it as before"
}

func (r *Run) sayDefaults(f *engine.Finding) {
	if r.reverting || len(r.ledger.Entries) == 0 {
		return
	}
	r.told = true
	for _, changed := range changedDefaults[min(r.annals.history.Defaults, len(changedDefaults)):] {
		if note := changed(r.Config); note != "" {
			f.Notes = append(f.Notes, note)
		}
	}
}

// toldDefaults notes that a run which ended well has said what changed.
func (r *Run) toldDefaults(report *engine.Report) {
	h := r.annals.history
	if r.planning || !r.told || report.Result == engine.Failed || h.Defaults >= len(changedDefaults) {
		return
	}
	h.Defaults = len(changedDefaults)
	if err := h.Save(); err != nil {
		r.notice(err.Error() + "; the next run says again which defaults have changed")
	}
}
