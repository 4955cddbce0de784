package config

import (
	"fmt"

	"go.yaml.in/yaml/v3"
)

// field is one key of a mapping that becomes a T. Its Path is the key's name alone, its inner keys' begin with it.
type field[T any] struct {
	Key
	inner []Key
	read  func(r *reader, n *yaml.Node, key string, into *T)
	write func(from T) any // nil leaves the key out
}

// one is a key with a single value.
func one[T, V any](key Key, k kind[V], at func(*T) *V) field[T] {
	return via(key, k, func(from T) V { return *at(&from) }, func(into *T, v V) { *at(into) = v })
}

// via is a key whose value stands otherwise in the model.
func via[T, V any](key Key, k kind[V], get func(T) V, set func(*T, V)) field[T] {
	return field[T]{Key: key.of(k.about),
		read: func(r *reader, n *yaml.Node, key string, into *T) {
			v, _ := value(r, n, key, k.parse)
			set(into, v)
		},
		write: func(from T) any { return unlessEmpty(k, get(from)) },
	}
}

// unlessEmpty leaves out what nobody asked for, but for false, which is an answer.
func unlessEmpty[V any](k kind[V], v V) any {
	var nothing V
	switch any(v).(type) {
	case bool:
	default:
		if fmt.Sprint(v) == fmt.Sprint(nothing) {
			return nil
		}
	}
	return k.value(v)
}

// many is a key with one value or a list; of is what one of them is called.
func many[T, V any](key Key, of string, k kind[V], at func(*T) *[]V) field[T] {
	key = key.of(k.about)
	key.Many = true
	return field[T]{Key: key,
		read: func(r *reader, n *yaml.Node, key string, into *T) { *at(into) = list(r, n, key, of, k.parse) },
		write: func(from T) any {
			var all []any
			for _, v := range *at(&from) {
				all = append(all, k.value(v))
			}
			if all == nil {
				return nil
			}
			return all
		},
	}
}

// section is a key with a mapping.
func section[T, V any](key Key, fields []field[V], at func(*T) **V) field[T] {
	key.Type = "mapping"
	return field[T]{Key: key, inner: under(key.Path+".", fields),
		read: func(r *reader, n *yaml.Node, key string, into *T) {
			*at(into) = new(V)
			read(r, n, key, fields, *at(into))
		},
		write: func(from T) any {
			if v := *at(&from); v != nil {
				return write(*v, fields)
			}
			return nil
		},
	}
}

// items is a key with a list of mappings; each begins as fresh, and is completed by finish.
func items[T, V any](key Key, of string, fields []field[V], fresh V, finish func(r *reader, key string, v *V),
	at func(*T) *[]V) field[T] {
	key.Type, key.List = "list", true
	return field[T]{Key: key, inner: under(key.Path+"[].", fields),
		read: func(r *reader, n *yaml.Node, key string, into *T) {
			for i, item := range r.items(n, key, of, false) {
				one, key := fresh, fmt.Sprintf("%s[%d]", key, i)
				if read(r, item, key, fields, &one) {
					finish(r, key, &one)
				}
				*at(into) = append(*at(into), one)
			}
		},
		write: func(from T) any {
			var all []yaml.Node
			for _, v := range *at(&from) {
				all = append(all, write(v, fields))
			}
			return all
		},
	}
}

// read takes a mapping's keys in the order of the fields, and reports whether it is one.
func read[T any](r *reader, n *yaml.Node, key string, fields []field[T], into *T) bool {
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = f.Path
	}
	m := r.mapping(n, key, names...)
	for _, f := range fields {
		switch n := m[f.Path]; {
		case n != nil:
			f.read(r, n, join(key, f.Path), into)
		case m != nil && f.Required:
			r.missing(key, f.Path)
		}
	}
	return m != nil
}

// write gives a mapping with the keys in the order of the fields.
func write[T any](from T, fields []field[T]) yaml.Node {
	n := yaml.Node{Kind: yaml.MappingNode}
	for _, f := range fields {
		v := f.write(from)
		if v == nil {
			continue
		}
		name, value := &yaml.Node{}, &yaml.Node{}
		name.SetString(f.Path)
		if err := value.Encode(v); err != nil {
			continue // Marshal reads what was written, and finds what is missing
		}
		n.Content = append(n.Content, name, value)
	}
	return n
}
