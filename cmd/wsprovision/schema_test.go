package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"wsprovision/cmd/wsprovision/show"
	"wsprovision/provision/engine"
	"wsprovision/provision/planfile"
	"wsprovision/provision/status"
	"wsprovision/provision/support"
	"wsprovision/provision/verify"
)

// schema is a JSON Schema, draft 7.
type schema = map[string]any

// outputs are the objects that --output json prints, by the name of their schema.
var outputs = map[string]struct {
	of    any
	title string
}{
	"report":  {engine.Report{}, "What apply, plan, renew-hook, revert and first-boot print with --output json"},
	"status":  {status.Report{}, "What status prints with --output json"},
	"verify":  {verify.Report{}, "What verify prints with --output json"},
	"reports": {[]summaryOf{}, "What report --list prints with --output json"},
	"version": {build{}, "What version prints with --output json"},
	"support": {support.Archive{}, "What support prints with --output json"},
	"plan":    {planfile.Plan{}, "What plan --out writes, and apply --from-plan reads"},
}

// words are the values of types that are one of some words.
var words = map[reflect.Type][]string{
	reflect.TypeFor[engine.Status](): {"unchanged", "changed", "planned", "deferred", "failed", "skipped"},
	reflect.TypeFor[status.State](): {string(status.None), string(status.Complete), string(status.Waiting),
		string(status.Running), string(status.Broken), string(status.Untold)},
	reflect.TypeFor[status.Condition](): {string(status.AsAsked), string(status.Differs), string(status.Unseen)},
}

