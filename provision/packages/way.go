package packages

import (
	"slices"
	"strings"

	"wsprovision/provision/config"
	"wsprovision/rpm/yumconf"
)

// way is where source auto has the packages come from, as far as the host's own files tell: nobody is contacted for it.
type way struct {
	own    []string             // ids of the EPEL that the host has, enabled or not
	enable []yumconf.Repository // those of them that are disabled
	first  []string             // ids beyond the distribution's own, which are asked first
	none   bool                 // EPEL is not needed
}

// builtIn reports whether EPEL as the agent knows it may be needed.
func (w way) builtIn() bool { return !w.none && len(w.own) == 0 }

// beside is what yum is given of it.
func (w way) beside() yumconf.Beside {
	var ids []string
	for _, r := range w.enable {
		ids = append(ids, r.ID)
	}
	return yumconf.Beside{Enable: ids}
}

// auto reports whether the agent chooses the source.
func (src *Source) auto() bool { return src.Config.EPEL.Source == config.EPELAuto }

// way finds out where the packages come from.
func (src *Source) way(missing []string) (way, error) {
	if !slices.ContainsFunc(missing, func(name string) bool { return name != Semanage }) {
		return way{none: true}, nil
	}
	repos, err := src.RPM.Yum.Repositories()
	if err != nil {
		return way{}, err
	}
	w := own(repos)
	for _, r := range repos {
		if r.Enabled && !r.OfDistribution() && !slices.Contains(w.own, r.ID) {
			w.first = append(w.first, r.ID)
		}
	}
	return w, nil
}

// own finds the EPEL that the host has: all that are enabled, else one that is not, epel-release's before others.
func own(repos []yumconf.Repository) (w way) {
	for _, r := range repos {
		if r.Enabled && r.IsEPEL() {
			w.own = append(w.own, r.ID)
		}
	}
	for _, isOne := range []func(yumconf.Repository) bool{isEPELRelease, yumconf.Repository.IsEPEL} {
		if i := slices.IndexFunc(repos, isOne); len(w.own) == 0 && i >= 0 {
			return way{own: []string{repos[i].ID}, enable: repos[i : i+1]}
		}
	}
	return w
}

// isEPELRelease tells of the repository's id in epel-release's own file.
func isEPELRelease(r yumconf.Repository) bool { return strings.EqualFold(r.ID, "epel") }

// notes say before anything is asked where the packages would come from.
func (src *Source) notes(w way) (notes []string) {
	for _, r := range w.enable {
		notes = append(notes, "repository "+r.ID+" of "+r.File+" is disabled: it is enabled for this one run of yum")
	}
	switch {
	case w.none:
		return []string{"EPEL is not needed for what is missing"}
	case len(w.own) > 0 && len(w.enable) == 0:
		notes = append(notes, "EPEL is there: "+strings.Join(w.own, ", "))
	case len(w.own) > 0:
	default:
		if len(w.first) > 0 {
			notes = append(notes, "asked first, in a run of yum of their own: "+strings.Join(w.first, ", "))
		}
		notes = append(notes, src.OneRun().contacts(len(w.first) > 0))
	}
	return append(notes, src.RPM.With(w.beside()).Yum.Doubts([]string{Nginx}, w.own...)...)
}

// contacts names the hosts that an apply would ask.
func (o OneRun) contacts(later bool) string {
	who := "to be contacted: "
	if later {
		who = "where these have no nginx, to be contacted: "
	}
	if base := o.Config.EPEL.BaseURL; base != "" {
		return who + hostOf(base) + " (epel.baseurl); its repository file stays"
	}
	return who + hostOf(epelMetalink) + " (EPEL 7's mirrors), and where it does not answer " + hostOf(epelArchive) +
		" (EPEL 7's archive; its repository file then stays, and epel-release does not come)"
}

// hidden is an error where yum's configuration is sure to hide from it what it is to bring.
func (src *Source) hidden(w way, names []string) error {
	what, err := src.RPM.With(w.beside()).Yum.Hides(names, w.own...)
	if err != nil || what == "" {
		return err
	}
	return &hiddenError{what}
}

// hiddenError says what hides a package from yum.
type hiddenError struct{ what string }

func (e *hiddenError) Error() string { return "yum would not see what it is to bring: " + e.what }
