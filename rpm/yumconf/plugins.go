package yumconf

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"wsprovision/rpm/said"
)

// PluginConf is where each plugin of yum has its file. Two of them hide packages from it. What a repository holds is
// not known here, so that they are a reason to look and not an error.
const PluginConf = "/etc/yum/pluginconf.d/"

// Doubts are what yum's plugins may keep from it of packages that come from the repositories of these ids.
func (c Conf) Doubts(names []string, ids ...string) []string {
	main, repos, err := c.Definitions()
	if err != nil {
		return nil // whoever runs yum says so
	}
	if on, ok := boolOption(false, main.Keys["plugins"]); !on || !ok {
		return nil
	}
	return append(c.outranked(repos, ids), c.versionLocks(names)...)
}

// pluginOptions are those of a plugin that is on; nil of one that is not.
func (c Conf) pluginOptions(name string) map[string]string {
	sections, err := c.readINI(PluginConf + name + ".conf")
	if err != nil {
		return nil
	}
	for _, s := range sections {
		if on, ok := boolOption(false, s.Keys["enabled"]); s.name == "main" && on && ok {
			return s.Keys
		}
	}
	return nil
}

// lowestPriority is what yum-plugin-priorities gives to a repository that names none.
const lowestPriority = 99

// outranked are the repositories that go before these ids (yum-plugin-priorities): of a package that both have, yum
// sees theirs alone.
func (c Conf) outranked(repos []definition, ids []string) (all []string) {
	if c.pluginOptions("priorities") == nil {
		return nil
	}
	priority := func(d definition) int {
		if n, err := strconv.Atoi(d.section.Keys["priority"]); err == nil {
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
func (c Conf) versionLocks(names []string) (all []string) {
	options := c.pluginOptions("versionlock")
	if options == nil {
		return nil
	}
	list := options["locklist"]
	if list == "" {
		list = PluginConf + "versionlock.list"
	}
	text, err := c.FetchFile(list, mostList)
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
