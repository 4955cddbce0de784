package config

import "strings"

// where is what a Problem says of the place that a value came from.
type where struct {
	source string
	line   int
	wrong  bool // no value came of it, and its problem is reported
}

// origins tells for each key where its value was written: the layer that won.
type origins map[string]where

// add lets later layers win.
func (o origins) add(layers ...origins) {
	for _, layer := range layers {
		for key, w := range layer {
			o[key] = w
		}
	}
}

// has tells whether anybody wrote the key, rightly or wrongly.
func (o origins) has(key string) bool {
	_, ok := o[key]
	return ok
}

// problem is one at key, or where its nearest parent stands if the key itself was not written.
func (o origins) problem(key, message string) Problem {
	at := key
	for !o.has(at) && at != "" {
		at = at[:max(0, strings.LastIndexAny(at, ".["))]
	}
	return Problem{Key: key, Line: o[at].line, Source: o[at].source, Message: message}
}
