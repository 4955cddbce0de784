package config

import (
	"fmt"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"wsprovision/provision/config/reading"
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
	c.Record = nil // which is not asked for, but follows from what is
	content, err := c.Marshal()
	if err != nil {
		return nil, err
	}
	var document yaml.Node
	if err := yaml.Unmarshal(content, &document); err != nil {
		return nil, fmt.Errorf("read the effective configuration again: %w", err)
	}
	explain(at, document.Content[0], "")
	hideValues(document.Content[0], "")
	shown, err := yaml.Marshal(&document)
	return []byte(secret.Hide(string(shown))), err
}

// explain puts a comment behind every value.
func explain(o reading.Origins, n *yaml.Node, key string) {
	switch n.Kind {
	case yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			explain(o, n.Content[i+1], reading.Join(key, n.Content[i].Value))
		}
	case yaml.SequenceNode:
		for i, item := range n.Content {
			explain(o, item, fmt.Sprintf("%s[%d]", key, i))
		}
	default:
		if d, err := time.ParseDuration(n.Value); err == nil && d.String() == n.Value {
			n.Value = plaintext.Duration(d)
		}
		n.LineComment = "# " + o.Origin(key)
	}
}

// hideValues takes away what headers have, and what a probe sends and waits for: it may be secret.
func hideValues(n *yaml.Node, path string) {
	for i := 0; n.Kind == yaml.MappingNode && i+1 < len(n.Content); i += 2 {
		hideValues(n.Content[i+1], reading.Join(path, n.Content[i].Value))
	}
	for _, item := range n.Content {
		if n.Kind == yaml.SequenceNode {
			hideValues(item, path+"[]")
		}
	}
	of, inLocation := strings.CutPrefix(path, "sites[].locations[].")
	if n.Kind == yaml.ScalarNode && inLocation && (strings.HasPrefix(of, "probe.headers.") ||
		strings.HasPrefix(of, "request_headers.") || of == "probe.send" || of == "probe.expect.message") {
		n.SetString(secret.Hidden)
	}
}
