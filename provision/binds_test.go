package provision

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
)

// namespaced are the tests that bind a directory of the machine's into a tree, and what keeps them from the machine:
// the bind is made by a child, after MS_PRIVATE, in a mount namespace that ends with it. Whoever removes the tree is
// outside of that namespace and never sees the bind.
var namespaced = map[string]string{
	"systemd/place_test.go": "playInit runs under CLONE_NEWNS, see detectAsChild",
	"systemd/bare_test.go":  "playOffline runs under CLONE_NEWNS, see TestOfflineReachesNoBus",
}

// TestNoTestBindsTheMachine: a test that binds the machine's own directory below one that is removed afterwards, and
// whose unmount fails, empties the machine's. Tests mount file systems of their own in its place
// (cmd/wsprovision/testdata/enter).
func TestNoTestBindsTheMachine(t *testing.T) {
	used := map[string]bool{}
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".go") || !strings.HasSuffix(path, "_test.go") &&
			!strings.Contains(path, "/testdata/") {
			return err
		}
		tree, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		ast.Inspect(tree, func(n ast.Node) bool {
			if s, ok := n.(*ast.SelectorExpr); ok && s.Sel.Name == "MS_BIND" {
				used[strings.TrimPrefix(filepath.ToSlash(path), "../")] = true
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for path := range used {
		if namespaced[path] == "" {
			t.Errorf("%s binds a directory of the machine's: mount a tmpfs with what is needed, in a mount namespace "+
				"of its own", path)
		}
	}
	for path := range namespaced {
		if !used[path] {
			t.Errorf("%s binds nothing any more: take it out of the list", path)
		}
	}
}
