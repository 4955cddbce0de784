package managed

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"wsprovision/provision/engine"
	"wsprovision/provision/host"
	"wsprovision/provision/state"
)

// Line is one line of nginx.conf that is to be another. The file is somebody else's, and the agent changes this line
// and nothing else of it.
type Line struct {
	Key  string // of the configuration, which asks for it; the ledger knows the line by it
	From string
	To   string
}

// Edited is the content with the lines exchanged; nil where one of them is not there exactly once.
func Edited(content []byte, lines []Line) []byte {
	all := strings.Split(string(content), "\n")
	for _, l := range lines {
		if Occurrences(content, l.From) != 1 {
			return nil
		}
		all[slices.Index(all, l.From)] = l.To
	}
	return []byte(strings.Join(all, "\n"))
}

// Occurrences is how often the content has the line.
func Occurrences(content []byte, line string) (n int) {
	for _, have := range bytes.Split(content, []byte("\n")) {
		if string(have) == line {
			n++
		}
	}
	return n
}

// PresentLine is the line of nginx.conf that an entry speaks of as it is now, in the entry's words.
func (m *Files) PresentLine(e state.Entry) (string, error) {
	have, err := m.Files.Read(host.NginxConf)
	if err != nil {
		return "", err
	}
	for _, line := range []string{e.Left, e.Prior, e.Before} {
		if line != "" && Occurrences(have.Content, line) > 0 {
			return line, nil
		}
	}
	return state.Absent, nil
}

// RecordedLines are the ledger's entries of lines.
func RecordedLines(ledger *state.Ledger) (all []state.Entry) {
	for _, e := range ledger.Entries {
		if e.Kind == state.KindLine {
			all = append(all, e)
		}
	}
	return all
}

// lineEntries are what each line was. What else stands in the file is not the agent's.
func lineEntries(ledger *state.Ledger, lines []Line) []state.Entry {
	var entries []state.Entry
	for _, l := range lines {
		e := state.Entry{Kind: state.KindLine, Name: l.Key, Before: l.From, Left: l.To}
		old, recorded := ledger.Find(state.KindLine, l.Key)
		e.Adopts = recorded && l.From != old.Before && !old.IsAgents(l.From) // somebody's since, and replaced
		entries = append(entries, e)
	}
	return entries
}

// linesBack brings the lines of the agent's back to what the file had of them when nginx last took it. What else was
// edited meanwhile stays.
func (m *Files) linesBack(p state.Proven) (back bool, err error) {
	have, err := m.Files.Read(p.Path)
	if err != nil {
		return false, err
	}
	var lines []Line
	for _, e := range RecordedLines(m.Ledger) {
		for _, was := range []string{e.Before, e.Prior, e.Left} {
			now, err := m.PresentLine(e)
			if err == nil && was != "" && was != now && Occurrences(p.Content, was) == 1 {
				lines = append(lines, Line{e.Name, now, was})
				break
			}
		}
	}
	content := Edited(have.Content, lines)
	switch {
	case content == nil:
		return false, fmt.Errorf("%s was edited since the agent changed a line of it: mend it, and run again", p.Path)
	case len(lines) == 0:
		return true, nil
	}
	unrecorded := m.Ledger.Record(lineEntries(m.Ledger, lines)...)
	w := Want{Path: p.Path, Content: content, Mode: have.Mode, Owner: have.Owner,
		Custom: m.Files.CustomLabel(p.Path, have)}
	if err := m.restore(w); err != nil {
		return false, err
	}
	return true, unrecorded
}

// lineChange shows the line, and where in the file it stands.
func lineChange(s File) engine.Change {
	c := engine.Change{Object: "file " + s.Path, Diff: engine.Unified(s.Path, s.Have.Content, s.Content)}
	var from, to []string
	for _, l := range s.Lines {
		from, to = append(from, strings.TrimSpace(l.From)), append(to, strings.TrimSpace(l.To))
	}
	c.From, c.To = strings.Join(from, " and "), strings.Join(to, " and ")
	return c
}
