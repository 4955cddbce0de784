package host

import (
	"errors"
	"strings"
	"testing"
)

// TestSeamOrder: what stops before a mutation keeps it from happening, what stops after it does not undo it.
func TestSeamOrder(t *testing.T) {
	var seen []string
	s := &Seam{Hook: func(point string) error { seen = append(seen, point); return nil }}
	done := 0
	if err := s.Do("x", func() error {
		done++
		return nil
	}); err != nil || done != 1 || strings.Join(seen, ", ") != "before x, after x" {
		t.Errorf("%v, done %d times, points %q", err, done, seen)
	}
	s.Hook = func(point string) error {
		if strings.HasPrefix(point, "before") {
			return errStopped
		}
		return nil
	}
	if err := s.Do("x", func() error { done++; return nil }); err == nil || done != 1 {
		t.Errorf("stopped before: %v, done %d times", err, done)
	}
	s.Hook = func(point string) error {
		if strings.HasPrefix(point, "after") {
			return errStopped
		}
		return nil
	}
	if err := s.Do("x", func() error { done++; return nil }); err == nil || done != 2 {
		t.Errorf("stopped after: %v, done %d times", err, done)
	}
}

// TestSeamEnds: once it is ended nothing begins any more, but for what belongs to a change that is under way.
func TestSeamEnds(t *testing.T) {
	s := &Seam{}
	nothing := func() error { return nil }
	if err := s.Do("first", nothing); err != nil {
		t.Fatal(err)
	}
	var idle <-chan struct{}
	err := s.Do("long", func() error {
		var under []string
		under, idle = s.End()
		if strings.Join(under, " ") != "long" {
			t.Errorf("under way: %q", under)
		}
		select {
		case <-idle:
			t.Error("idle in the middle of a change")
		default:
		}
		return s.Do("part of it", nothing)
	})
	if err != nil {
		t.Errorf("what was under way: %v", err)
	}
	<-idle
	done := false
	if err := s.Do("late", func() error { done = true; return nil }); !errors.Is(err, ErrEnded) || done {
		t.Errorf("after the end: %v, done %t", err, done)
	}
	if under, idle := s.End(); len(under) != 0 || idle == nil {
		t.Errorf("ended twice: %q", under)
	}
	if count, last := s.Made(); count != 3 || last != "part of it" {
		t.Errorf("made %d, the last %q", count, last)
	}
}
