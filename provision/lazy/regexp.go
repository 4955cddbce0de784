// Package lazy is for regular expressions that are compiled when they are first asked for: a run needs few of those
// that the agent has, and to compile all of them takes longer than most of what an unchanged run does.
package lazy

import (
	"regexp"
	"sync"
)

// Regexp returns what compiles the expression once, at its first call. It panics there if the expression is none, which
// this package's test looks for beforehand.
func Regexp(text string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(text) })
}
