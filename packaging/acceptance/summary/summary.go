package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// summary is what has been told of the tests up to now.
type summary struct {
	to      io.Writer
	begun   time.Time
	said    map[string][]string // output by test, until it has ended
	parents map[string]bool     // tests that have subtests
	held    map[string]string   // by test, the time that it had its machine
	ended   []ended
	broken  int // packages that failed without a test of theirs
	skipped []string
}

// ended is a test, with its time.
type ended struct {
	name   string
	result string // pass, fail or skip
	took   time.Duration
}

// scenario is the attribute (testing.T.Attr) by which a scenario tells how long it had its machine.
const scenario = "scenario"

func newSummary(to io.Writer) *summary {
	return &summary{to: to, begun: time.Now(), said: map[string][]string{}, parents: map[string]bool{},
		held: map[string]string{}}
}

func (s *summary) take(e event) {
	name := e.Package + " " + e.Test
	switch e.Action {
	case "output", "build-output":
		s.hear(name, e)
	case "attr":
		if e.Key == scenario {
			s.held[name] = e.Value
			fmt.Fprintf(s.to, "%8s  %s\n", e.Value, e.Test)
		}
	case "run":
		if i := strings.LastIndexByte(name, '/'); i > len(e.Package) {
			s.parents[name[:i]] = true
		}
	case "pass", "fail", "skip":
		s.finish(name, e)
	}
}

// hear keeps what a test says until it is known how it ends. What belongs to no test is told as it comes, less the
// lines that only repeat what is told otherwise.
func (s *summary) hear(name string, e event) {
	switch {
	case e.Test != "" && !strings.HasPrefix(e.Output, "=== "):
		s.said[name] = append(s.said[name], e.Output)
	case e.Test == "" && e.Output != "PASS\n" && e.Output != "FAIL\n":
		fmt.Fprint(s.to, e.Output)
	}
}

func (s *summary) finish(name string, e event) {
	if e.Test == "" {
		s.finishPackage(e)
		return
	}
	took := time.Duration(e.Elapsed * float64(time.Second))
	if held, err := time.ParseDuration(s.held[name]); err == nil {
		took = held
	}
	s.ended = append(s.ended, ended{name, e.Action, took})
	switch e.Action {
	case "fail":
		fmt.Fprintf(s.to, "FAIL      %s\n%s", e.Test, strings.Join(s.said[name], ""))
	case "skip":
		s.skipped = append(s.skipped, e.Test)
		fmt.Fprintf(s.to, "SKIPPED   %s\n%s", e.Test, strings.Join(s.said[name], ""))
	}
	delete(s.said, name)
}

// finishPackage tells what tests said that never ended: their package crashed, or ran out of time.
func (s *summary) finishPackage(e event) {
	if e.Action != "fail" {
		return
	}
	failed := func(t ended) bool { return t.result == "fail" && strings.HasPrefix(t.name, e.Package+" ") }
	if !slices.ContainsFunc(s.ended, failed) {
		s.broken++
	}
	for name, lines := range s.said {
		if strings.HasPrefix(name, e.Package+" ") {
			fmt.Fprintf(s.to, "NO END    %s\n%s", strings.TrimPrefix(name, e.Package+" "), strings.Join(lines, ""))
		}
	}
}

// end tells the ten slowest, and the count. A test with subtests that held no machine itself is as slow as these are.
func (s *summary) end() {
	var alone []ended
	count := map[string]int{"fail": s.broken}
	for _, t := range s.ended {
		count[t.result]++
		if s.held[t.name] != "" || !s.parents[t.name] {
			alone = append(alone, t)
		}
	}
	slices.SortStableFunc(alone, func(a, b ended) int { return cmp.Compare(b.took, a.took) })
	fmt.Fprintln(s.to, "\nthe ten slowest:")
	for _, t := range alone[:min(10, len(alone))] {
		_, test, _ := strings.Cut(t.name, " ")
		fmt.Fprintf(s.to, "%7.1fs  %s\n", t.took.Seconds(), test)
	}
	fmt.Fprintf(s.to, "in %v\n%d passed, %d failed, %d skipped\n", time.Since(s.begun).Round(time.Second),
		count["pass"], count["fail"], count["skip"])
}

// good tells whether the run may count as passed.
func (s *summary) good(ci bool, maySkip []string) bool {
	if len(s.ended) == 0 || s.broken > 0 ||
		slices.ContainsFunc(s.ended, func(t ended) bool { return t.result == "fail" }) {
		return false
	}
	for _, name := range s.skipped {
		if ci && !slices.Contains(maySkip, name) {
			fmt.Fprintf(s.to, "%s was skipped, and under CI nothing may go unchecked\n", name)
			return false
		}
	}
	return true
}
