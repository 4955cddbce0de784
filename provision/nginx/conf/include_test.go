package conf

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"wsprovision/provision/nginx/glob"
	"wsprovision/provision/nginx/nginxtest"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// litter are names that patterns go wrong on.
var litter = []string{
	"a.conf", "b.conf", "A.conf", "z", "]", "-", "[a]", "!", "^", `b\`, "{a,b}.conf", ".hidden.conf", "0.conf", "é",
	"~", "a b",
	"[", "sub/x.conf", "sub/.y.conf", "other/x.conf", "[:a]",
}

func litterIn(t testing.TB, dir string) {
	t.Helper()
	for _, name := range litter {
		path := filepath.Join(dir, name)
		made := os.MkdirAll(filepath.Dir(path), 0o755)
		if err := errors.Join(made, os.WriteFile(path, []byte("# x\n"), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
}

var globCases = []struct {
	pattern string
	want    []string
}{
	{"*.conf", []string{"0.conf", "A.conf", "a.conf", "b.conf", "{a,b}.conf"}},
	{"[[:alpha:]].conf", []string{"A.conf", "a.conf", "b.conf"}},
	{"[[:upper:][:digit:]].conf", []string{"0.conf", "A.conf"}},
	{"[![:alpha:]].conf", []string{"0.conf"}},
	{"[]az]", []string{"]", "z"}},
	{"[]z]*", []string{"]", "z"}},
	{"[!]-]", []string{"!", "[", "^", "z", "~"}},
	{"[z-]", []string{"-", "z"}},
	{"[-z]", []string{"-", "z"}},
	{"[^a-z]", []string{"!", "-", "[", "]", "^", "~"}},
	{"[z!]", []string{"!", "z"}},
	{`\[a\]?`, nil},
	{`[[]a[]]`, []string{"[a]"}},
	{`b[\\]`, []string{`b\`}},
	{`[\]z]`, []string{"]", "z"}},
	{"{a,b}*", []string{"{a,b}.conf"}},
	{".*conf", []string{".hidden.conf"}},
	{"[.]*conf", nil},
	{`\.h*`, []string{".hidden.conf"}},
	{"?hidden.conf", nil},
	{"*/x.conf", []string{"other/x.conf", "sub/x.conf"}},
	{"sub/../s[u]b/*", []string{"sub/../sub/x.conf"}},
	{"none/*", nil},
	{"[a]*/x.conf", nil},
	{`s\ub/*`, []string{"sub/x.conf"}},
	{"??", []string{`b\`, "é"}}, // bytes, in the C locale
	{"*[*", []string{"[", "[:a]", "[a]"}},
}

// TestHostileGlobs: a neighbour's include is read as nginx reads it, or not understood, which is said.
func TestHostileGlobs(t *testing.T) {
	nginxtest.NeedNginx(t, false)
	for _, test := range globCases {
		h := nginxtest.NewHost(t, nil)
		litterIn(t, h.Path("g"))
		h.Write("nginx.conf", h.Main(`include "`+h.Dir+"/g/"+strings.ReplaceAll(test.pattern, `\`, `\\`)+`";`))
		tree, err := Load("", h.Conf(), nil)
		if test.pattern == "*[*" {
			if p := (*glob.PatternError)(nil); !errors.As(err, &p) || p.Line == 0 || p.File != h.Conf() {
				t.Errorf("%s: %v", test.pattern, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", test.pattern, err)
		}
		read, stderr, status := h.Dump()
		if status != 0 {
			t.Errorf("%s: nginx -T: %d %s", test.pattern, status, stderr)
		}
		var ours, nginxs []string
		for _, name := range files(tree) {
			if rest, ok := strings.CutPrefix(name, h.Path("g")+"/"); ok {
				ours = append(ours, rest)
			}
		}
		for name := range read {
			if rest, ok := strings.CutPrefix(name, h.Path("g")+"/"); ok {
				nginxs = append(nginxs, rest)
			}
		}
		slices.Sort(nginxs)
		if diff := cmp.Diff([][]string{test.want, test.want}, [][]string{ours, nginxs}); diff != "" {
			t.Errorf("%s: want, want; ours, nginx's: %s", test.pattern, diff)
		}
	}
}

func TestPatternsThatAreNotUnderstood(t *testing.T) {
	for _, pattern := range []string{"[a*", "[a/b]*", "[]*", "[[:alpha]*", "[[:word:]]", "[[.hyphen.]]", "[[=a=]]",
		"[z-a]*", `*\`,
		`[a\`, "[[:alpha:]-z]", "[a-[:digit:]]"} {
		text := "http {\ninclude \"" + strings.ReplaceAll(pattern, `\`, `\\`) + "\"; }"
		tree, err := Load(t.TempDir(), conf, map[string][]byte{conf: []byte(text)})
		var p *glob.PatternError
		if !errors.As(err, &p) || p.File != conf || p.Line != 2 || p.Pattern != pattern || p.Why == "" {
			t.Errorf("%s: %v, %v", pattern, err, files(tree))
		}
	}
}

const globProgram = `
#include <glob.h>
#include <stdio.h>
#include <string.h>
int main(void) {
	static char line[65536];
	while (fgets(line, sizeof line, stdin)) {
		glob_t g;
		line[strcspn(line, "\n")] = 0;
		if (glob(line, 0, NULL, &g) == 0)
			for (size_t i = 0; i < g.gl_pathc; i++) printf("%s\001", g.gl_pathv[i]);
		printf("\n");
	}
	return 0;
}
`

// TestGlobIsTheLibrarys compares with the machine's own C library.
func TestGlobIsTheLibrarys(t *testing.T) {
	compiler, err := exec.LookPath("gcc")
	if err != nil {
		t.Skip("needs a compiler")
	}
	dir := t.TempDir()
	source, program := filepath.Join(dir, "glob.c"), filepath.Join(dir, "glob")
	if err := os.WriteFile(source, []byte(globProgram), 0o644); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(compiler, "-o", program, source).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	litterIn(t, filepath.Join(dir, "g"))
	pieces := rapid.SliceOfN(rapid.SampledFrom([]string{
		"*", "?", "[", "]", "!", "^", "-", `\`, "a", "b", "z", "A", "0", ".", "conf", "[:alpha:]", "[:punct:]",
		"[:digit:]",
		"[[:lower:]]", "/", "{", ",", "sub", "x", "é", "[a-z]", "[!a]", "[]", "[^]]",
	}), 1, 8)
	var patterns []string
	for i := range 6000 {
		pattern := strings.TrimLeft(strings.Join(pieces.Example(i), ""), "/")
		if glob.HasMeta(pattern) && !strings.Contains(pattern, "//") && !strings.HasSuffix(pattern, "/") {
			patterns = append(patterns, filepath.Join(dir, "g")+"/"+pattern)
		}
	}
	cmd := exec.Command(program)
	cmd.Stdin, cmd.Env = strings.NewReader(strings.Join(patterns, "\n")+"\n"), []string{"LC_ALL=C"}
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	understood := 0
	for i, line := range strings.Split(strings.TrimSuffix(string(out), "\n"), "\n") {
		got, err := newSource("", nil, &Reader{}).glob(patterns[i])
		if err != nil {
			continue
		}
		understood++
		if want := strings.FieldsFunc(line, func(c rune) bool { return c == 1 }); !slices.Equal(got, want) {
			t.Errorf("%s: %q, the library says %q", patterns[i], got, want)
		}
	}
	if understood < len(patterns)/3 {
		t.Errorf("only %d of %d patterns understood", understood, len(patterns))
	}
}
