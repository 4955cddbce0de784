package main

import (
	"fmt"
	"os"

	"wsprovision/packaging/acceptance/vm"
)

// show prints a figure beside its bar, and whether it is over it. What it is made of stands behind.
func show(name, unit string, value, bar float64, of string) {
	verdict := ""
	if value > bar {
		verdict = "  OVER"
	}
	fmt.Printf("%-44s %8.3g %-3s at most %5.3g%s", name, value, unit, bar, verdict)
	tell(of)
}

// showPart is for what is a small part of something: 1/38, at most 1/40.
func showPart(name string, value, bar float64, of string) {
	verdict := ""
	if value > 1/bar {
		verdict = "  OVER"
	}
	fmt.Printf("%-44s %8s     at most %5s%s", name, fmt.Sprintf("1/%.0f", 1/value), fmt.Sprintf("1/%.0f", bar), verdict)
	tell(of)
}

func tell(of string) {
	if of != "" {
		of = "   (" + of + ")"
	}
	fmt.Println(of)
}

// printSizes is in MB of 2^20 bytes, as all memory here.
func printSizes() error {
	rpm, err := vm.Package("dist")
	if err != nil {
		return err
	}
	for _, file := range []struct {
		path, what string
		bar        float64
	}{{"dist/wsprovision", "the executable", 12}, {rpm, "the package", 4}} {
		info, err := os.Stat(file.path)
		if err != nil {
			return err
		}
		show(file.what, "MB", float64(info.Size())/(1<<20), file.bar, "")
	}
	return nil
}
