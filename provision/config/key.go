package config

import "slices"

// Key is one key of the configuration file, and all that is said of it anywhere: the manual wsprovision.yaml(5), the
// shipped sample and the JSON Schema are made from, or checked against, the list that Keys gives.
type Key struct {
	Path     string // as in a Problem, without numbers: sites[].locations[].backend
	Flag     string // that gives it, without dashes; "" for none
	Required bool   // in its mapping
	Default  string // as the file has it, or in words; "" for none
	Doc      string // what it does: sentences of plain text
	Example  string // a value, as YAML
	// With are keys that the example needs beside it, as YAML.
	With string
	about
}

// about is what a kind of value tells of all its keys.
type about struct {
	Type   string // how the manual calls it: host:port
	Bounds string // what is accepted, as a sentence
	Wrong  string // a value that is refused
	Schema schema // of one value, or nil for a mapping
	Many   bool   // one value or a list of them
	List   bool   // of mappings
}

// schema is a JSON Schema, draft 7, of a value.
type schema map[string]any

func (k Key) of(a about) Key {
	k.about = a
	return k
}

// Keys is every key that a file may have, each behind the one that holds it.
func Keys() []Key {
	all := []Key{{Path: "sites", Doc: "The sites. Each becomes /etc/nginx/conf.d/NAME.conf. One that is removed from " +
		"the list is removed there by the next apply; the last one by wsprovision revert. Where http{} of nginx.conf " +
		"does not include that folder, it is the first folder that http{} includes by a pattern such as *.conf.",
		Default: "none", about: about{Type: "list", List: true}}}
	all = append(all, under("sites[].", siteFields())...)
	for _, s := range hostSettings() {
		if section := parent(s.Path); section != "" && !slices.ContainsFunc(all, func(k Key) bool {
			return k.Path == section
		}) {
			all = append(all, Key{Path: section, Doc: sections[section], about: about{Type: "mapping"}})
		}
		all = append(all, s.Key)
	}
	return all
}

// under puts the keys of a mapping where the mapping stands.
func under[T any](prefix string, fields []field[T]) []Key {
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
