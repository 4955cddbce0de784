package provision

import (
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

// typedPackage is a package of ours with the types of what it says.
type typedPackage struct {
	set   *token.FileSet
	files []*ast.File
	pkg   *types.Package
	info  *types.Info
}

// typed are the packages that are shipped, by import path.
func typed(t *testing.T) map[string]typedPackage {
	t.Helper()
	cmd := exec.Command("go", "list", "-export", "-deps", "-json=ImportPath,Dir,GoFiles,Export")
	for _, dir := range shipped {
		cmd.Args = append(cmd.Args, "wsprovision/"+dir+"/...")
	}
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0") // what go vet has built already
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v", cmd, err)
	}
	exports, ours := map[string]string{}, map[string][]string{}
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p struct {
			ImportPath, Dir, Export string
			GoFiles                 []string
		}
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		exports[p.ImportPath] = p.Export
		if strings.HasPrefix(p.ImportPath, "wsprovision/") {
			for _, name := range p.GoFiles {
				ours[p.ImportPath] = append(ours[p.ImportPath], filepath.Join(p.Dir, name))
			}
		}
	}
	all := map[string]typedPackage{}
	for path, names := range ours {
		p := typedPackage{set: token.NewFileSet(),
			info: &types.Info{Types: map[ast.Expr]types.TypeAndValue{}, Defs: map[*ast.Ident]types.Object{},
				Uses: map[*ast.Ident]types.Object{}, Selections: map[*ast.SelectorExpr]*types.Selection{}}}
		for _, name := range names {
			tree, err := parser.ParseFile(p.set, name, nil, parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			p.files = append(p.files, tree)
		}
		from := func(path string) (io.ReadCloser, error) { return os.Open(exports[path]) }
		conf := types.Config{Importer: importer.ForCompiler(p.set, "gc", from)}
		if p.pkg, err = conf.Check(path, p.set, p.files, p.info); err != nil {
			t.Fatal(err)
		}
		all[path] = p
	}
	return all
}

// walk visits every node with its place.
func (p typedPackage) walk(file *ast.File, visit func(ast.Node, place)) {
	for _, d := range file.Decls {
		here := place{}
		if f, ok := d.(*ast.FuncDecl); ok {
			here.in = p.info.Defs[f.Name].(*types.Func).FullName()
		}
		given := map[ast.Node]bool{} // to Seam.Do
		var within []ast.Node
		ast.Inspect(d, func(n ast.Node) bool {
			if n == nil {
				within = within[:len(within)-1]
				return true
			}
			within = append(within, n)
			if call, ok := n.(*ast.CallExpr); ok && p.isDo(call) {
				for _, a := range call.Args {
					given[a] = true
				}
			}
			here.at = p.set.Position(n.Pos())
			here.inside = slices.ContainsFunc(within, func(n ast.Node) bool {
				_, literal := n.(*ast.FuncLit)
				return literal && given[n]
			})
			visit(n, here)
			return true
		})
	}
}

func (p typedPackage) isDo(call *ast.CallExpr) bool {
	sel, ok := call.Fun.(*ast.SelectorExpr)
	if !ok {
		return false
	}
	f, ok := p.info.Uses[sel.Sel].(*types.Func)
	return ok && f.FullName() == "(*wsprovision/provision/host.Seam).Do"
}

// root is the variable that an assignment to the expression changes; nil where that is not told by it.
func (p typedPackage) root(e ast.Expr) *ast.Ident {
	switch e := e.(type) {
	case *ast.Ident:
		return e
	case *ast.SelectorExpr:
		if p.info.Selections[e] == nil { // another package's
			return e.Sel
		}
		return p.root(e.X)
	case *ast.IndexExpr:
		return p.root(e.X)
	case *ast.StarExpr:
		return p.root(e.X)
	case *ast.ParenExpr:
		return p.root(e.X)
	}
	return nil
}
