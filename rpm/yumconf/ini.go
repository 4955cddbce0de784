package yumconf

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"wsprovision/provision/lazy"
	"wsprovision/provision/secret"
	"wsprovision/rpm/said"
)

// section is one [name] of a yum configuration file; keys are lower case.
type section struct {
	name string
	Keys map[string]string // several lines of one value are joined by newlines
	at   map[string]string // FILE:LINE of each key's value, of its first line
}

// includeDepth stops a file that includes itself; yum stops by remembering names.
const includeDepth = 8

var (
	includeLine = lazy.Regexp(`^\s*include\s*=\s*(.*)$`)
	sectionLine = lazy.Regexp(`^\[([^]]+)\]`)
	shiftedLine = lazy.Regexp(`^\s+\[.*\]`)
	optionLine  = lazy.Regexp(`^([^:=\s\[][^:=]*?)\s*[:=]\s*(.*)$`)
	inlineNote  = lazy.Regexp(`\s;.*$`)
)

// readINI reads a file as yum 3.4.3 does: Python's ConfigParser syntax (iniparse), with include= lines followed. The
// same section twice is one section, a later value wins; variables are replaced wherever they stand, in a section's
// name too (yum/parser.py ConfigPreProcessor). yum gives up wholly on a line that it cannot read, and so do we.
func (c Conf) readINI(file string) ([]section, error) {
	p := &iniParser{}
	if err := c.includeINI(p, file, 0); err != nil {
		return nil, err
	}
	return p.inherited(), nil
}

func (c Conf) includeINI(p *iniParser, file string, depth int) error {
	if depth > includeDepth {
		return fmt.Errorf("%s: included too deeply", file)
	}
	text, err := os.ReadFile(filepath.Join(c.Root, file))
	if err != nil {
		return err
	}
	for i, line := range said.Lines(string(text)) {
		if m := includeLine().FindStringSubmatch(line); m != nil {
			target := strings.TrimPrefix(strings.TrimSpace(m[1]), "file://")
			if !filepath.IsAbs(target) || strings.Contains(target, "$") {
				return fmt.Errorf("%s:%d: only a plain local file can be included: %s",
					file, i+1, said.Quote(shownLine(line)))
			}
			if err := c.includeINI(p, target, depth+1); err != nil {
				return err
			}
			continue
		}
		place := fmt.Sprintf("%s:%d", file, i+1)
		if err := p.line(c.expand(line), place); err != nil {
			return fmt.Errorf("%s: %w: %s", place, err, said.Quote(shownLine(line)))
		}
	}
	return nil
}

// holdsSecret is a line that may be about a password and that nobody could read as an option.
var holdsSecret = lazy.Regexp(`(?i)pass|user|secret|token|auth`)

func shownLine(line string) string {
	if holdsSecret().MatchString(line) {
		return "(not shown: it may hold a password)"
	}
	return secret.Hide(line)
}

// inherited gives every section what [DEFAULT] says and it does not say itself; [DEFAULT] is no section.
func (p *iniParser) inherited() []section {
	var defaults section
	all := slices.DeleteFunc(p.sections, func(s section) bool {
		if s.name == "DEFAULT" {
			defaults = s
		}
		return s.name == "DEFAULT"
	})
	for _, s := range all {
		for key, value := range defaults.Keys {
			if _, said := s.Keys[key]; !said {
				s.Keys[key], s.at[key] = value, defaults.at[key]
			}
		}
	}
	return all
}

type iniParser struct {
	sections []section
	current  int    // index into sections
	inside   bool   // a section was opened
	key      string // that a continuation line would belong to
}

func (p *iniParser) line(line, place string) error {
	if shiftedLine().MatchString(line) { // no continuation for yum
		line = strings.TrimLeft(line, " \t")
	}
	switch {
	case strings.TrimSpace(line) == "", strings.HasPrefix(line, "#"), strings.HasPrefix(line, ";"), isRem(line):
		return nil
	case line[0] == ' ' || line[0] == '\t':
		return p.more(line)
	}
	if m := sectionLine().FindStringSubmatch(line); m != nil {
		p.open(m[1])
		return nil
	}
	m := optionLine().FindStringSubmatch(line)
	switch {
	case m == nil:
		return errors.New("neither a [section] nor an option")
	case !p.inside:
		return errors.New("an option outside every [section]")
	}
	p.key = strings.ToLower(strings.TrimSpace(m[1]))
	p.sections[p.current].Keys[p.key] = strings.TrimSpace(inlineNote().ReplaceAllString(m[2], ""))
	p.sections[p.current].at[p.key] = place
	return nil
}

func isRem(line string) bool {
	f := strings.Fields(line)
	return len(f) > 0 && strings.EqualFold(f[0], "rem") && (line[0] == 'r' || line[0] == 'R')
}

func (p *iniParser) more(line string) error {
	if p.key == "" {
		if strings.HasPrefix(strings.TrimSpace(line), "#") {
			return nil
		}
		return errors.New("a continuation of nothing")
	}
	p.sections[p.current].Keys[p.key] += "\n" + strings.TrimSpace(line)
	return nil
}

func (p *iniParser) open(name string) {
	p.inside, p.key = true, ""
	for i := range p.sections {
		if p.sections[i].name == name {
			p.current = i
			return
		}
	}
	p.sections = append(p.sections, section{name: name, Keys: map[string]string{}, at: map[string]string{}})
	p.current = len(p.sections) - 1
}
