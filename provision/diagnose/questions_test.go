package diagnose

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
	"testing"
)

// asks are the names in the table, as the source has them.
func asks(t *testing.T) map[string]int {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "questions.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]int{}
	ast.Inspect(file, func(n ast.Node) bool {
		row, ok := n.(*ast.CompositeLit)
		if !ok || len(row.Elts) != 3 || row.Type != nil {
			return true
		}
		if ask, ok := row.Elts[2].(*ast.SelectorExpr); ok {
			all[ask.Sel.Name]++
		}
		return true
	})
	return all
}

// No question asks another: the order is the table's alone.
func TestQuestionsAskNoOther(t *testing.T) {
	all := asks(t)
	if len(all) < 50 {
		t.Fatalf("%d questions found in the source", len(all))
	}
	names, err := filepath.Glob("*/*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok {
				continue
			}
			ast.Inspect(f.Body, func(n ast.Node) bool {
				if s, ok := n.(*ast.SelectorExpr); ok && isNamed(s.X, "cause") {
					return false
				}
				if i, ok := n.(*ast.Ident); ok && all[i.Name] > 0 {
					t.Errorf("%s: %s uses the question %s", name, f.Name.Name, i.Name)
				}
				return true
			})
		}
	}
}

func isNamed(e ast.Expr, name string) bool {
	i, ok := e.(*ast.Ident)
	return ok && i.Name == name
}

// Each question is of situations and of a place, and is in the table once for each place.
func TestQuestionsHaveASituation(t *testing.T) {
	for i, q := range questions {
		if q.about == 0 || q.ask == nil {
			t.Errorf("question %d has no situation", i)
		}
	}
}
