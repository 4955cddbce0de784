package known

import (
	"errors"
	"testing"
)

// What is asked for twice is found out once while it is believed, and each time when it is not.
func TestOnce(t *testing.T) {
	asked := 0
	ask := func(f *Facts) int { return Once(f, "key", func() int { asked++; return asked }) }
	var f Facts
	for _, tt := range []struct {
		name string
		do   func()
		of   *Facts
		want int
	}{
		{"nobody believes anything", func() {}, nil, 1},
		{"not yet", func() {}, &f, 2},
		{"from now on", f.Believe, &f, 3},
		{"once", func() {}, &f, 3},
		{"something is changed", f.Doubt, &f, 4},
		{"and is not believed until it is said", func() {}, &f, 5},
		{"again", f.Believe, &f, 6},
		{"again, once", func() {}, &f, 6},
		{"what was known is forgotten", f.Believe, &f, 7},
	} {
		tt.do()
		if got := ask(tt.of); got != tt.want {
			t.Errorf("%s: it was found out %d times, want %d", tt.name, got, tt.want)
		}
	}
}

// What was begun to be read before a change is not kept, however early it is believed again.
func TestOnceChangedMeanwhile(t *testing.T) {
	var f Facts
	f.Believe()
	if got := Once(&f, "key", func() string { f.Doubt(); f.Believe(); return "before" }); got != "before" {
		t.Errorf("%q", got)
	}
	if got := Once(&f, "key", func() string { return "after" }); got != "after" {
		t.Errorf("%q was read before the change", got)
	}
}

// A fact may be found out by means of another, and of another kind under the same name.
func TestOnceWithin(t *testing.T) {
	type kind string
	var f Facts
	f.Believe()
	got := Once(&f, kind("key"), func() int { return 1 + Once(&f, "key", func() int { return 1 }) })
	if again := Once(&f, "key", func() int { return 9 }); got != 2 || again != 1 {
		t.Errorf("%d, %d", got, again)
	}
}

// An error is a fact, too.
func TestFile(t *testing.T) {
	var f Facts
	f.Believe()
	read := func(name string) ([]byte, error) { return nil, errors.New(name) }
	_, err := File(&f, "a", read)
	_, again := File(&f, "a", func(string) ([]byte, error) { return []byte("x"), nil })
	if err == nil || again != err {
		t.Errorf("%v, then %v", err, again)
	}
}
