package provision

import (
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// mutating are the calls that can change a host, by package.
var mutating = map[string][]string{
	"os": {"Create", "OpenFile", "WriteFile", "Rename", "Remove", "RemoveAll", "Mkdir", "MkdirAll", "MkdirTemp",
		"CreateTemp", "Chmod", "Chown", "Lchown",
		"Chtimes", "Link", "Symlink", "Truncate", "StartProcess", "CopyFS"},
	"exec": {"Command", "CommandContext"},
	"syscall": {"Open", "Creat", "Rename", "Renameat", "Unlink", "Unlinkat", "Mkdir", "Mkdirat", "Rmdir", "Chmod",
		"Fchmod", "Chown", "Fchown", "Lchown", "Link", "Symlink",
		"Truncate", "Ftruncate", "Mount", "Unmount", "Unshare", "Chroot", "Setxattr", "Removexattr", "Kill", "Exec",
		"ForkExec", "StartProcess", "Flock", "Mknod", "Utimes", "Reboot"},
	"unix": {"Open", "Openat", "Creat", "Rename", "Renameat", "Renameat2", "Unlink", "Unlinkat", "Mkdir", "Mkdirat",
		"Mkfifo", "Rmdir", "Chmod", "Fchmod", "Fchmodat", "Chown", "Fchown",
		"Lchown", "Fchownat", "Link", "Linkat", "Symlink", "Symlinkat", "Truncate", "Ftruncate", "Mount", "Unmount",
		"Unshare", "Setns", "Chroot", "PivotRoot", "Setxattr", "Lsetxattr",
		"Fsetxattr", "Removexattr", "Lremovexattr", "Kill", "Tgkill", "Exec", "Mknod", "Mknodat", "Utimes", "Reboot",
		"IoctlSetInt", "Write", "Pwrite", "Fallocate", "Prlimit", "Setrlimit"},
	"selinux": {"SetFileLabel", "LsetFileLabel", "SetEnforceMode", "Chcon", "SetExecLabel", "SetFSCreateLabel"},
	"label": {"SetFileLabel", "LsetFileLabel", "SetEnforceMode", "Chcon", "SetExecLabel", "SetFSCreateLabel",
		"Relabel"},
}

// mutators are the files that may hold such calls, each with the reason. Everything else goes through the Seam: files
// through Files (file.go), programs through Runner (run.go), units through the mutate function that systemd was given.
var mutators = map[string]string{
	"provision/host/file.go": "the atomic writer; every mutation stands inside Seam.Do, by TestSeamHolds",
	"provision/host/run.go": "the runner; Change stands inside Seam.Do, by TestSeamHolds, and Read refuses what does " +
		"not only read",
	"provision/host/limits.go":   "the limit of a process that runs; SetOpenFiles calls it inside Seam.Do",
	"provision/host/lock.go":     "the lock's file under /run, and flock: it dies with the process",
	"provision/nginx/isolate.go": "a mount namespace of nginx -t's own, which ends with its thread",
	"provision/nginx/pipe.go": "a pipe in a log's place is opened for writing, to learn whether anybody reads it; " +
		"nothing is written",
	"provision/nginx/cover.go": "files in tmpfs within that namespace",
	"provision/host/offline.go": "selinuxfs taken out of a mount namespace of semanage's own, which ends with its " +
		"thread",
	"cmd/wsprovision/seam_crash.go":      "the test build (tag crash), which kills itself at a point and never ships",
	"selinux/label.go":                   "the label of a staged file; Files calls it inside Seam.Do",
	"cmd/wsprovision/outfile/outfile.go": "a file that the command line names, a plan or an archive, inside Seam.Do",
	"selinux/access.go":                  "a question to the kernel through selinuxfs, which changes nothing",
}

// readOnly opens pass: os.OpenFile and unix.Open with O_RDONLY and nothing that creates.
func readOnly(call *ast.CallExpr) bool {
	if len(call.Args) < 2 {
		return false
	}
	ok, saw := true, false
	ast.Inspect(call.Args[1], func(n ast.Node) bool {
		if s, isSel := n.(*ast.SelectorExpr); isSel {
			saw = saw || s.Sel.Name == "O_RDONLY"
			ok = ok && !slices.Contains([]string{"O_WRONLY", "O_RDWR", "O_CREATE", "O_CREAT", "O_TRUNC", "O_APPEND"},
				s.Sel.Name)
		}
		return true
	})
	return ok && saw
}

// TestSeam keeps every mutation of a host in the few files that are meant to hold them.
func TestSeam(t *testing.T) {
	used := map[string]bool{}
	for path, file := range sources(t) {
		imports := map[string]string{} // local name: last element of the path
		for _, i := range file.tree.Imports {
			p, _ := strconv.Unquote(i.Path.Value)
			if p == "io/ioutil" {
				t.Errorf("%s imports io/ioutil: its functions moved to os and io", path)
			}
			base := p[strings.LastIndexByte(p, '/')+1:]
			name := base
			if i.Name != nil {
				name = i.Name.Name
			}
			if base == "go-selinux" {
				base = "selinux"
			}
			if p == "wsprovision/selinux" {
				continue // our own; its one mutation is listed
			}
			imports[name] = base
		}
		ast.Inspect(file.tree, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			sel, ok := call.Fun.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			pkg, ok := sel.X.(*ast.Ident)
			if !ok || !slices.Contains(mutating[imports[pkg.Name]], sel.Sel.Name) ||
				strings.HasPrefix(sel.Sel.Name, "Open") && readOnly(call) {
				return true
			}
			if mutators[path] != "" {
				used[path] = true
				return true
			}
			t.Errorf("%s: %s.%s changes the host outside the seam: write through Files (provision/host/file.go), run "+
				"through Runner (provision/host/run.go); if it truly must stand here, name the file in mutators with "+
				"its reason",
				file.set.Position(call.Pos()), pkg.Name, sel.Sel.Name)
			return true
		})
	}
	for path := range mutators {
		if _, err := os.Stat("../" + path); err == nil && !used[path] {
			t.Errorf("%s changes nothing any more: take it out of mutators", path)
		} else if err != nil {
			t.Errorf("%s is listed in mutators and not there", path)
		}
	}
}

