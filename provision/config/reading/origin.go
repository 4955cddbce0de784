package reading

import (
	"fmt"
	"maps"
	"strings"
)

// Where is what a Problem says of the place that a value came from.
type Where struct {
	Source string
	Line   int
	Wrong  bool // no value came of it, and its problem is reported
}

// Origins tells for each key where its value was written: the layer that won.
type Origins map[string]Where

// Add lets later layers win.
func (o Origins) Add(layers ...Origins) {
	for _, layer := range layers {
		for key, w := range layer {
			o[key] = w
		}
	}
}

// Has tells whether anybody wrote the key, rightly or wrongly.
func (o Origins) Has(key string) bool {
	_, ok := o[key]
	return ok
}

// Problem is one at key, or where its nearest parent stands if the key itself was not written.
func (o Origins) Problem(key, message string) Problem {
	at := key
	for !o.Has(at) && at != "" {
		at = at[:max(0, strings.LastIndexAny(at, ".["))]
	}
	return Problem{Key: key, Line: o[at].Line, Source: o[at].Source, Message: message}
}

// Origin is where a value was written. What one value gave stands where its list does; a list of defaults was not
// written at all.
func (o Origins) Origin(key string) string {
	w, written := o[key]
	if i := strings.LastIndexByte(key, '['); !written && i > strings.LastIndexByte(key, '.') {
		w, written = o[key[:i]]
	}
	switch {
	case !written:
		return "default"
	case w.Line > 0:
		return fmt.Sprintf("%s:%d", w.Source, w.Line)
	}
	return w.Source
}

// Move makes a key of the list of sites stand where the flag was written, and forgets the file's elements under it.
func (o Origins) Move(from, to string) {
	w, ok := o[from]
	if !ok {
		return
	}
	maps.DeleteFunc(o, func(key string, _ Where) bool { return strings.HasPrefix(key, to+"[") })
	o[to] = w
}
