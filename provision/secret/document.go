package secret

import (
	"bytes"
	"errors"
	"io"
	"strings"

	"go.yaml.in/yaml/v3"

	"wsprovision/provision/lazy"
)

var (
	// toldAnywhere is a key whose value is for a server alone, wherever in a line it stands.
	toldAnywhere = lazy.Regexp(`(?:send|message|headers)["']?[ \t]*:`)
	entryOfBlock = lazy.Regexp(`^[ \t#]*(?:- +)*["']?[A-Za-z_]+["']?[ \t]*:(?:[ \t]|$)`)
)

// parsed are the documents of a text of YAML.
func parsed(text string) ([]*yaml.Node, error) {
	var documents []*yaml.Node
	for decoder := yaml.NewDecoder(strings.NewReader(text)); ; {
		document := new(yaml.Node)
		err := decoder.Decode(document)
		if errors.Is(err, io.EOF) {
			return documents, nil
		}
		if err != nil {
			return nil, err
		}
		documents = append(documents, document)
	}
}

// hidesAll reports whether nothing of the values in the documents is shown.
func hidesAll(shown string, documents []*yaml.Node) bool {
	left, err := parsed(shown)
	if err != nil || len(left) != len(documents) {
		return false
	}
	for _, value := range secretValues(left) {
		if strings.Trim(value.Value, Hidden+" \n") != "" && value.Tag != "!!null" {
			return false
		}
	}
	for _, value := range secretValues(documents) {
		for _, word := range strings.Fields(value.Value) {
			if len(word) > 5 && strings.Contains(shown, word) { // behind an anchor, or in what became a comment
				return false
			}
		}
		if value.Anchor != "" {
			return false
		}
	}
	return true
}

// anew is the documents without what is secret, and without comments.
func anew(documents []*yaml.Node) string {
	for _, value := range secretValues(documents) {
		value.SetString(Hidden)
	}
	var text bytes.Buffer
	encoder := yaml.NewEncoder(&text)
	encoder.SetIndent(2)
	for _, document := range documents {
		withoutComments(document)
		if err := encoder.Encode(document); err != nil {
			return "(not shown: " + Hidden + ")\n"
		}
	}
	return Scrub(text.String())
}

func withoutComments(n *yaml.Node) {
	n.HeadComment, n.LineComment, n.FootComment = "", "", ""
	for _, child := range n.Content {
		withoutComments(child)
	}
}

// secretValues are the scalars under the keys whose values are for a server alone, also those of an alias.
func secretValues(documents []*yaml.Node) []*yaml.Node {
	w := walk{seen: map[*yaml.Node]bool{}}
	for _, document := range documents {
		w.find(document)
	}
	return w.found
}

type walk struct {
	seen  map[*yaml.Node]bool
	found []*yaml.Node
}

func (w *walk) find(n *yaml.Node) {
	for i, child := range n.Content {
		if n.Kind == yaml.MappingNode && i%2 == 1 && isTold(n.Content[i-1]) {
			w.take(child)
		} else {
			w.find(child)
		}
	}
}

func isTold(key *yaml.Node) bool {
	if key.Alias != nil {
		key = key.Alias
	}
	switch key.Value {
	case "send", "message", "headers", "request_headers", "record": // the last is a file of sites as a text
		return true
	}
	return false
}

// take takes the values in n; the names in a mapping stay.
func (w *walk) take(n *yaml.Node) {
	if w.seen[n] {
		return
	}
	w.seen[n] = true
	switch n.Kind {
	case yaml.ScalarNode:
		w.found = append(w.found, n)
	case yaml.AliasNode:
		w.take(n.Alias)
	}
	for i, child := range n.Content {
		if n.Kind != yaml.MappingNode || i%2 == 1 {
			w.take(child)
		}
	}
}

// byBrokenLines hides everything behind such a key, up to the next key that is not indented more.
func byBrokenLines(text string) string {
	lines := strings.Split(text, "\n")
	deeper := -1
	for i, line := range lines {
		indent := indentOf(line)
		if deeper >= 0 && (indent > deeper || !entryOfBlock().MatchString(line)) {
			if !isBlank(line) {
				lines[i] = line[:indent] + Hidden
			}
			continue
		}
		deeper = -1
		if at := toldAnywhere().FindStringIndex(line); at != nil {
			lines[i], deeper = line[:at[1]]+" "+Hidden, indent
		}
	}
	return Scrub(strings.Join(lines, "\n"))
}