// shipped are the directories of what is built into the package.
var shipped = []string{"cmd", "firewalld", "provision", "rpm", "selinux", "systemd"}

type source struct {
	set  *token.FileSet
	tree *ast.File
}

// sources are the non-test files of the module's packages, by path from its root.
func sources(t *testing.T) map[string]source {
	t.Helper()
	all := map[string]source{}
	for _, dir := range shipped {
		err := filepath.WalkDir("../"+dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") ||
				strings.Contains(path, "/testdata/") || strings.Contains(path, "test/") {
				return err
			}
			set := token.NewFileSet()
			tree, err := parser.ParseFile(set, path, nil, parser.SkipObjectResolution)
			all[strings.TrimPrefix(filepath.ToSlash(path), "../")] = source{set, tree}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if len(all) < 50 {
		t.Fatalf("%d source files: they are looked for in the wrong place", len(all))
	}
	return all
}

// throughValues are the calls that can change a host by way of a value, by its type; a field is a function that does.
var throughValues = map[string][]string{
	"*os.File":                          {"Chown", "Chmod", "Truncate", "Write", "WriteAt", "WriteString", "ReadFrom"},
	"*os/exec.Cmd":                      {"Run", "Start", "Output", "CombinedOutput"},
	"*wsprovision/provision/host.Files": {"SetLabel"},
}

// The read path of the runner goes past the seam: it refuses a program that does not only read.
const (
	readPath = "(*wsprovision/provision/host.Runner).Read"
	itsRun   = "(*wsprovision/provision/host.Runner).run"
)

// place is where something is called or named: in which function, and whether in a literal that Seam.Do is given.
type place struct {
	at     token.Position
	in     string // "" is the declaration of a variable
	inside bool
}

// TestSeamHolds: what file.go and run.go change they change in a literal that is given to Seam.Do, or in a method that
// is named nowhere but in such literals, and in such methods.
func TestSeamHolds(t *testing.T) {
	p := typed(t)["wsprovision/provision/host"]
	var mutations []place
	named := map[string][]place{}
	for _, file := range p.files {
		name := filepath.Base(p.set.Position(file.Pos()).Filename)
		p.walk(file, func(n ast.Node, here place) {
			switch n := n.(type) {
			case *ast.Ident:
				if f, ok := p.info.Uses[n].(*types.Func); ok && f.Pkg() == p.pkg {
					named[f.FullName()] = append(named[f.FullName()], here)
				}
			case *ast.CallExpr:
				if (name == "file.go" || name == "run.go") && p.mutates(n) {
					mutations = append(mutations, here)
				}
			}
		})
	}
	if len(mutations) < 10 {
		t.Errorf("%d calls that change the host: they are looked for in the wrong place", len(mutations))
	}
	open := map[string]bool{"": true} // functions that something outside of such literals may call
	for before := 0; before < len(open); {
		before = len(open)
		for _, d := range p.info.Defs {
			f, ok := d.(*types.Func)
			if ok && (f.Exported() || slices.ContainsFunc(named[f.FullName()], func(n place) bool {
				return !n.inside && open[n.in] && !(n.in == readPath && f.FullName() == itsRun)
			})) {
				open[f.FullName()] = true
			}
		}
	}
	for _, m := range mutations {
		if !m.inside && open[m.in] {
			t.Errorf("%s: the host is changed outside the seam: put the call into a literal that Seam.Do is given, "+
				"or into a method that is called from such literals alone", m.at)
		}
	}
}

// mutates reports whether the call can change the host.
func (p typedPackage) mutates(call *ast.CallExpr) bool {
	sel, ok := call.Fun.(*ast.SelectorExpr)
	if !ok {
		return false
	}
	if s := p.info.Selections[sel]; s != nil {
		return slices.Contains(throughValues[types.TypeString(s.Recv(), nil)], sel.Sel.Name)
	}
	f := p.info.Uses[sel.Sel]
	return f != nil && f.Pkg() != nil && slices.Contains(mutating[f.Pkg().Name()], f.Name()) &&
		!(strings.HasPrefix(f.Name(), "Open") && readOnly(call))
}

// TestNoPackageState: no init, and no package-level variable that is assigned to by a function.
func TestNoPackageState(t *testing.T) {
	for _, p := range typed(t) {
		for _, file := range p.files {
			p.walk(file, func(n ast.Node, here place) {
				var left []ast.Expr
				switch n := n.(type) {
				case *ast.AssignStmt:
					left = n.Lhs
				case *ast.IncDecStmt:
					left = []ast.Expr{n.X}
				}
				for _, e := range left {
					if v, ok := p.info.Uses[p.root(e)].(*types.Var); ok && v.Pkg() != nil &&
						v.Parent() == v.Pkg().Scope() {
						t.Errorf("%s: %s is a package's variable, and assigned to: make it a field of what is "+
							"wired in main", here.at, v.Name())
					}
				}
			})
		}
	}
	for path, file := range sources(t) {
		for _, d := range file.tree.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil && f.Name.Name == "init" {
				t.Errorf("%s: an init function: what a package needs is wired in main", path)
			}
		}
	}
}
