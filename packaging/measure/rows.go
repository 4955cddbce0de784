package main

import (
	"fmt"
	"maps"
	"slices"
)

// rows are in the order of the table that the house is judged by. That no arrow between packages runs up is not counted
// here: TestArrows of provision allows no other.
func (h *house) rows() []row {
	pkg, file, method, field, long := largest(h.lines), largest(h.files), largest(h.methods), largest(h.fields),
		largest(h.funcs)
	floors, top := h.floors()
	bare := 0
	for _, without := range h.bare {
		if without {
			bare++
		}
	}
	ratio := float64(h.tests) / float64(max(h.shipped, 1))
	return []row{
		most("lines of the largest package", h.lines[pkg], 2300, pkg),
		most("floors that imports make", floors, 10, top),
		most("methods of a type", h.methods[method], 25, method),
		most("fields of a type", h.fields[field], 12, field),
		most("lines of a file", h.files[file], 400, file),
		most("lines of a function", h.funcs[long], 60, long),
		most("packages without a comment", bare, 0, ""),
		most("shipped lines of Go", h.shipped, 24000, "for the features of 1.0.0"),
		most("lines of more than 120 characters", h.long, 0, h.where),
		{"lines of tests / of code", fmt.Sprintf("%.2f", ratio), "≥ 1.0", "", ratio < 1},
	}
}

// largest is the key with the largest number; of equal ones the first by name.
func largest(of map[string]int) (key string) {
	for _, k := range slices.Sorted(maps.Keys(of)) {
		if of[k] > of[key] {
			key = k
		}
	}
	return key
}

// floors is how many of our packages stand on one another, and the topmost of them.
func (h *house) floors() (most int, top string) {
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
	top = largest(height)
	return height[top], top
}
