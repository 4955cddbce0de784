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
	eachFile(t, func(path string, file *ast.File) {
		for _, text := range expressions(file) {
			found++
			if _, err := regexp.Compile(text); err != nil {
				t.Errorf("%s: %v", path, err)
			}
		}
	})
	if found < 80 {
		t.Errorf("%d expressions found: does the test look for them under the name by which they are made?", found)
	}
}

// eachFile hands over what the agent is built from. What only tests import is not part of it.
func eachFile(t *testing.T, do func(path string, file *ast.File)) {
	t.Helper()
	walk := func(path string, d fs.DirEntry, err error) error {
		switch {
		case err == nil && d.IsDir() && strings.HasSuffix(d.Name(), "test"):
			return fs.SkipDir
		case err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go"):
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err == nil {
			do(path, file)
		}
		return err
	}
	for _, dir := range []string{"cmd", "provision", "rpm", "selinux", "systemd", "firewalld"} {
		if err := filepath.WalkDir(filepath.Join("../..", dir), walk); err != nil {
			t.Fatal(err)
		}
	}
}

// No package of the agent compiles an expression before main begins.
func TestNothingCompiledAtStart(t *testing.T) {
	eachFile(t, func(path string, file *ast.File) {
		for _, d := range file.Decls {
			if vars, ok := d.(*ast.GenDecl); ok && vars.Tok == token.VAR && compiles(vars) {
				t.Errorf("%s compiles a regular expression at start: lazy.Regexp does it at its first use", path)
			}
		}
	})
}

// compiles reports a call of regexp.MustCompile, or of regexp.Compile, outside of functions.
func compiles(d ast.Node) (found bool) {
	ast.Inspect(d, func(n ast.Node) bool {
		if f, ok := n.(*ast.SelectorExpr); ok {
			of, named := f.X.(*ast.Ident)
			found = found || named && of.Name == "regexp" && strings.HasSuffix(f.Sel.Name, "Compile")
		}
		_, inside := n.(*ast.FuncLit)
		return !inside
	})
	return found
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
	if first, again := digits(), digits(); first != again || !again.MatchString("17") {
		t.Error("the expression is compiled twice, or is another one")
	}
}
