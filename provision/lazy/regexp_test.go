package lazy

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// Every expression in the tree is one. What a constant or a function adds to it is left to its package's tests.
func TestEveryExpression(t *testing.T) {
	found := 0
	walk := func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		for _, text := range expressions(file) {
			found++
			if _, err := regexp.Compile(text); err != nil {
				t.Errorf("%s: %v", path, err)
			}
		}
		return nil
	}
	for _, dir := range []string{"cmd", "provision", "rpm", "selinux", "systemd"} {
		if err := filepath.WalkDir(filepath.Join("../..", dir), walk); err != nil {
			t.Fatal(err)
		}
	}
	if found < 80 {
		t.Errorf("%d expressions found: does the test look for them under the name by which they are made?", found)
	}
}

// expressions are the literal arguments of Regexp, and of Marks, which is its name in package yumerr.
func expressions(file *ast.File) (all []string) {
	ast.Inspect(file, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok || len(call.Args) != 1 {
			return true
		}
		name := ""
		switch f := call.Fun.(type) {
		case *ast.SelectorExpr:
			name = f.Sel.Name
		case *ast.Ident:
			name = f.Name
		}
		if text, ok := literal(call.Args[0]); ok && (name == "Regexp" || name == "Marks") {
			all = append(all, text)
		}
		return true
	})
	return all
}

// literal is the text of a string that stands there, in one piece or several.
func literal(e ast.Expr) (string, bool) {
	switch e := e.(type) {
	case *ast.BasicLit:
		text, err := strconv.Unquote(e.Value)
		return text, err == nil && e.Kind == token.STRING
	case *ast.BinaryExpr:
		left, ok := literal(e.X)
		right, also := literal(e.Y)
		return left + right, ok && also && e.Op == token.ADD
	}
	return "", false
}

func TestCompiledOnce(t *testing.T) {
	digits := Regexp(`^\d+$`)
	if digits() != digits() || !digits().MatchString("17") {
		t.Error("the expression is compiled twice, or is another one")
	}
}
