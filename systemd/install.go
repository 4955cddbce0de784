package systemd

import (
	"fmt"
	"strings"
)

// install is a unit's [Install] section: the units and aliases it asks to be linked under (systemd.unit(5)).
type install struct {
	Alias, WantedBy, RequiredBy, Also []string
}

// parseInstall reads a unit file by the rules of systemd 219: a backslash at a line's end continues it, # and ; begin
// comments, an empty value resets a list, and a line that is neither a section nor an assignment spoils the file.
func parseInstall(text string) (install, error) {
	var in install
	lists := map[string]*[]string{"Alias": &in.Alias, "WantedBy": &in.WantedBy, "RequiredBy": &in.RequiredBy,
		"Also": &in.Also}
	section := ""
	for line := range logicalLines(strings.TrimPrefix(text, "\ufeff")) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' || line[0] == ';' || strings.HasPrefix(line, ".include ") {
			continue
		}
		if line[0] == '[' {
			if !strings.HasSuffix(line, "]") {
				return install{}, fmt.Errorf("not a section: %q", line)
			}
			section = line[1 : len(line)-1]
			continue
		}
		key, value, ok := strings.Cut(line, "=")
		if !ok {
			return install{}, fmt.Errorf("neither a section nor an assignment: %q", line)
		}
		list := lists[strings.TrimSpace(key)]
		if section != "Install" || list == nil {
			continue
		}
		if value = strings.TrimSpace(value); value == "" {
			*list = nil
		}
		*list = append(*list, words(value)...)
	}
	return in, nil
}

// logicalLines joins continued lines with a space, as systemd does. A backslash that is itself escaped continues
// nothing.
func logicalLines(text string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		joined := ""
		for line := range strings.SplitSeq(text, "\n") {
			joined += line
			slashes := len(joined) - len(strings.TrimRight(joined, `\`))
			if slashes%2 == 1 {
				joined = joined[:len(joined)-1] + " "
				continue
			}
			if !yield(joined) {
				return
			}
			joined = ""
		}
		if joined != "" {
			yield(joined)
		}
	}
}

// words splits at blanks. Names of units hold no blanks, so quotes only need to come off.
func words(value string) []string {
	var list []string
	for w := range strings.FieldsSeq(value) {
		if w = strings.Trim(w, `"'`); w != "" {
			list = append(list, w)
		}
	}
	return list
}
