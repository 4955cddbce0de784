// Command crash runs the crash matrix on the machine. A test build of the agent stands still at every point of its own
// seam to the host; there the machine is saved, and the agent is killed. What is left is judged by the machine's own
// tools, and the agent is run again, and once more. At a sample of the points, and at the end of the run, the power is
// cut too. Then the machine is brought back and the agent goes on to its next point. Where several machines may run
// each walks the whole way and judges its share. With arguments only those points are judged that have all of them in
// their line: crash "bare host" "after run".
package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"

	"wsprovision/packaging/acceptance/vm"
)

const (
	agent = "/root/wsprovision-crash"
	apply = agent + " apply --server-name ws.example.com --backend 127.0.0.1:3000 --path "
)

// story is a run that is interrupted: where it starts from, what is run, and what holds when it is done.
type story struct{ name, prepare, command, done string }

var stories = []story{
	{"bare host", "true", apply + "/ws/", upgrade("/ws/")},
	{"changed site", apply + "/ws/", apply + "/socket/", upgrade("/socket/")},
	{"revert", apply + "/ws/", agent + " revert", "! ( " + upgrade("/ws/") +
		" ) && getsebool httpd_can_network_connect | grep off"},
}

// matrix counts what was judged, on all machines.
type matrix struct {
	only    []string // parts of a line
	sharers int      // machines
	binary  []byte   // the test build

	mu     sync.Mutex
	judged int
	cuts   int // of judged, those with the power cut
	broken int
}

// enoughCuts is how many power cuts are a sample, where nothing is left out.
const enoughCuts = 20

func main() {
	x := &matrix{only: os.Args[1:]}
	if err := x.run(); err != nil {
		fmt.Fprintln(os.Stderr, "crash:", err)
		os.Exit(1)
	}
}

func (x *matrix) run() (err error) {
	if x.sharers, err = vm.Count(); err != nil {
		return err
	}
	if x.binary, err = build(); err != nil {
		return err
	}
	errs := make([]error, x.sharers)
	var all sync.WaitGroup
	for share := range x.sharers {
		all.Go(func() {
			errs[share] = vm.OnBareHost("packaging/acceptance", func(m *vm.Machine) error {
				return x.walkAll(m, share)
			})
		})
	}
	all.Wait()
	if err := errors.Join(errs...); err != nil {
		return err
	}
	fmt.Printf("the power was cut at %d of them\n%d points, %d converged, %d broken\n", x.cuts, x.judged,
		x.judged-x.broken, x.broken)
	switch {
	case x.broken > 0:
		return fmt.Errorf("%d points leave a host worse", x.broken)
	case len(x.only) == 0 && x.cuts < enoughCuts:
		return fmt.Errorf("the power was cut %d times, want at least %d", x.cuts, enoughCuts)
	}
	return nil
}

func (x *matrix) walkAll(m *vm.Machine, share int) error {
	for _, s := range x.asked() {
		t := &telling{story: s, matrix: x, m: m, share: share}
		if err := t.tell(); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
	}
	return nil
}

// asked are the stories that may have points to judge.
func (x *matrix) asked() []story {
	for i, s := range stories {
		if slices.Contains(x.only, s.name) {
			return stories[i : i+1]
		}
	}
	return stories
}

// build makes the test build.
func build() ([]byte, error) {
	dir, err := os.MkdirTemp("", "wsprovision-crash-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "wsprovision")
	build := exec.Command("go", "build", "-tags", "crash", "-trimpath", "-o", file, "./cmd/wsprovision")
	if out, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("build the test build: %w: %s", err, out)
	}
	return os.ReadFile(file)
}
