package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// house is what was counted. Keys are packages, files and types by their path below the root.
type house struct {
	lines   map[string]int // of shipped packages: what is not below packaging, and no test
	files   map[string]int // their lines
	methods map[string]int // of types
	fields  map[string]int // of structs
	funcs   map[string]int // lines of functions
	imports map[string]map[string]bool
	bare    map[string]bool // packages without a comment
	shipped int
	tests   int
	long    int // lines of more than 120 characters, a tab being four
	where   string
}

const module = "wsprovision/"

func survey(root string) (*house, error) {
	h := &house{map[string]int{}, map[string]int{}, map[string]int{}, map[string]int{}, map[string]int{},
		map[string]map[string]bool{}, map[string]bool{}, 0, 0, 0, ""}
	return h, filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch name := d.Name(); {
		case err != nil:
			return err
		case d.IsDir() && (name == "testdata" || name == "vendor" || name == "dist" || path != root && name[0] == '.'):
			return filepath.SkipDir
		case !d.IsDir() && strings.HasSuffix(name, ".go"):
			return h.file(path)
		}
		return nil
	})
}

func (h *house) file(path string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	count := strings.Count(string(text), "\n")
	for line := range strings.Lines(string(text)) {
		if len([]rune(strings.ReplaceAll(strings.TrimSuffix(line, "\n"), "\t", "    "))) > 120 {
			h.long, h.where = h.long+1, path
		}
	}
	switch {
	case strings.HasSuffix(path, "_test.go"):
		h.tests += count
		return nil
	case strings.HasPrefix(path, "packaging"):
		return nil
	}
	h.shipped += count
	h.files[path] = count
	h.lines[filepath.Dir(path)] += count
	set := token.NewFileSet()
	file, err := parser.ParseFile(set, path, text, parser.ParseComments)
	if err != nil {
		return fmt.Errorf("parse: %w", err)
	}
	h.read(set, filepath.Dir(path), file)
	return nil
}

func (h *house) read(set *token.FileSet, pkg string, file *ast.File) {
	if _, seen := h.bare[pkg]; !seen || file.Doc != nil {
		h.bare[pkg] = file.Doc == nil
	}
	if h.imports[pkg] == nil {
		h.imports[pkg] = map[string]bool{}
	}
	for _, i := range file.Imports {
		if p, _ := strconv.Unquote(i.Path.Value); strings.HasPrefix(p, module) {
			h.imports[pkg][strings.TrimPrefix(p, module)] = true
		}
	}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			h.funcs[pkg+"."+n.Name.Name] = set.Position(n.End()).Line - set.Position(n.Pos()).Line + 1
			if n.Recv != nil {
				h.methods[pkg+"."+receiver(n.Recv.List[0].Type)]++
			}
		case *ast.TypeSpec:
			if s, ok := n.Type.(*ast.StructType); ok {
				h.fields[pkg+"."+n.Name.Name] = s.Fields.NumFields()
			}
		}
		return true
	})
}

func receiver(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.StarExpr:
		return receiver(e.X)
	case *ast.IndexExpr:
		return receiver(e.X)
	case *ast.Ident:
		return e.Name
	}
	return "?"
}
