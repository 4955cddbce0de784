package reading

import (
	"fmt"
	"slices"
	"strings"

	"wsprovision/provision/config/kinds"

	"go.yaml.in/yaml/v3"
)

// Reader walks the file's nodes, and keeps what is wrong and where everything stood.
type Reader struct {
	Path     string
	Problems *Problems
	At       Origins
}

func (r *Reader) Complain(n *yaml.Node, key, message string) {
	r.Problems.Add(Problem{Key: key, Line: n.Line, Source: r.Path, Message: message})
}

func (r *Reader) Note(n *yaml.Node, key string) Where {
	w := Where{Source: r.Path, Line: n.Line}
	r.At[key] = w
	return w
}

// mapping returns the values under their keys. Of a key that stands twice the first counts, and the second is a
// problem: no reader of the file could tell which was meant. What stands under a misspelt key is read as if it were
// spelt right, so that what is wrong in it is told too.
func (r *Reader) mapping(n *yaml.Node, key string, known ...string) map[string]*yaml.Node {
	r.Note(n, key)
	if n.Kind != yaml.MappingNode {
		message := "must be a mapping with the keys " + strings.Join(known, ", ")
		if n.Kind == yaml.SequenceNode && slices.Contains(known, "sites") {
			message += ": a list of sites stands under sites: (is that line still behind a #?)"
		}
		r.Complain(n, key, message)
		return nil
	}
	values, lines := map[string]*yaml.Node{}, map[string]int{}
	misspelt := map[string]*yaml.Node{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		name, value := n.Content[i], n.Content[i+1]
		at := Join(key, kinds.Cut(name.Value))
		switch {
		case name.Kind != yaml.ScalarNode || !slices.Contains(known, name.Value):
			r.Complain(name, at, "is not a key here"+DidYouMean(name.Value, known))
			if near := Nearest(name.Value, known); misspelt[near] == nil {
				misspelt[near] = value
			}
		case lines[name.Value] > 0:
			r.Complain(name, at, fmt.Sprintf("stands twice, first in line %d", lines[name.Value]))
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

// Section is a mapping that may be left empty, as when all of it is commented out.
func (r *Reader) Section(n *yaml.Node, key string, known ...string) map[string]*yaml.Node {
	if n == nil || Null(n) {
		return nil
	}
	return r.mapping(n, key, known...)
}

// Items is a list's, or the one value that stands in its place, where that is allowed.
func (r *Reader) Items(n *yaml.Node, key, of string, single bool) []*yaml.Node {
	r.Note(n, key)
	switch {
	case n.Kind == yaml.SequenceNode && len(n.Content) > 0:
		return n.Content
	case n.Kind == yaml.ScalarNode && single && !Null(n):
		return []*yaml.Node{n}
	case n.Kind == yaml.SequenceNode || Null(n):
		r.Complain(n, key, "is empty: give it at least one "+of)
	default:
		r.Complain(n, key, "must be a list: each "+of+" begins with - on a line of its own")
	}
	return nil
}

// Scalar is the node's text, and nil where it is more than one value.
func (r *Reader) Scalar(n *yaml.Node, key string) *kinds.Scalar {
	if n.Kind != yaml.ScalarNode {
		r.Complain(n, key, "must be a single value")
		return nil
	}
	return &kinds.Scalar{Text: n.Value, Tag: n.ShortTag()}
}

// Value parses one node.
func Value[T any](r *Reader, n *yaml.Node, key string, parse func(kinds.Scalar) (T, error)) (parsed T, ok bool) {
	r.Note(n, key)
	s := r.Scalar(n, key)
	if s == nil {
		return parsed, false
	}
	parsed, err := parse(*s)
	if err != nil {
		r.Complain(n, key, err.Error())
	}
	return parsed, err == nil
}

func (r *Reader) missing(key, name string) {
	r.Problems.Add(Problem{Key: Join(key, name), Line: r.At[key].Line, Source: r.Path, Message: "is missing"})
}

// Null is a key with nothing behind it.
func Null(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null" }

func Join(key, name string) string {
	if key == "" {
		return name
	}
	return key + "." + name
}

// List parses one value or several.
func List[T any](r *Reader, n *yaml.Node, key, of string, parse func(kinds.Scalar) (T, error)) []T {
	var all []T
	for i, item := range r.Items(n, key, of, true) {
		at := key
		if n.Kind == yaml.SequenceNode {
			at = fmt.Sprintf("%s[%d]", key, i)
		}
		one, _ := Value(r, item, at, parse) // a wrong one keeps its place, so that the others keep their numbers
		all = append(all, one)
	}
	return all
}
