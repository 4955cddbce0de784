package provision

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strings"
	"testing"
)

// builders make a Mend, and what they are given.
var builders = []string{"Do", "And", "Say", "Note", "Name", "Into"}

// unsafeMends are the places of a file in which a Mend is made otherwise than by quoting, or has a shell do it.
func unsafeMends(file *ast.File) (found []string) {
	report := func(n ast.Node, what string) { found = append(found, fmt.Sprintf("%s at %d", what, n.Pos())) }
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CompositeLit:
			if is(n.Type, "Mend") && len(n.Elts) > 0 {
				report(n, "a Mend made by hand")
			}
		case *ast.SelectorExpr:
			if n.Sel.Name == "written" || n.Sel.Name == "UnmarshalText" {
				report(n, "the text of a Mend")
			}
		case *ast.CallExpr:
			if is(n.Fun, "Words") && !isLiteral(n.Args[0]) {
				report(n, "words made of a value")
			}
			if b := builder(n.Fun); b != "" {
				unsafeArguments(b, n.Args, report)
			}
		}
		return true
	})
	return found
}

func is(e ast.Expr, name string) bool {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name == name
	case *ast.SelectorExpr:
		return e.Sel.Name == name
	}
	return false
}

func isLiteral(e ast.Expr) bool {
	_, ok := e.(*ast.BasicLit)
	return ok
}

func builder(fun ast.Expr) string {
	name := ""
	switch f := fun.(type) {
	case *ast.Ident:
		name = f.Name
	case *ast.SelectorExpr:
		name = f.Sel.Name
	}
	if slices.Contains(builders, name) {
		return name
	}
	return ""
}

// shells read an argument as a program.
var shells = []string{"bash", "sh", "eval", "env", "xargs", "exec", "source", "."}

func unsafeArguments(builder string, args []ast.Expr, report func(ast.Node, string)) {
	if len(args) == 0 {
		return
	}
	if lit, ok := args[0].(*ast.BasicLit); ok && slices.Contains(shells, strings.Trim(lit.Value, "`\"")) &&
		(builder == "Do" || builder == "And") {
		report(args[0], "a shell")
	}
	if call, ok := args[0].(*ast.CallExpr); ok && (builder == "Say" || builder == "Note") && !is(call.Fun, "Words") {
		report(args[0], "words that are computed")
	}
}

// TestNoMendByHand walks the source: text becomes a command by quoting, in mend.go, and nowhere else.
func TestNoMendByHand(t *testing.T) {
	for path, file := range sources(t) {
		if knowsMends(path, file.tree) && path != "provision/diagnose/cause/mend.go" {
			for _, what := range unsafeMends(file.tree) {
				t.Errorf("%s: %s", path, what)
			}
		}
	}
	for _, sample := range []string{
		`Mend{written: "rm " + x}`, `Mend{"rm " + x, false}`, `m.written + x`, `Say(Words(x))`,
		`cause.Say(cause.Words("a" + x))`,
		`cause.Do("bash", "-c", x)`, `Do("true").And("sh", "-c", x)`,
		`cause.Say(fmt.Sprintf("x", y))`, `d.Mend.UnmarshalText(x)`,
	} {
		file, err := parser.ParseFile(token.NewFileSet(), "x.go", "package x\nvar _ = "+sample, 0)
		if err != nil {
			t.Fatal(err)
		}
		if len(unsafeMends(file)) == 0 {
			t.Errorf("%s is not found", sample)
		}
	}
}

// knowsMends reports whether a file is of the package that makes mends, or imports it.
func knowsMends(path string, file *ast.File) bool {
	return strings.HasPrefix(path, "provision/diagnose/") ||
		slices.ContainsFunc(file.Imports, func(i *ast.ImportSpec) bool {
			return i.Path.Value == `"wsprovision/provision/diagnose/cause"`
		})
}
