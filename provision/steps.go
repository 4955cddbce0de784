package provision

import (
	"slices"

	"wsprovision/provision/capacity"
	"wsprovision/provision/engine"
	"wsprovision/provision/firewall"
	"wsprovision/provision/stepnames"
)

// steps are brought about in this order.
//
// SELinux comes before the server block, and the validation before both the
// file and the reload: when nginx takes a new configuration, nothing that it
// needs is still to come, so no request meets a 502 in between. Where one of
// them fails, nginx goes on as it did.
func (r *Run) steps() []engine.Step {
	return r.acrossBoots(recording(r.Config, r.files, r.surrounded([]engine.Step{
		{Name: stepnames.Platform, Check: r.checkPlatform},
		{Name: stepnames.Repository, Needs: []string{stepnames.Platform}, Check: r.epel.Check, Apply: r.epel.Apply},
		{Name: stepnames.Packages, Needs: []string{stepnames.Platform, stepnames.Repository}, Check: r.pkgs.Check,
			Apply: r.pkgs.Apply},
		{Name: stepnames.SELinux, Needs: []string{stepnames.Packages}, Check: r.policy.Check, Apply: r.policy.Apply},
		{Name: stepnames.Validate, Needs: []string{stepnames.Packages}, Check: r.candidate.Check},
		{Name: stepnames.Site, Needs: []string{stepnames.SELinux, stepnames.Capacity, stepnames.Validate},
			Check: r.conf.Check,
			Apply: r.conf.Apply},
		{Name: stepnames.Service, Needs: []string{stepnames.Site}, Check: r.unit.Check, Apply: r.unit.Apply},
		{Name: stepnames.Proof, Needs: []string{stepnames.Service}, Check: r.proof.Check},
	})))
}

// surrounded adds what is around nginx.
func (s surroundings) surrounded(steps []engine.Step) []engine.Step {
	return roomy(s.capacity, stepnames.SELinux, firewalled(s.firewall, steps))
}

// firewalled adds, behind the service, what lets clients in, where anybody asks for it or has asked.
func firewalled(f *firewall.Firewall, steps []engine.Step) []engine.Step {
	if !f.Concerned() {
		return steps
	}
	return behind(stepnames.Service, steps, engine.Step{Name: stepnames.Firewall, Needs: []string{stepnames.Service},
		Check: f.Check, Apply: f.Apply})
}

// roomy adds what holds many WebSockets, where anybody asks for it or has asked. It comes before the files of the
// sites: a reload then finds the limits raised, and listens with the backlog that the kernel grants by then.
func roomy(c *capacity.Capacity, after string, steps []engine.Step) []engine.Step {
	if !c.Concerned() {
		return steps
	}
	return behind(after, steps, engine.Step{Name: stepnames.Capacity, Needs: []string{after}, Check: c.Check,
		Apply: c.Apply})
}

func behind(name string, steps []engine.Step, more engine.Step) []engine.Step {
	i := slices.IndexFunc(steps, func(s engine.Step) bool { return s.Name == name })
	return slices.Insert(steps, i+1, more)
}
