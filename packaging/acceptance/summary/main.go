// Command summary makes what "go test -json" prints readable: a line for each scenario as it ends, a package's last
// line, the output of what failed, why a test was skipped, and at the end the ten slowest. It fails where a test
// failed, where none ran, and under CI where one was skipped that -may-skip does not name: nothing may go unchecked
// there.
//
//	go test -json ./... | go run ./packaging/acceptance/summary
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
)

func main() {
	maySkip := flag.String("may-skip", "", "tests that may be skipped under CI, too, separated by commas")
	flag.Parse()
	s := newSummary(os.Stdout)
	err := s.read(os.Stdin)
	if err != nil {
		fmt.Fprintln(os.Stderr, "summary:", err)
	}
	s.end()
	if err != nil || !s.good(os.Getenv("CI") != "", strings.Split(*maySkip, ",")) {
		os.Exit(1)
	}
}

// event is a line of "go test -json" (go doc test2json).
type event struct {
	Action, Package, Test, Output, Key, Value string
	Elapsed                                   float64 // seconds
}

// read takes a line that is no event as it is: what go itself says of its build.
func (s *summary) read(from io.Reader) error {
	lines := bufio.NewReader(from)
	for {
		line, err := lines.ReadBytes('\n')
		var e event
		switch {
		case len(line) == 0:
		case json.Unmarshal(line, &e) == nil:
			s.take(e)
		default:
			fmt.Fprintf(s.to, "%s", line)
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read the tests' output: %w", err)
		}
	}
}