// TestSchemas: the schemas that the package ships are made from the types that are printed.
func TestSchemas(t *testing.T) {
	for name, o := range outputs {
		s := schemaOf(reflect.TypeOf(o.of))
		s["$schema"], s["title"] = "http://json-schema.org/draft-07/schema#", o.title
		text, err := json.MarshalIndent(s, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		golden(t, "../"+schemaFile(name), string(text)+"\n")
	}
}

func schemaFile(name string) string { return "../../packaging/schema/" + name + ".schema.json" }

// schemaOf describes a type as encoding/json writes it. Fields that are not known are let pass: new ones may come under
// the same version.
func schemaOf(t reflect.Type) schema {
	if list := words[t]; list != nil {
		return schema{"enum": list}
	}
	switch {
	case t == reflect.TypeFor[time.Time]():
		return schema{"type": "string", "format": "date-time"}
	case t.Implements(reflect.TypeFor[interface{ MarshalText() ([]byte, error) }]()):
		return schema{"type": "string"}
	}
	switch t.Kind() {
	case reflect.String:
		return schema{"type": "string"}
	case reflect.Bool:
		return schema{"type": "boolean"}
	case reflect.Int, reflect.Int64:
		return schema{"type": "integer"}
	case reflect.Float64:
		return schema{"type": "number"}
	case reflect.Pointer:
		return schemaOf(t.Elem())
	case reflect.Slice:
		return schema{"type": "array", "items": schemaOf(t.Elem())}
	case reflect.Map:
		return schema{"type": "object", "additionalProperties": schemaOf(t.Elem())}
	case reflect.Struct:
		return objectOf(t)
	}
	panic("no schema of " + t.String())
}

func objectOf(t reflect.Type) schema {
	properties, required := schema{}, []string{}
	for i := range t.NumField() {
		f := t.Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		if !f.IsExported() || name == "-" {
			continue
		}
		if name == "" {
			panic(fmt.Sprintf("%s.%s has no name in JSON", t, f.Name))
		}
		value := schemaOf(f.Type)
		if f.Type.Kind() == reflect.Slice { // one of none is null
			value["type"] = []string{"array", "null"}
		}
		properties[name] = value
		if !strings.Contains(options, "omitempty") && !strings.Contains(options, "omitzero") {
			required = append(required, name)
		}
	}
	return schema{"type": "object", "properties": properties, "required": required}
}

// TestOutputsHaveTheirSchema has python3-jsonschema judge what the agent really prints: in a tree that stands for an
// installer's chroot, and of WebSockets that go through and that do not. That it finds what is wrong is tried too.
func TestOutputsHaveTheirSchema(t *testing.T) {
	needRoot(t)
	python := pythonWithSchemas(t)
	dir := t.TempDir()
	keep := func(kind, name, text string) {
		if err := os.WriteFile(filepath.Join(dir, kind+"."+name+".json"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	tr := newTree(t, executables(t))
	site := []string{"--offline", "-o", "json", "--server-name", "ws.example.com", "--backend", "127.0.0.1:3000"}
	tree := func(kind, name string, args ...string) {
		stdout, _, _ := tr.agent(args...)
		keep(kind, name, stdout)
	}
	tree("status", "none", "status", "-o", "json")
	tree("report", "plan", append([]string{"plan"}, site...)...)
	for kind, args := range map[string][]string{"plan": append([]string{"plan"}, site...), "support": {"support", "-o",
		"json"}} {
		stdout, stderr, status := tr.agent(append(args, "--out", "/"+kind+".out")...)
		if status != exitOK {
			t.Errorf("%s: exit status %d\n%s%s", kind, status, stdout, stderr)
		}
		if kind == "plan" {
			stdout = readGolden(t, tr.path("/plan.out"))
		}
		keep(kind, "good", stdout)
	}
	tr.write("/nopackage", "")
	tree("report", "fails", append([]string{"apply"}, site...)...)
	tree("status", "failed", "status", "--offline", "-o", "json")
	tr.remove("/nopackage")
	tree("report", "apply", append([]string{"apply"}, site...)...)
	tree("status", "deferred", "status", "--offline", "-o", "json")
	tree("reports", "list", "report", "--list", "-o", "json")
	tree("report", "kept", "report", "-o", "json")
	tr.write("/reverting", "")
	tree("report", "revert-plan", "revert", "--offline", "-o", "json", "--plan")
	tree("report", "revert", "revert", "--offline", "-o", "json")
	tree("report", "renew-hook", "renew-hook", "--offline", "-o", "json")
	tree("reports", "after-revert", "report", "--list", "-o", "json")
	tree("status", "reverted", "status", "--offline", "-o", "json")
	for name, args := range map[string][]string{
		"good":    {"--count", "3", "ws://" + echoing(t) + "/"},
		"refused": {"ws://127.0.0.1:1/"},
		"mute":    {"--explain", "never", "ws://127.0.0.1:1/"},
	} {
		out, _ := agent(t, 0, append([]string{"verify", "-o", "json"}, args...)...).Output()
		keep("verify", name, string(out))
	}
	out, _ := agent(t, 0, "version", "-o", "json").Output()
	keep("version", "good", string(out))
	keep("version", "wrong", `{"version": 1, "commit": "x", "go": "x", "platform": "x"}`)
	keep("report", "wrong", strings.Replace(readGolden(t, dir+"/report.apply.json"), `"result":`, `"rezult":`, 1))

	judged := string(judge(t, python, dir))
	var wrong []string
	for line := range strings.Lines(judged) {
		name, message, _ := strings.Cut(strings.TrimSpace(line), "\t")
		if message == "" {
			continue
		}
		wrong = append(wrong, name)
		if !strings.HasSuffix(name, ".wrong.json") {
			t.Errorf("%s: %s\n%s", name, message, readGolden(t, filepath.Join(dir, name)))
		}
	}
	if want := []string{"report.wrong.json", "version.wrong.json"}; !slices.Equal(slices.Sorted(slices.Values(wrong)),
		want) {
		t.Errorf("refused: %q, want %q\n%s", wrong, want, judged)
	}
}

func readGolden(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// judge prints a line of each file: its name, and what is wrong with it.
func judge(t *testing.T, python, dir string) []byte {
	t.Helper()
	const program = `
import glob, json, os, sys, jsonschema
for name in sorted(glob.glob(os.path.join(sys.argv[1], "*.json"))):
    kind = os.path.basename(name).split(".")[0]
    with open(os.path.join(sys.argv[2], kind + ".schema.json")) as f:
        schema = json.load(f)
    jsonschema.Draft7Validator.check_schema(schema)
    with open(name) as f:
        errors = list(jsonschema.Draft7Validator(schema).iter_errors(json.load(f)))
    print(os.path.basename(name) + "\t" + "; ".join(e.message for e in errors)[:300].replace("\n", " "))
`
	out, err := exec.Command(python, "-c", program, dir, filepath.Dir(schemaFile("x"))).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return out
}

// pythonWithSchemas is a Python that has jsonschema; packaging/host.sh brings Debian's.
func pythonWithSchemas(t *testing.T) string {
	t.Helper()
	for _, python := range []string{"/usr/bin/python3", "python3"} {
		if exec.Command(python, "-c", "import jsonschema").Run() == nil {
			return python
		}
	}
	if os.Getenv("CI") != "" {
		t.Fatal("there is no python3-jsonschema")
	}
	t.Skip("there is no python3-jsonschema")
	return ""
}

// TestWordsAreWhole: a status that the schema does not know would make every checker refuse the report.
func TestWordsAreWhole(t *testing.T) {
	for _, s := range slices.Collect(maps.Keys(show.Styles)) {
		if !slices.Contains(words[reflect.TypeFor[engine.Status]()], string(s)) {
			t.Errorf("the schema does not have %q", s)
		}
	}
}
