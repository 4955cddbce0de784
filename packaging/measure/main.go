// Command measure prints how the code stands beside what it is held to: the size of packages, files, functions and
// types, the floors that imports make, the lines, and what the tests of cmd cover. Its place is the repository's
// root.
//
//	measure [-cover]
package main

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"regexp"
)

func main() {
	cover := flag.Bool("cover", false, "run the tests of cmd, too, for what they cover")
	flag.Parse()
	h, err := survey(".")
	if err != nil {
		fmt.Fprintln(os.Stderr, "measure:", err)
		os.Exit(1)
	}
	rows := h.rows()
	if *cover {
		rows = append(rows, covered())
	}
	for _, r := range rows {
		fmt.Println(r)
	}
}

// row is a number beside what is wanted.
type row struct {
	what, is, wanted, where string
	missed                  bool
}

func (r row) String() string {
	verdict := "  "
	if r.missed {
		verdict = "! "
	}
	return fmt.Sprintf("%s%-38s %10s   wanted %-10s %s", verdict, r.what, r.is, r.wanted, r.where)
}

func most(what string, n, bar int, where string) row {
	return row{what, fmt.Sprint(n), fmt.Sprintf("≤ %d", bar), where, n > bar}
}

var coverage = regexp.MustCompile(`coverage: ([0-9.]+)%`)

func covered() row {
	r := row{"cmd's statements that its tests cover", "?", "≥ 85 %", "", true}
	out, err := exec.Command("go", "test", "-coverpkg=./cmd/...", "./cmd/wsprovision").CombinedOutput()
	if err != nil {
		r.where = "go test -coverpkg=./cmd/... ./cmd/wsprovision: " + err.Error()
		return r
	}
	var percent float64
	if m := coverage.FindSubmatch(out); m != nil {
		_, _ = fmt.Sscan(string(m[1]), &percent)
		r.is, r.missed = string(m[1])+" %", percent < 85
	}
	return r
}
