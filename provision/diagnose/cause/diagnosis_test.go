package cause

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// codes are all constants of the type Code, by the source.
func codes(t *testing.T) []string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "diagnosis.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if kind, ok := spec.Type.(*ast.Ident); ok && kind.Name == "Code" {
			text, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, text)
		}
		return true
	})
	return all
}

// Every code is documented, and everything documented as one is a code. They stand in one table, once each.
func TestCodesAreInTheManualPage(t *testing.T) {
	page, err := os.ReadFile("../../../packaging/wsprovision.8")
	if err != nil {
		t.Fatal(err)
	}
	_, section, found := strings.Cut(string(page), ".SH DIAGNOSES\n")
	section, _, ends := strings.Cut(section, "\n.SH ")
	if !found || !ends {
		t.Fatal("wsprovision.8 has no section DIAGNOSES")
	}
	if tables := strings.Count(section, "\n.TS\n"); tables != 1 || strings.Contains(section, "\n.TP\n") {
		t.Errorf("the codes stand in %d tables and a list, and not in one table", tables)
	}
	documented := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^([a-z0-9.\\-]+)\t[^\t]+\tT\{\n\S`).FindAllStringSubmatch(section, -1) {
		name := strings.ReplaceAll(m[1], `\-`, "-")
		if documented[name] {
			t.Errorf("code %s stands twice in wsprovision.8", name)
		}
		documented[name] = true
	}
	all := codes(t)
	if len(all) < 40 {
		t.Fatalf("only %d codes found in the source", len(all))
	}
	for _, code := range all {
		if !regexp.MustCompile(`^[a-z0-9]+([-.][a-z0-9]+)*$`).MatchString(code) {
			t.Errorf("code %q is not in kebab case", code)
		}
		if !documented[code] {
			t.Errorf("code %s is not in wsprovision.8", code)
		}
		delete(documented, code)
	}
	for code := range documented {
		t.Errorf("wsprovision.8 has %s, which is no code", code)
	}
}
