//go:build race

package provision

// everyPoint: under the race detector, which makes everything some five times slower, the crash matrix takes every fourth
// point; the run without it takes all of them.
const everyPoint = 4
