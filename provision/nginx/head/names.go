package head

import "strings"

// Names is nginx's table of host names with wildcards, as server_name and a map of hostnames have one
// (ngx_hash_add_key, ngx_hash_find_combined).
type Names[T any] struct {
	exact map[string]T
	taken map[string]bool // names that a later one cannot have
	head  map[string]tailed[T]
	tail  map[string]T
}

// tailed is *.example.com or, where bare is true, .example.com, which is example.com as well.
type tailed[T any] struct {
	value T
	bare  bool
}

// NewNames gives an empty table.
func NewNames[T any]() *Names[T] {
	return &Names[T]{exact: map[string]T{}, taken: map[string]bool{}, head: map[string]tailed[T]{},
		tail: map[string]T{}}
}

// Add gives the name to the value, unless another has it: nginx then ignores the later one, and the whole of it.
func (n *Names[T]) Add(name string, value T) bool {
	name = strings.ToLower(name)
	switch {
	case len(name) > 1 && name[0] == '.':
		if n.taken[name[1:]] {
			return false
		}
		n.taken[name[1:]] = true
		return put(n.head, name[1:], tailed[T]{value, true})
	case len(name) > 2 && strings.HasPrefix(name, "*."):
		return put(n.head, name[2:], tailed[T]{value, false})
	case len(name) > 2 && strings.HasSuffix(name, ".*"):
		return put(n.tail, strings.TrimSuffix(name, ".*"), value)
	case n.taken[name]:
		return false
	}
	n.taken[name] = true
	return put(n.exact, name, value)
}

// AddWord gives a word to the value that is no name with wildcards, unless another has it.
func (n *Names[T]) AddWord(word string, value T) bool {
	return put(n.exact, strings.ToLower(word), value)
}

// Exactly is the value of the name itself, without wildcards.
func (n *Names[T]) Exactly(name string) (T, bool) {
	value, found := n.exact[name]
	return value, found
}

func put[T any](all map[string]T, key string, value T) bool {
	if _, there := all[key]; there {
		return false
	}
	all[key] = value
	return true
}

// Find takes the exact name, else the longest *.name, else the longest name.*
func (n *Names[T]) Find(name string) (value T, found bool) {
	if value, found = n.exact[name]; found || name == "" {
		return value, found
	}
	if t, there := n.head[name]; there && t.bare {
		return t.value, true
	}
	for i := range len(name) {
		if name[i] == '.' {
			if t, there := n.head[name[i+1:]]; there {
				return t.value, true
			}
		}
	}
	for i := len(name) - 1; i > 0; i-- {
		if name[i] == '.' {
			if value, found = n.tail[name[:i]]; found {
				return value, true
			}
		}
	}
	return value, false
}
