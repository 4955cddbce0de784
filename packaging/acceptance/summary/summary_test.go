package main

import (
	"strings"
	"testing"
)

// The lines are those of "go test -json" of Go 1.26, shortened.
const (
	scenarios = `{"Action":"start","Package":"p"}
{"Action":"run","Package":"p","Test":"TestLong"}
{"Action":"output","Package":"p","Test":"TestLong","Output":"=== RUN   TestLong\n"}
{"Action":"run","Package":"p","Test":"TestLong/row"}
{"Action":"attr","Package":"p","Test":"TestLong/row","Key":"scenario","Value":"12.3s"}
{"Action":"pass","Package":"p","Test":"TestLong/row","Elapsed":50}
{"Action":"pass","Package":"p","Test":"TestLong","Elapsed":60}
{"Action":"output","Package":"p","Output":"PASS\n"}
{"Action":"output","Package":"p","Output":"ok  \tp\t60s\n"}
{"Action":"pass","Package":"p","Elapsed":60}
`
	skipping = `{"Action":"run","Package":"p","Test":"TestTool"}
{"Action":"output","Package":"p","Test":"TestTool","Output":"    a_test.go:3: no tool here\n"}
{"Action":"skip","Package":"p","Test":"TestTool","Elapsed":0}
`
	failing = `{"Action":"run","Package":"p","Test":"TestBad"}
{"Action":"output","Package":"p","Test":"TestBad","Output":"    a_test.go:3: got 1, want 2\n"}
{"Action":"fail","Package":"p","Test":"TestBad","Elapsed":0}
{"Action":"fail","Package":"p","Elapsed":0}
`
	crashing = `{"Action":"run","Package":"p","Test":"TestHangs"}
{"Action":"output","Package":"p","Test":"TestHangs","Output":"panic: test timed out\n"}
{"Action":"fail","Package":"p","Elapsed":0}
`
	unbuilt = `{"ImportPath":"p","Action":"build-output","Output":"./a.go:1:1: expected 'package'\n"}
{"ImportPath":"p","Action":"build-fail"}
{"Action":"fail","Package":"p","Elapsed":0}
`
)

func TestSummary(t *testing.T) {
	for _, tt := range []struct {
		name, lines string
		ci, good    bool
		maySkip     []string
		says        []string
	}{
		{"a scenario has the time of its machine", scenarios, true, true, nil,
			[]string{"   12.3s  TestLong/row\n", "the ten slowest:\n   12.3s  TestLong/row\n",
				"2 passed, 0 failed, 0 skipped"}},
		{"skipped", scenarios + skipping, false, true, nil,
			[]string{"SKIPPED   TestTool\n    a_test.go:3: no tool here\n", "2 passed, 0 failed, 1 skipped"}},
		{"skipped under CI", scenarios + skipping, true, false, nil, []string{"TestTool was skipped, and under CI"}},
		{"skipped under CI as it may be", scenarios + skipping, true, true, []string{"", "TestTool"}, nil},
		{"failed", scenarios + failing, false, false, nil,
			[]string{"FAIL      TestBad\n    a_test.go:3: got 1, want 2\n", "2 passed, 1 failed, 0 skipped"}},
		{"crashed", crashing, false, false, nil, []string{"NO END    TestHangs\npanic: test timed out\n", "1 failed"}},
		{"not built", unbuilt, false, false, nil, []string{"./a.go:1:1: expected 'package'\n", "1 failed"}},
		{"no test", `{"Action":"pass","Package":"p","Elapsed":0}`, false, false, nil, []string{"0 passed"}},
		{"what go says itself", "go: no such module\n", false, false, nil, []string{"go: no such module\n"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var out strings.Builder
			s := newSummary(&out)
			if err := s.read(strings.NewReader(tt.lines)); err != nil {
				t.Fatal(err)
			}
			s.end()
			if got := s.good(tt.ci, tt.maySkip); got != tt.good {
				t.Errorf("good: %v, want %v", got, tt.good)
			}
			for _, says := range tt.says {
				if !strings.Contains(out.String(), says) {
					t.Errorf("it does not say %q:\n%s", says, out.String())
				}
			}
		})
	}
}
