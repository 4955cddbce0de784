package config

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// reader walks the file's nodes, and keeps what is wrong and where everything stood.
type reader struct {
	path string
	p    *problems
	at   origins
}

func (r *reader) complain(n *yaml.Node, key, message string) {
	r.p.add(Problem{Key: key, Line: n.Line, Source: r.path, Message: message})
}

func (r *reader) note(n *yaml.Node, key string) where {
	w := where{source: r.path, line: n.Line}
	r.at[key] = w
	return w
}

// mapping returns the values under their keys. Of a key that stands twice the first counts, and the second is a
// problem: no reader of the file could tell which was meant. What stands under a misspelt key is read as if it were
// spelt right, so that what is wrong in it is told too.
func (r *reader) mapping(n *yaml.Node, key string, known ...string) map[string]*yaml.Node {
	r.note(n, key)
	if n.Kind != yaml.MappingNode {
		message := "must be a mapping with the keys " + strings.Join(known, ", ")
		if n.Kind == yaml.SequenceNode && slices.Contains(known, "sites") {
			message += ": a list of sites stands under sites: (is that line still behind a #?)"
		}
		r.complain(n, key, message)
		return nil
	}
	values, lines := map[string]*yaml.Node{}, map[string]int{}
	misspelt := map[string]*yaml.Node{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		name, value := n.Content[i], n.Content[i+1]
		at := join(key, cut(name.Value))
		switch {
		case name.Kind != yaml.ScalarNode || !slices.Contains(known, name.Value):
			r.complain(name, at, "is not a key here"+didYouMean(name.Value, known))
			if near := Nearest(name.Value, known); misspelt[near] == nil {
				misspelt[near] = value
			}
		case lines[name.Value] > 0:
			r.complain(name, at, fmt.Sprintf("stands twice, first in line %d", lines[name.Value]))
		default:
			values[name.Value], lines[name.Value] = value, name.Line
		}
	}
	delete(misspelt, "") // near to no key
	for name, value := range misspelt {
		if values[name] == nil {
			values[name] = value
		}
	}
	return values
}

// section is a mapping that may be left empty, as when all of it is commented out.
func (r *reader) section(n *yaml.Node, key string, known ...string) map[string]*yaml.Node {
	if n == nil || null(n) {
		return nil
	}
	return r.mapping(n, key, known...)
}

// items is a list's, or the one value that stands in its place, where that is allowed.
func (r *reader) items(n *yaml.Node, key, of string, single bool) []*yaml.Node {
	r.note(n, key)
	switch {
	case n.Kind == yaml.SequenceNode && len(n.Content) > 0:
		return n.Content
	case n.Kind == yaml.ScalarNode && single && !null(n):
		return []*yaml.Node{n}
	case n.Kind == yaml.SequenceNode || null(n):
		r.complain(n, key, "is empty: give it at least one "+of)
	default:
		r.complain(n, key, "must be a list: each "+of+" begins with - on a line of its own")
	}
	return nil
}

// scalar is the node's text, and nil where it is more than one value.
func (r *reader) scalar(n *yaml.Node, key string) *scalar {
	if n.Kind != yaml.ScalarNode {
		r.complain(n, key, "must be a single value")
		return nil
	}
	return &scalar{text: n.Value, tag: n.ShortTag()}
}

// value parses one node.
func value[T any](r *reader, n *yaml.Node, key string, parse func(scalar) (T, error)) (parsed T, ok bool) {
	r.note(n, key)
	s := r.scalar(n, key)
	if s == nil {
		return parsed, false
	}
	parsed, err := parse(*s)
	if err != nil {
		r.complain(n, key, err.Error())
	}
	return parsed, err == nil
}

func (r *reader) missing(key, name string) {
	r.p.add(Problem{Key: join(key, name), Line: r.at[key].line, Source: r.path, Message: "is missing"})
}

// null is a key with nothing behind it.
func null(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null" }

func join(key, name string) string {
	if key == "" {
		return name
	}
	return key + "." + name
}
