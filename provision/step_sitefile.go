package provision

import (
	"slices"

	"wsprovision/provision/config"
	"wsprovision/provision/engine"
	"wsprovision/provision/managed"
	"wsprovision/provision/siteconfig"
	"wsprovision/provision/stepnames"
)

// recording adds the step that writes down what options ask for. It comes before the server block and behind all that
// can refuse a run: a run that is refused leaves no file.
func recording(c config.Config, files *managed.Files, steps []engine.Step) []engine.Step {
	if c.Record == nil {
		return steps
	}
	file := siteconfig.New(*files, *c.Record)
	i := slices.IndexFunc(steps, func(s engine.Step) bool { return s.Name == stepnames.Site })
	steps[i].Needs = append(steps[i].Needs, stepnames.SiteFile)
	return slices.Insert(steps, i, engine.Step{Name: stepnames.SiteFile, Needs: []string{stepnames.SELinux,
		stepnames.Validate},
		Check: file.Check, Apply: file.Apply})
}
