package provision

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// hostile are values that would do something, were they not quoted.
var hostile = []string{
	"", " ", "a b", "'", `"`, `'"'"'`, "$(touch x)", "${IFS}", "`touch x`", "; touch x", "&& touch x", "| sh", "> x",
	"< /etc/passwd", "a\nb", "a\tb", "\\", `\'`, "#x", "~", "~root",
	"*", "?", "[a]", "{a,b}", "!!", "!$", "-rf", "--", "=x", "A=b", "$'\\x41'", "$x", "%s%n", "\x1b[2J", "\x7f",
	"\u009b31m", "\u202e", "\xff\xfe", "世界", "\u00a0", "a\rb", "'\n'", "\x01'",
}

// bashArguments are what bash hands to a program that stands in the place of the command's.
func bashArguments(t *testing.T, line string) []string {
	t.Helper()
	cmd := exec.Command("bash", "--norc", "-c", "probe() { printf '%s\\0' \"$@\"; }\n"+line)
	cmd.Env, cmd.Dir = []string{"LC_ALL=C", "PATH=/nowhere"}, t.TempDir()
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%q: %v\n%s", line, err, out)
	}
	return strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00")
}

// TestHostileMend: bash itself reads what was made of values that are meant to be commands.
func TestHostileMend(t *testing.T) {
	got := bashArguments(t, do(append([]string{"probe"}, hostile...)...).String())
	if !slices.Equal(got, hostile) {
		t.Errorf("bash has %q, want %q", got, hostile)
	}
	for _, value := range hostile {
		got := bashArguments(t, do("probe", value).and("probe", "x"+value).note("not ").name(value).String())
		if want := []string{value, "x" + value}; !slices.Equal(got, want) {
			t.Errorf("bash has %q, want %q", got, want)
		}
		// Words are not for bash, and yet whoever pastes them runs nothing but the first of them.
		got = bashArguments(t, say("probe put it into ").name(value).say(" and ").line(value, 7).String())
		if want := []string{"put", "it", "into", value, "and", value + ":7"}; !slices.Equal(got, want) {
			t.Errorf("bash has %q, want %q", got, want)
		}
	}
}

func TestMendIntoAFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a $(b) 'c'")
	if out, err := exec.Command("bash", "-c",
		do("printf", `%s\n`, "$(x)").into(file).String()).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if text, err := os.ReadFile(file); err != nil || string(text) != "$(x)\n" {
		t.Errorf("%q, %v", text, err)
	}
}

func TestMendThatCannotBe(t *testing.T) {
	if m := do("ls", "a\x00b").and("ls", "x"); !m.IsZero() {
		t.Errorf("an argument with a NUL: %q", m)
	}
	if m := say("at ").name("[::1]:80"); m.String() != "at [::1]:80" {
		t.Errorf("%q", m)
	}
	if m := say("at ").name("[fe80::1%$(x)]:80"); m.String() != "at '[fe80::1%$(x)]:80'" {
		t.Errorf("a zone: %q", m)
	}
}

func TestMendInJSON(t *testing.T) {
	d := Diagnosis{Code: DiskFull, Cause: "x"}
	if text, err := json.Marshal(d); err != nil || string(text) != `{"code":"disk-full","cause":"x"}` {
		t.Errorf("%s, %v", text, err)
	}
	d.Mend = do("df", "-h")
	text, err := json.Marshal(d)
	var back Diagnosis
	if err != nil || json.Unmarshal(text, &back) != nil || back.Mend.String() != "df -h" ||
		!strings.Contains(string(text), `"mend":"df -h"`) {
		t.Errorf("%s, %v", text, err)
	}
}

// builders make a Mend, and what they are given.
var builders = []string{"do", "and", "say", "note", "name", "into"}

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
			if is(n.Fun, "words") && !isLiteral(n.Args[0]) {
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
	i, ok := e.(*ast.Ident)
	return ok && i.Name == name
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
		(builder == "do" || builder == "and") {
		report(args[0], "a shell")
	}
	if call, ok := args[0].(*ast.CallExpr); ok && (builder == "say" || builder == "note") && !is(call.Fun, "words") {
		report(args[0], "words that are computed")
	}
}

// TestNoMendByHand walks the source: text becomes a command by quoting, in mend.go, and nowhere else.
func TestNoMendByHand(t *testing.T) {
	for path, file := range sources(t) {
		if strings.HasPrefix(path, "provision/") && strings.Count(path, "/") == 1 && path != "provision/mend.go" {
			for _, what := range unsafeMends(file.tree) {
				t.Errorf("%s: %s", path, what)
			}
		}
	}
	for _, sample := range []string{
		`Mend{written: "rm " + x}`, `Mend{"rm " + x, false}`, `m.written + x`, `say(words(x))`, `say(words("a" + x))`,
		`do("bash", "-c", x)`, `do("true").and("sh", "-c", x)`,
		`say(fmt.Sprintf("x", y))`, `d.Mend.UnmarshalText(x)`,
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
