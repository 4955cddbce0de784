package plaintext_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// listed is what go list tells of a package.
type listed struct {
	ImportPath, Dir, Export string
	GoFiles                 []string
	Module                  *struct{ Main bool }
}

func listPackages(t *testing.T) (all []listed) {
	t.Helper()
	cmd := exec.Command("go", "list", "-export", "-deps", "-json=ImportPath,Dir,Export,GoFiles,Module", "../../cmd/...")
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listed
		switch err := d.Decode(&p); {
		case errors.Is(err, io.EOF):
			return all
		case err != nil:
			t.Fatal(err)
		}
		all = append(all, p)
	}
}

// TestDurationsAreWrittenForPeople: nothing that the agent shows has a duration as Go writes it, which is 8h0m0s.
func TestDurationsAreWrittenForPeople(t *testing.T) {
	all := listPackages(t)
	exports := map[string]string{}
	for _, p := range all {
		exports[p.ImportPath] = p.Export
	}
	files := token.NewFileSet()
	imports := importer.ForCompiler(files, "gc", func(path string) (io.ReadCloser, error) {
		return os.Open(exports[path])
	})
	looked := 0
	for _, p := range all {
		if p.Module == nil || !p.Module.Main {
			continue
		}
		looked++
		for _, call := range rawDurations(t, files, imports, p) {
			at := files.Position(call.Pos())
			t.Errorf("%s:%d: a duration as Go writes it: plaintext.Duration is for people", at.Filename, at.Line)
		}
	}
	if looked < 20 {
		t.Errorf("%d packages were looked at", looked)
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
func rawDurations(t *testing.T, files *token.FileSet, imports types.Importer, p listed) (calls []*ast.CallExpr) {
	t.Helper()
	info := &types.Info{Types: map[ast.Expr]types.TypeAndValue{}, Uses: map[*ast.Ident]types.Object{}}
	var parsed []*ast.File
	for _, name := range p.GoFiles {
		f, err := parser.ParseFile(files, filepath.Join(p.Dir, name), nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		parsed = append(parsed, f)
	}
	if _, err := (&types.Config{Importer: imports}).Check(p.ImportPath, files, parsed, info); err != nil {
		t.Fatal(err)
	}
	isDuration := func(e ast.Expr) bool {
		of := info.TypeOf(e)
		return of != nil && of.String() == "time.Duration"
	}
	for _, f := range parsed {
		if slices.ContainsFunc(writtenByGo, func(name string) bool {
			return strings.HasSuffix(files.Position(f.Pos()).Filename, "/"+name)
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
			used := info.Uses[of.Sel]
			if formats(used) && slices.ContainsFunc(call.Args, isDuration) ||
				of.Sel.Name == "String" && isDuration(of.X) {
				calls = append(calls, call)
			}
			return true
		})
	}
	return calls
}
