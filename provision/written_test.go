package provision

import (
	"go/ast"
	"go/types"
	"slices"
	"strings"
	"testing"
)

// TestDurationsAreWrittenForPeople: nothing that the agent shows has a duration as Go writes it, which is 8h0m0s.
func TestDurationsAreWrittenForPeople(t *testing.T) {
	all := typed(t)
	for _, p := range all {
		for _, call := range rawDurations(p) {
			at := p.set.Position(call.Pos())
			t.Errorf("%s:%d: a duration as Go writes it: plaintext.Duration is for people", at.Filename, at.Line)
		}
	}
	if len(all) < 20 {
		t.Errorf("%d packages were looked at", len(all))
	}
}

// formats reports whether the function takes values of any type to write them, as those of fmt do.
func formats(of types.Object) bool {
	if of == nil {
		return false
	}
	signature, ok := of.Type().(*types.Signature)
	if !ok || !signature.Variadic() {
		return false
	}
	last, ok := signature.Params().At(signature.Params().Len() - 1).Type().(*types.Slice)
	return ok && types.IsInterface(last.Elem()) && !isParameter(last.Elem())
}

// isParameter: what is generic, such as cmp.Or, writes nothing.
func isParameter(of types.Type) bool {
	_, is := of.(*types.TypeParam)
	return is
}

// writtenByGo are the files that have a duration in Go's own words, each for a reason.
var writtenByGo = []string{
	"provision/plaintext/duration.go", // makes them those of people
	"provision/config/explain.go",     // finds what Go has written
}

// rawDurations are the calls of fmt that are given a duration, and those of a duration's String.
func rawDurations(p typedPackage) (calls []*ast.CallExpr) {
	isDuration := func(e ast.Expr) bool {
		of := p.info.TypeOf(e)
		return of != nil && of.String() == "time.Duration"
	}
	for _, f := range p.files {
		if slices.ContainsFunc(writtenByGo, func(name string) bool {
			return strings.HasSuffix(p.set.Position(f.Pos()).Filename, "/"+name)
		}) {
			continue
		}
		ast.Inspect(f, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			of, ok := call.Fun.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			used := p.info.Uses[of.Sel]
			if formats(used) && slices.ContainsFunc(call.Args, isDuration) ||
				of.Sel.Name == "String" && isDuration(of.X) {
				calls = append(calls, call)
			}
			return true
		})
	}
	return calls
}
