package provision

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// namespaced are the tests that mount anything, and what keeps that from the machine: it is done after MS_PRIVATE, in a
// mount namespace that ends with the test. Whoever removes the tree is outside of that namespace and never sees it.
var namespaced = map[string]string{
	"systemd/place_test.go":                  "playInit runs under CLONE_NEWNS, see detectAsChild",
	"systemd/bare_test.go":                   "playOffline runs under CLONE_NEWNS, see TestOfflineReachesNoBus",
	"cmd/wsprovision/testdata/enter/main.go": "it refuses the mount namespace of whoever called, see ownNamespace",
	"packaging/diagnosis/room_test.go":       "it refuses to be any process but the first of namespaces of its own",
	"provision/host/writable_test.go":        "it remounts what hosttest.Tmpfs has mounted for the test's thread alone",
	"provision/fleet/syslog_test.go":         "logThere runs under CLONE_NEWNS, see TestSyslog",
	"provision/hosttest/tmpfs.go":            "in a namespace of the test's thread, below the temporary directory",
}

// mounting are the calls and programs that put something of the machine's where a test removes it, or take the
// machine's away.
var mounting = []string{"Mount", "Unmount", "MountSetattr", "MoveMount", "OpenTree", "PivotRoot", "Swapon", "Reboot",
	"\"mount\"", "\"umount\"", "\"losetup\""}

// TestNoTestMountsOnTheMachine: a test that binds the machine's own directory below one that is removed afterwards, and
// whose unmount fails, empties the machine's. Tests mount file systems of their own in its place (hosttest.Tmpfs,
// cmd/wsprovision/testdata/enter).
func TestNoTestMountsOnTheMachine(t *testing.T) {
	used := map[string]bool{}
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".go") || !strings.HasSuffix(path, "_test.go") &&
			!strings.Contains(path, "/testdata/") && !strings.Contains(path, "/hosttest/") ||
			strings.HasPrefix(path, "../packaging/acceptance/") { // whose machine is another one
			return err
		}
		tree, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		ast.Inspect(tree, func(n ast.Node) bool {
			if call, ok := n.(*ast.CallExpr); ok && slices.Contains(mounting, called(call)) {
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
			t.Errorf("%s mounts something: use hosttest.Tmpfs, or a mount namespace of its own", path)
		}
	}
	for path := range namespaced {
		if !used[path] {
			t.Errorf("%s mounts nothing any more: take it out of the list", path)
		}
	}
}

// called is a function's name, or the program that exec.Command is given.
func called(call *ast.CallExpr) string {
	s, ok := call.Fun.(*ast.SelectorExpr)
	if !ok {
		return ""
	}
	for _, arg := range call.Args {
		if program, ok := arg.(*ast.BasicLit); ok && strings.HasPrefix(s.Sel.Name, "Command") {
			return program.Value
		}
	}
	return s.Sel.Name
}
