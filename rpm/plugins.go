package rpm

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"wsprovision/rpm/said"
)

// Plugins of yum that hide packages from it, each with its file below /etc/yum/pluginconf.d. What a repository holds
// is not known here, so that they are a reason to look and not an error.
const pluginConf = "/etc/yum/pluginconf.d/"

// Doubts are what yum's plugins may keep from it of packages that come from the repositories of these ids.
func (h Host) Doubts(names []string, ids ...string) []string {
	main, repos, err := h.definitions()
	if err != nil {
		return nil // whoever runs yum says so
	}
	if on, ok := boolOption(false, main.keys["plugins"]); !on || !ok {
		return nil
	}
	return append(h.outranked(repos, ids), h.versionLocks(names)...)
}

// pluginOptions are those of a plugin that is on; nil of one that is not.
func (h Host) pluginOptions(name string) map[string]string {
	sections, err := h.readINI(pluginConf + name + ".conf")
	if err != nil {
		return nil
	}
	for _, s := range sections {
		if on, ok := boolOption(false, s.keys["enabled"]); s.name == "main" && on && ok {
			return s.keys
		}
	}
	return nil
}

// lowestPriority is what yum-plugin-priorities gives to a repository that names none.
const lowestPriority = 99

// outranked are the repositories that go before these ids (yum-plugin-priorities): of a package that both have, yum
// sees theirs alone.
func (h Host) outranked(repos []definition, ids []string) (all []string) {
	if h.pluginOptions("priorities") == nil {
		return nil
	}
	priority := func(d definition) int {
		if n, err := strconv.Atoi(d.section.keys["priority"]); err == nil {
			return n
		}
		return lowestPriority
	}
	for _, ours := range repos {
		for _, other := range repos {
			if slices.Contains(ids, ours.ID) && !slices.Contains(ids, other.ID) && other.Enabled &&
				priority(other) < priority(ours) {
				all = append(all, fmt.Sprintf("yum's plugin priorities is on, and [%s] (priority %d) goes before [%s] "+
					"(%d): what both have comes from %s", other.ID, priority(other), ours.ID, priority(ours), other.ID))
			}
		}
	}
	return all
}

// versionLocks are the lines of yum-plugin-versionlock's list that speak of these packages.
func (h Host) versionLocks(names []string) (all []string) {
	options := h.pluginOptions("versionlock")
	if options == nil {
		return nil
	}
	list := options["locklist"]
	if list == "" {
		list = pluginConf + "versionlock.list"
	}
	text, err := h.fetchFile(list, mostList)
	if err != nil {
		return nil
	}
	for i, line := range said.Lines(string(text)) {
		item := listItem{pattern: strings.TrimPrefix(strings.TrimSpace(line), "!")}
		for _, name := range names {
			if item.pattern != "" && !strings.HasPrefix(item.pattern, "#") && item.hides(name) {
				all = append(all, fmt.Sprintf("yum's plugin versionlock is on, and %s:%d (%s) may hide %s",
					list, i+1, said.Clip(strings.TrimSpace(line)), name))
			}
		}
	}
	return all
}
