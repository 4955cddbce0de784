package config

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"wsprovision/provision/config/kinds"
	"wsprovision/provision/config/reading"

	"github.com/google/go-cmp/cmp"
)

const schemaFile = "../../packaging/wsprovision.schema.json"

// TestSchema: the JSON Schema that editors check the file by is made from the list of keys.
func TestSchema(t *testing.T) {
	root := object("wsprovision.yaml")
	root["$schema"] = "http://json-schema.org/draft-07/schema#"
	for _, k := range keys() {
		put(root, strings.Split(k.Path, "."), k)
	}
	want, err := json.MarshalIndent(root, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	generated(t, schemaFile, string(want)+"\n")
}

func object(description string) kinds.Schema {
	return kinds.Schema{"type": "object", "description": description, "additionalProperties": false,
		"properties": kinds.Schema{}}
}

// put gives the key its place: its mapping has been made by an earlier key.
func put(in kinds.Schema, path []string, k reading.Key) {
	for _, name := range path[:len(path)-1] {
		name, list := strings.CutSuffix(name, "[]")
		in = in["properties"].(kinds.Schema)[name].(kinds.Schema)
		if list {
			in = in["items"].(kinds.Schema)
		}
	}
	name := path[len(path)-1]
	in["properties"].(kinds.Schema)[name] = valueSchema(k)
	if k.Required {
		names, _ := in["required"].([]string)
		in["required"] = append(names, name)
	}
}

func valueSchema(k reading.Key) kinds.Schema {
	one := kinds.Schema{}
	for key, v := range k.Schema {
		one[key] = v
	}
	switch {
	case k.List:
		return kinds.Schema{"type": emptyToo(k, "array"), "description": k.Doc, "items": object(k.Doc)}
	case k.Schema == nil:
		o := object(k.Doc)
		o["type"] = emptyToo(k, "object")
		return o
	case k.Many:
		one = kinds.Schema{"anyOf": []kinds.Schema{k.Schema, {"type": "array", "minItems": 1, "items": k.Schema}}}
	}
	one["description"] = strings.TrimSpace(k.Doc + " " + k.Bounds)
	return one
}

// emptyToo lets a mapping of the whole file have nothing in it, as when all of it is commented out.
func emptyToo(k reading.Key, kind string) any {
	if strings.Contains(k.Path, "[]") {
		return kind
	}
	return []string{kind, "null"}
}

// generated compares a file of the package with what is made from the keys; -update writes it.
func generated(t *testing.T, file, want string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(file)
	if diff := cmp.Diff(want, string(have)); err != nil || diff != "" {
		t.Errorf("%v: go test ./provision/config -update writes %s anew\n-want +got\n%s", err, file, diff)
	}
}
