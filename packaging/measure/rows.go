package main

import (
	"fmt"
	"maps"
	"slices"
)

// rows are in the order of the table that the house is judged by. That no arrow between packages runs up is not counted
// here: TestArrows of provision allows no other.
func (h *house) rows() []row {
	bare := 0
	for _, without := range h.bare {
		if without {
			bare++
		}
	}
	ratio := float64(h.tests) / float64(max(h.shipped, 1))
	return []row{
		largest("lines of the largest package", h.lines, 2300),
		largest("floors that imports make", h.floors(), 10),
		largest("methods of a type", h.methods, 25),
		largest("fields of a type", h.fields, 12),
		largest("lines of a file", h.files, 400),
		largest("lines of a function", h.funcs, 60),
		most("packages without a comment", bare, 0, ""),
		most("shipped lines of Go", h.shipped, 24000, "for the features of 1.0.0"),
		most("lines of more than 120 characters", h.long, 0, h.where),
		{"lines of tests / of code", fmt.Sprintf("%.2f", ratio), "≥ 1.0", "", ratio < 1},
	}
}

// largest names what has the largest number, and how many others are over the bar.
func largest(what string, of map[string]int, bar int) row {
	key, over := "", 0
	for _, k := range slices.Sorted(maps.Keys(of)) {
		if of[k] > of[key] {
			key = k
		}
		if of[k] > bar {
			over++
		}
	}
	where := key
	if over > 1 {
		where = fmt.Sprintf("%s, and %d more", key, over-1)
	}
	return most(what, of[key], bar, where)
}

// floors are how many of our packages stand on one another, for each with itself.
func (h *house) floors() map[string]int {
	height := map[string]int{}
	var of func(string) int
	of = func(pkg string) int {
		if height[pkg] == 0 {
			below := 0
			for p := range h.imports[pkg] {
				below = max(below, of(p))
			}
			height[pkg] = below + 1
		}
		return height[pkg]
	}
	for pkg := range h.imports {
		of(pkg)
	}
	return height
}
