package config

import (
	"fmt"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"wsprovision/provision/plaintext"
	"wsprovision/provision/secret"
)

// Explain is the effective configuration as YAML, each value with a comment that says where it was written. Credentials
// in it are hidden.
func Explain(in Input) ([]byte, error) {
	c, at, err := gather(in)
	if err != nil {
		return nil, err
	}
	content, err := c.Marshal()
	if err != nil {
		return nil, err
	}
	var document yaml.Node
	if err := yaml.Unmarshal(content, &document); err != nil {
		return nil, fmt.Errorf("read the effective configuration again: %w", err)
	}
	at.explain(document.Content[0], "")
	hideHeaders(document.Content[0], "")
	shown, err := yaml.Marshal(&document)
	return []byte(secret.Hide(string(shown))), err
}

// explain puts a comment behind every value.
func (o origins) explain(n *yaml.Node, key string) {
	switch n.Kind {
	case yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			o.explain(n.Content[i+1], join(key, n.Content[i].Value))
		}
	case yaml.SequenceNode:
		for i, item := range n.Content {
			o.explain(item, fmt.Sprintf("%s[%d]", key, i))
		}
	default:
		if d, err := time.ParseDuration(n.Value); err == nil && d.String() == n.Value {
			n.Value = plaintext.Duration(d)
		}
		n.LineComment = "# " + o.origin(key)
	}
}

// hideHeaders takes the values of a probe's headers away, which may be secret.
func hideHeaders(n *yaml.Node, path string) {
	for i := 0; n.Kind == yaml.MappingNode && i+1 < len(n.Content); i += 2 {
		hideHeaders(n.Content[i+1], join(path, n.Content[i].Value))
	}
	for _, item := range n.Content {
		if n.Kind == yaml.SequenceNode {
			hideHeaders(item, path+"[]")
		}
	}
	if n.Kind == yaml.ScalarNode && strings.HasPrefix(path, "sites[].locations[].probe.headers.") {
		n.SetString(secret.Hidden)
	}
}

// origin is where a value was written. What one value gave stands where its list does; a list of defaults was not
// written at all.
func (o origins) origin(key string) string {
	w, written := o[key]
	if i := strings.LastIndexByte(key, '['); !written && i > strings.LastIndexByte(key, '.') {
		w, written = o[key[:i]]
	}
	switch {
	case !written:
		return "default"
	case w.line > 0:
		return fmt.Sprintf("%s:%d", w.source, w.line)
	}
	return w.source
}
