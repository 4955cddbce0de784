// Package known is for what a run has read of the host: between two changes nothing is read twice, and after one
// nothing is believed that was read before it.
//
// The engine says when a run begins to look and when it begins to change, and the seam says of every change.
package known

import "sync"

// Facts are what was read. The zero value, and nil, believe nothing: everything is read whenever it is asked for.
type Facts struct {
	mu   sync.Mutex
	kept map[any]any // nil: nothing is believed
	turn int         // counts Believe and Doubt: what was begun to be read in an earlier one is not kept
}

// Believe keeps what is read from now on, until Doubt.
func (f *Facts) Believe() { f.set(true) }

// Doubt forgets all, and keeps nothing until Believe: the host is being changed, or may have been.
func (f *Facts) Doubt() { f.set(false) }

func (f *Facts) set(believed bool) {
	if f == nil {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.kept, f.turn = nil, f.turn+1
	if believed {
		f.kept = map[any]any{}
	}
}

// Once gives what is known under the key, whose type is its reader's own, or finds it out. What it gives is shared, and
// nobody may change it. It may be asked for by several goroutines, and while something else is found out.
func Once[V any](f *Facts, key any, find func() V) V {
	if f == nil {
		return find()
	}
	f.mu.Lock()
	turn := f.turn
	v, known := f.kept[key]
	f.mu.Unlock()
	if known {
		return v.(V)
	}
	found := find()
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.kept != nil && f.turn == turn {
		f.kept[key] = found
	}
	return found
}

// file is the key of a file's content.
type file string

type content struct {
	bytes []byte
	err   error
}

// File is Once for the content of a file, or why it cannot be read.
func File(f *Facts, name string, read func(name string) ([]byte, error)) ([]byte, error) {
	c := Once(f, file(name), func() content {
		bytes, err := read(name)
		return content{bytes, err}
	})
	return c.bytes, c.err
}
