package provision

import (
	"context"

	"wsprovision/provision/capacity"
	"wsprovision/provision/config"
	"wsprovision/provision/firewall"
	"wsprovision/provision/firstboot"
	"wsprovision/provision/labels"
	"wsprovision/provision/managed"
	"wsprovision/provision/nginx/render"
	"wsprovision/provision/packages"
	"wsprovision/provision/policy"
	"wsprovision/provision/proxy"
	"wsprovision/provision/renewal"
	"wsprovision/provision/state"
	"wsprovision/provision/verify"
)

// wire makes the parts of a run, which know each other in one direction.
func (r *Run) wire(ctx context.Context) {
	h, c := r.Host, r.Config
	r.files = &managed.Files{Host: h, Config: c, Ledger: r.ledger, Adopt: r.Adopt, Reverting: r.reverting,
		Planning: r.planning, Blind: r.blind, Elsewhere: proxy.Elsewhere}
	r.pkgs = &packages.Packages{Host: h, Ledger: r.ledger, History: r.annals.history}
	r.epel = &packages.Source{Host: h, Config: c, Ledger: r.ledger, Managed: r.files, Packages: r.pkgs}
	if c.EPEL.Source == config.EPELAuto {
		r.pkgs.WithRelease, r.pkgs.Bring, r.pkgs.Beside = r.epel.WithRelease, r.epel.Bring, r.epel.OneRun().Beside
	}
	r.labels = &labels.Labels{Host: h, Ledger: r.ledger, HasNginx: r.pkgs.HasNginx}
	r.policy = &policy.Policy{Host: h, Config: c, Ledger: r.ledger, Managed: r.files,
		KeepLabels: r.labels.KeepStore}
	r.survey = &proxy.Survey{Host: h}
	r.unit = &proxy.Unit{Host: h, Config: c, Ledger: r.ledger, Managed: r.files,
		Damaged: r.pkgs.Damaged, Survey: r.survey, Owed: state.Owed{Files: h.Files}}
	r.conf = &proxy.Sites{Host: h, Config: c, Ledger: r.ledger, Managed: r.files, Unit: r.unit, Survey: r.survey,
		Reverting: r.reverting, Wanted: r.sites,
		Build: func() render.Build { return proxy.BuildOf(ctx, h, r.pkgs.NginxVersion) }}
	if r.conf.Wanted == nil {
		r.conf.Wanted = r.conf.Configured
	}
	r.unit.Pending = r.conf.Pending
	r.candidate = &proxy.Candidate{Host: h, Config: c, HasNginx: r.pkgs.HasNginx, Unit: r.unit, Sites: r.conf,
		Survey: r.survey, Reverting: r.reverting}
	r.capacity = &capacity.Capacity{Host: h, Config: c, Ledger: r.ledger, Managed: r.files, Unit: r.unit,
		Survey: r.survey, Sites: r.conf, Reverting: r.reverting, Wanted: r.limits}
	r.firewall = &firewall.Firewall{Host: h, Config: c, Ledger: r.ledger, Reverting: r.reverting}
	r.renewal = &renewal.Renewal{Host: h, Config: c, Candidate: r.candidate, Unit: r.unit, Survey: r.survey}
	r.proof = &verify.Proof{Host: h, Config: c, Pending: func() bool {
		return anyPending(r.engine)
	}, Denial: r.policy.Denial, Survey: r.survey}
	r.later = &firstboot.Deferral{Host: h, Config: c, Unmark: r.annals.unmark, Managed: r.files, Labels: r.labels,
		Unit:   r.unit,
		Policy: r.policy, Unproved: func() []string { return r.proof.Unproved }, Ours: r.ours, HoldOut: r.holdOut}
}
