//go:build race

package provision

// everyPoint: under the race detector, which makes everything some five times slower, the crash matrix takes every
// sixteenth point; make unit runs it without the detector too, and then it takes all of them.
const everyPoint = 16
