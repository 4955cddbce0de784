package reading

import (
	"fmt"

	"wsprovision/provision/config/kinds"

	"go.yaml.in/yaml/v3"
)

// Field is one key of a mapping that becomes a T. Its Path is the key's name alone, its inner keys' begin with it.
type Field[T any] struct {
	Key
	inner []Key
	Read  func(r *Reader, n *yaml.Node, key string, into *T)
	Write func(from T) any // nil leaves the key out
}

// One is a key with a single value.
func One[T, V any](key Key, k kinds.Kind[V], at func(*T) *V) Field[T] {
	return Via(key, k, func(from T) V { return *at(&from) }, func(into *T, v V) { *at(into) = v })
}

// Via is a key whose value stands otherwise in the model.
func Via[T, V any](key Key, k kinds.Kind[V], get func(T) V, set func(*T, V)) Field[T] {
	return Field[T]{Key: key.Of(k.About),
		Read: func(r *Reader, n *yaml.Node, key string, into *T) {
			v, _ := Value(r, n, key, k.Parse)
			set(into, v)
		},
		Write: func(from T) any { return unlessEmpty(k, get(from)) },
	}
}

// unlessEmpty leaves out what nobody asked for, but for false, which is an answer.
func unlessEmpty[V any](k kinds.Kind[V], v V) any {
	var nothing V
	switch any(v).(type) {
	case bool:
	default:
		if fmt.Sprint(v) == fmt.Sprint(nothing) {
			return nil
		}
	}
	return k.Value(v)
}

// Many is a key with one value or a list; of is what one of them is called.
func Many[T, V any](key Key, of string, k kinds.Kind[V], at func(*T) *[]V) Field[T] {
	key = key.Of(k.About)
	key.Many = true
	return Field[T]{Key: key,
		Read: func(r *Reader, n *yaml.Node, key string, into *T) { *at(into) = List(r, n, key, of, k.Parse) },
		Write: func(from T) any {
			var all []any
			for _, v := range *at(&from) {
				all = append(all, k.Value(v))
			}
			if all == nil {
				return nil
			}
			return all
		},
	}
}

// Section is a key with a mapping.
func Section[T, V any](key Key, fields []Field[V], at func(*T) **V) Field[T] {
	key.Type = "mapping"
	return Field[T]{Key: key, inner: Under(key.Path+".", fields),
		Read: func(r *Reader, n *yaml.Node, key string, into *T) {
			*at(into) = new(V)
			Read(r, n, key, fields, *at(into))
		},
		Write: func(from T) any {
			if v := *at(&from); v != nil {
				return Write(*v, fields)
			}
			return nil
		},
	}
}

// Items is a key with a list of mappings; each begins as fresh, and is completed by finish.
func Items[T, V any](key Key, of string, fields []Field[V], fresh V, finish func(r *Reader, key string, v *V),
	at func(*T) *[]V) Field[T] {
	key.Type, key.List = "list", true
	return Field[T]{Key: key, inner: Under(key.Path+"[].", fields),
		Read: func(r *Reader, n *yaml.Node, key string, into *T) {
			for i, item := range r.Items(n, key, of, false) {
				one, key := fresh, fmt.Sprintf("%s[%d]", key, i)
				if Read(r, item, key, fields, &one) {
					finish(r, key, &one)
				}
				*at(into) = append(*at(into), one)
			}
		},
		Write: func(from T) any {
			var all []yaml.Node
			for _, v := range *at(&from) {
				all = append(all, Write(v, fields))
			}
			return all
		},
	}
}

// Read takes a mapping's keys in the order of the fields, and reports whether it is one.
func Read[T any](r *Reader, n *yaml.Node, key string, fields []Field[T], into *T) bool {
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = f.Path
	}
	m := r.mapping(n, key, names...)
	for _, f := range fields {
		switch n := m[f.Path]; {
		case n != nil:
			f.Read(r, n, Join(key, f.Path), into)
		case m != nil && f.Required:
			r.missing(key, f.Path)
		}
	}
	return m != nil
}

// Write gives a mapping with the keys in the order of the fields.
func Write[T any](from T, fields []Field[T]) yaml.Node {
	n := yaml.Node{Kind: yaml.MappingNode}
	for _, f := range fields {
		v := f.Write(from)
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

// Under puts the keys of a mapping where the mapping stands.
func Under[T any](prefix string, fields []Field[T]) []Key {
	var all []Key
	for _, f := range fields {
		inner := f.inner
		f.Path = prefix + f.Path
		all = append(all, f.Key)
		for _, k := range inner {
			k.Path = prefix + k.Path
			all = append(all, k)
		}
	}
	return all
}
