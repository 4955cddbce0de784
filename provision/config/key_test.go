package config

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"wsprovision/provision/config/reading"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"
)

// required are the keys that a mapping needs, as YAML, beside the one that is looked at.
var required = map[string]string{
	"sites[]":             "name: a\nserver_name: a.b\nlocations: [{path: /, backend: 'c:1'}]",
	"sites[].locations[]": "path: /\nbackend: c:1",
	"sites[].tls":         "certificate: /c.pem\nkey: /k.pem",
}

// document is a file with one key, and no more than that needs.
func document(k reading.Key, value string) string {
	text := leaf(k) + ": " + value
	for path := parent(k.Path); ; path = parent(path) {
		beside := required[path]
		if path == "sites[].locations[]" && strings.Contains(k.Path, ".backend_tls.") {
			beside = "path: /\nbackend: https://c:1"
		}
		if path == "sites[]" && strings.Contains(k.With, "/probe.") {
			beside += "\ntls: {certificate: /c.pem, key: /k.pem, client_ca: /ca.pem}"
		}
		if path == parent(k.Path) {
			beside = k.With + "\n" + beside
		}
		text = mapping(text, beside)
		if path == "" {
			return text
		}
		name, list := strings.CutSuffix(path[strings.LastIndexByte(path, '.')+1:], "[]")
		if list {
			text = name + ":\n- " + indent(text)
		} else {
			text = name + ":\n  " + indent(text)
		}
	}
}

// mapping is the text and those keys beside it that it does not have; root stands in place of a backend.
func mapping(text, beside string) string {
	name, _, _ := strings.Cut(text, ":")
	have := map[string]bool{name: true, "backend": name == "root" || name == "backend"}
	for line := range strings.SplitSeq(beside, "\n") {
		if one, _, ok := strings.Cut(line, ":"); ok && !have[one] {
			have[one] = true
			text += "\n" + line
		}
	}
	return text
}

func indent(text string) string { return strings.ReplaceAll(text, "\n", "\n  ") }

// numbered is the path as a Problem has it, for the first element of each list.
func numbered(path string) string { return strings.ReplaceAll(path, "[]", "[0]") }

// TestEveryKeyIsRead: the example of each key is taken, and makes another configuration than the file without it.
func TestEveryKeyIsRead(t *testing.T) {
	for _, k := range keys() {
		if k.Schema == nil {
			continue
		}
		text := document(k, k.Example)
		got, err := load(text)
		if err != nil {
			t.Errorf("%s: %v\n%s", k.Path, err, text)
			continue
		}
		without, _ := load(document(reading.Key{Path: k.Path, With: k.With}, standIn(k)))
		if cmp.Equal(got, without) {
			t.Errorf("%s: the example %s changes nothing\n%s", k.Path, k.Example, text)
		}
		if content, err := got.Marshal(); err != nil {
			t.Errorf("%s: written and read again: %v\n%s", k.Path, err, content)
		}
	}
}

// standIn is the value of a required key where the example is not to be there, null for one that may be missing.
func standIn(k reading.Key) string {
	for line := range strings.SplitSeq(required[parent(k.Path)], "\n") {
		if name, value, ok := strings.Cut(line, ": "); ok && name == leaf(k) {
			return value
		}
	}
	return "null"
}

// TestEveryKeyIsInTheSample: packaging/wsprovision.yaml shows each key, in the comments that are its examples.
func TestEveryKeyIsInTheSample(t *testing.T) {
	content, err := os.ReadFile(shipped)
	if err != nil {
		t.Fatal(err)
	}
	sites, rest, _ := strings.Cut(string(content), "\n# Where nginx comes from")
	var node yaml.Node
	if err := yaml.Unmarshal([]byte(uncommented(sites)), &node); err != nil {
		t.Fatal(err)
	}
	shown := map[string]bool{}
	collect(shown, "", node.Content[0])
	for _, k := range keys() {
		inSite := k.Path == "sites" || strings.HasPrefix(k.Path, "sites[")
		if inSite && !shown[k.Path] || !inSite && !regexp.MustCompile(`(?m)^#[ #]*`+leaf(k)+`:`).MatchString(rest) {
			t.Errorf("%s is not in packaging/wsprovision.yaml", k.Path)
		}
	}
}

func collect(shown map[string]bool, path string, n *yaml.Node) {
	switch n.Kind {
	case yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			at := reading.Join(path, n.Content[i].Value)
			shown[at] = true
			collect(shown, at, n.Content[i+1])
		}
	case yaml.SequenceNode:
		for _, item := range n.Content {
			collect(shown, path+"[]", item)
		}
	}
}
