//go:build acceptance

package acceptance

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"wsprovision/packaging/acceptance/vm"
)

// pool hands out machines. There are as many as may run at a time; a nil in the channel is one that has not been made
// yet.
type pool struct {
	image vm.Image
	idle  chan *machine
}

// machines is set once, by TestMain.
var machines *pool

func newPool(img vm.Image) (*pool, error) {
	count, err := vm.Count()
	if err != nil {
		return nil, err
	}
	p := &pool{img, make(chan *machine, count)}
	for range count {
		p.idle <- nil
	}
	return p, nil
}

// close removes every machine. No test may hold one.
func (p *pool) close() {
	for range cap(p.idle) {
		if m := <-p.idle; m != nil {
			if err := m.Remove(); err != nil {
				fmt.Fprintln(os.Stderr, "acceptance: remove a machine:", err)
			}
		}
	}
}

// start returns a machine in a saved state, installed if none is named, for the time of the test. It waits until one is
// free.
func start(t testing.TB, from ...*state) *machine {
	t.Helper()
	m := <-machines.idle
	t.Cleanup(func() { machines.idle <- m })
	tellTime(t)
	if m == nil {
		made, err := vm.New(machines.image, vm.Hardware{})
		if err != nil {
			t.Fatal(err)
		}
		m = &machine{Machine: made}
	}
	t.Cleanup(func() {
		if err := m.Pause(); err != nil {
			t.Log(err)
		}
	})
	m.tellOnFailure(t)
	m.mayBePermissive = false
	m.enter(t, append(from, installed)[0])
	t.Cleanup(func() { m.stayedEnforcing(t) })
	return m
}

// startCold returns a machine of its own, booted from power-on, in place of one of the pool's. It starts from hw.Disk,
// or else from the image's system as it was before its first boot.
func startCold(t testing.TB, hw vm.Hardware) *machine {
	t.Helper()
	waiting := <-machines.idle
	t.Cleanup(func() { machines.idle <- waiting })
	tellTime(t)
	if hw.Disk == "" {
		hw.Disk = coldDisk(t)
	}
	made, err := vm.New(machines.image, hw)
	if err != nil {
		t.Fatal(err)
	}
	m := &machine{Machine: made}
	t.Cleanup(func() {
		if err := m.Remove(); err != nil {
			t.Error(err)
		}
	})
	m.tellOnFailure(t)
	m.boot(t)
	return m
}

// tellTime tells package summary, at the test's end, how long it had its machine.
func tellTime(t testing.TB) {
	begun := time.Now()
	t.Cleanup(func() { t.Attr("scenario", fmt.Sprintf("%.1fs", time.Since(begun).Seconds())) })
}

// coldDisk makes a disk with the image's system, as it was before its first boot; also what an installer's target
// starts as.
func coldDisk(t testing.TB) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "disk.qcow2")
	if err := machines.image.NewDisk(path); err != nil {
		t.Fatal(err)
	}
	return path
}

// tellOnFailure keeps the console of a test that failed. It is told in one line: what a reader of the log looks for is
// above it.
func (m *machine) tellOnFailure(t testing.TB) {
	t.Cleanup(func() {
		if !t.Failed() {
			return
		}
		file, err := os.CreateTemp("", "wsprovision-console-")
		if err == nil {
			_, err = file.WriteString(m.Console())
			err = errors.Join(err, file.Close())
		}
		if err != nil {
			t.Errorf("the console: %v", err)
			return
		}
		t.Logf("the machine's console: %s", file.Name())
	})
}
