// Command sbom prints the bill of materials of an executable of ours, as CycloneDX 1.5: what is linked into it, by the
// list of modules that Go writes into every executable (go doc debug/buildinfo). The same executable has the same bill.
//
//	sbom VERSION EXECUTABLE GO.SUM
package main

import (
	"encoding/json"
	"fmt"
	"os"
)

func main() {
	if len(os.Args) != 4 {
		fmt.Fprintln(os.Stderr, "usage: sbom VERSION EXECUTABLE GO.SUM")
		os.Exit(64)
	}
	bill, err := read(os.Args[1], os.Args[2], os.Args[3])
	if err == nil {
		out := json.NewEncoder(os.Stdout)
		out.SetEscapeHTML(false)
		out.SetIndent("", "  ")
		err = out.Encode(bill)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "sbom:", err)
		os.Exit(1)
	}
}
