package policydb

import (
	"fmt"
	"io"
	"slices"
)

// Access is what a rule may allow: a permission of a class, from a type to a type.
type Access struct{ Source, Target, Class, Permission string }

// Grants are the rules of a kernel policy that allow an access.
type Grants struct {
	Booleans map[string]bool // of the whole policy, with the values that it has
	rules    []grant
}

// grant is one rule: Always, or while its condition holds, or does not.
type grant struct {
	when  []term
	holds bool // what the condition has to be
	names map[uint32]string
}

// By are the rules that allow it with these booleans, each by the booleans of its condition; a rule without a condition
// has none. A boolean that is not named has its value in the policy.
func (g Grants) By(set map[string]bool) (all [][]string) {
	value := func(name string) bool {
		if on, ok := set[name]; ok {
			return on
		}
		return g.Booleans[name]
	}
	for _, r := range g.rules {
		if r.when != nil && evaluate(r.when, func(n uint32) bool { return value(r.names[n]) }) != r.holds {
			continue
		}
		all = append(all, r.booleans())
	}
	return all
}

func (r grant) booleans() (names []string) {
	for _, t := range r.when {
		if name := r.names[t.boolean]; t.is == operand && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// ReadGrants walks a kernel binary policy to its end, where it says which types have which attributes: a rule of an
// attribute's is one of each of its types (libsepol's policydb_read, type_attr_map).
func ReadGrants(r io.Reader, a Access) (Grants, error) {
	d := NewDecoder(r)
	d.watch = &watch{access: a, names: map[uint32]string{}}
	d.header()
	d.symbols()
	d.avtab()
	d.conditionals()
	d.roleTransitions()
	d.roleAllows()
	d.filenameTransitions()
	d.objects().contexts()
	d.objects().moreContexts()
	d.objects().fileSystems()
	d.rangeTransitions()
	d.attributes()
	if d.Err != nil {
		return Grants{}, fmt.Errorf("policy: byte %d: %w", d.offset, d.Err)
	}
	return Grants{Booleans: d.Booleans, rules: d.watch.granted()}, nil
}
