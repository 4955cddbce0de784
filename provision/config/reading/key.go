package reading

import "wsprovision/provision/config/kinds"

// Key is one key of the configuration file, and all that is said of it anywhere: the manual wsprovision.yaml(5), the
// shipped sample and the JSON Schema are made from, or checked against, the list keys of config.
type Key struct {
	Path     string // as in a Problem, without numbers: sites[].locations[].backend
	Flag     string // that gives it, without dashes; "" for none
	Required bool   // in its mapping
	Default  string // as the file has it, or in words; "" for none
	Doc      string // what it does: sentences of plain text
	Example  string // a value, as YAML
	// With are keys that the example needs beside it, as YAML.
	With string
	kinds.About
}

func (k Key) Of(a kinds.About) Key {
	k.About = a
	return k
}
