package state

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"wsprovision/provision/engine"
	"wsprovision/provision/plaintext"
)

// historyLimit bounds report.json, in bytes: a diff of a large site and the
// output of a program are as long as they are.
const historyLimit = 1 << 20

// Text is the history as it is kept. Where it is too long, first the longest
// texts and lists are cut, each with a word about it.
func (h *History) Text() ([]byte, error) {
	return bounded(func(c *cutter) any {
		if c == nil {
			return h
		}
		kept := *h
		kept.Install, kept.Last = c.report(h.Install), c.report(h.Last)
		return kept
	})
}

// bounded is the JSON of what of gives: whole, without a cutter, and else as short as it has to be.
func bounded(of func(c *cutter) any) ([]byte, error) {
	var c *cutter
	for length, items := 64<<10, 4096; ; length, items = length/4, max(items/4, 4) {
		text, err := json.MarshalIndent(of(c), "", "  ")
		// A person will look at it, and it holds what a backend, a client and a mirror said.
		if text = []byte(plaintext.Text(string(text)) + "\n"); err != nil || len(text) <= historyLimit || length < 16 {
			return text, err
		}
		c = &cutter{length, items}
	}
}

// cutter bounds texts, in bytes, and lists.
type cutter struct{ length, items int }

func (c cutter) report(r *engine.Report) *engine.Report {
	if r == nil {
		return nil
	}
	short := *r
	short.Interrupted, short.Resumes = c.cut(r.Interrupted), c.cut(r.Resumes)
	short.Steps = slices.Clone(r.Steps)
	for i := range short.Steps {
		c.step(&short.Steps[i])
	}
	return &short
}

func (c cutter) step(s *engine.StepReport) {
	changes, left := s.Changes, 0
	if len(changes) > c.items {
		changes, left = changes[:c.items], len(changes)-c.items
	}
	s.Changes = slices.Clone(changes)
	for i := range s.Changes {
		m := &s.Changes[i]
		m.Object, m.From, m.To = c.cut(m.Object), c.cut(m.From), c.cut(m.To)
		m.Diff, m.Deferred = c.cut(m.Diff), c.cut(m.Deferred)
	}
	s.Notes, s.Warnings = c.lines(s.Notes), c.lines(s.Warnings)
	if left > 0 {
		s.Notes = append(s.Notes, fmt.Sprintf("%d more changes are not kept in this report: it would be too long",
			left))
	}
	s.Error, s.Why = c.cut(s.Error), c.cut(s.Why)
}

func (c cutter) lines(all []string) []string {
	kept := slices.Clone(all[:min(len(all), c.items)])
	for i := range kept {
		kept[i] = c.cut(kept[i])
	}
	if left := len(all) - len(kept); left > 0 {
		kept = append(kept, fmt.Sprintf("[%d more are not kept: the report would be too long]", left))
	}
	return kept
}

// cut keeps the beginning, which says what it is about, and the end, which says
// what went wrong.
func (c cutter) cut(text string) string {
	if len(text) <= c.length {
		return text
	}
	head, tail := whole(text[:c.length/2]), whole(text[len(text)-c.length/2:])
	left := len(text) - len(head) - len(tail)
	return fmt.Sprintf("%s\n[%d bytes are not kept: the report would be too long]\n%s", head, left, tail)
}

// whole leaves out the halves of characters that a cut has made.
func whole(text string) string {
	if utf8.ValidString(text) {
		return text
	}
	return strings.ToValidUTF8(text, "")
}
