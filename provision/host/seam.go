package host

import (
	"errors"
	"slices"
	"sync"

	"wsprovision/provision/known"
)

// ErrEnded says that a change was not begun, because the run is ended at once.
var ErrEnded = errors.New("the run is ended at once, and nothing further is changed")

// Seam is the one place through which the agent changes the host. In
// production it runs what it is given and knows what is under way; tests hang a
// hook on it that stops the run at any of its points, and so know every one of
// them.
type Seam struct {
	// Hook is called with "before WHAT" and "after WHAT" around each mutation.
	// An error from "before" keeps the mutation from happening. Nil in
	// production.
	Hook func(point string) error

	// Known is doubted from the first mutation on; nil in tests.
	Known *known.Facts

	// guard is the lock's: its error keeps the mutation from happening. Nil where
	// none is held.
	guard func() error

	mu    sync.Mutex
	under []string      // what is being done
	idle  chan struct{} // closed once the seam is ended and nothing is being done; nil before
	made  int
	last  string
}

// Do makes the mutation that what describes.
func (s *Seam) Do(what string, do func() error) error {
	if s.guard != nil {
		if err := s.guard(); err != nil {
			return err
		}
	}
	if !s.begin(what) {
		return ErrEnded
	}
	defer s.finish(what)
	s.Known.Doubt()
	if s.Hook == nil {
		return do()
	}
	if err := s.Hook("before " + what); err != nil {
		return err
	}
	err := do()
	if hookErr := s.Hook("after " + what); hookErr != nil {
		return hookErr
	}
	return err
}

// End lets no further mutation begin, but for those that are part of one under
// way. It gives what is under way, which cannot be ended half done, and a
// channel that is closed when nothing is any more.
func (s *Seam) End() (under []string, idle <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.idle == nil {
		s.idle = make(chan struct{})
		if len(s.under) == 0 {
			close(s.idle)
		}
	}
	return slices.Clone(s.under), s.idle
}

// Made is how many mutations were begun, and the last of them.
func (s *Seam) Made() (count int, last string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.made, s.last
}

func (s *Seam) begin(what string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.idle != nil && len(s.under) == 0 {
		return false
	}
	s.under = append(s.under, what)
	s.made, s.last = s.made+1, what
	return true
}

func (s *Seam) finish(what string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.Index(s.under, what)
	s.under = slices.Delete(s.under, i, i+1)
	if s.idle != nil && len(s.under) == 0 {
		close(s.idle)
	}
}
