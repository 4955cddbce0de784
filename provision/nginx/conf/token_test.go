package conf

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"wsprovision/provision/nginx/nginxtest"

	"pgregory.net/rapid"
)

// odd are the arguments of server_name that nginx and we have to read alike.
var odd = []string{
	"a b c", "a;", "a\n", `"a b"`, `'a"b'`, `"a\"b"`, `a\"b`, `a\'b`, `a\\b`, `a\tb`, `"a\tb"`, `a\nb`, `a\;b`, `a\ b`,
	`a\{b`, `\;`, `\a`, `"\a"`,
	"a}b", "a}", "}", "{", ";;", `"a"b`, `"a")`, `"a");`, `("a")`, `"a" )`, `"a";"b"`, `"`, `'`, `a"`, `a'`, `a"b"`,
	`\`, "# c", "a # c ; }", "a#b", "a# ; \n",
	"${x}", "a${x}b", "a$x{", "$", "a$", "a${", "${{", "a${{b}}", `"${x"`, "$x{}", "a\r\nb", "a\tb", "\"a\nb\"",
	"a\\\nb", `""`, `''`, "\xef\xbb\xbfa", "a\x00b", "ä",
	strings.Repeat("a", 4095), strings.Repeat("a", 4096), strings.Repeat("a", 4097), "# " + strings.Repeat("c", 4096) +
		"\na", "# " + strings.Repeat("c", 4080) + "\na",
	`"` + strings.Repeat("a", 4094) + `"`, `"` + strings.Repeat("a", 4095) + `"`, `"` + strings.Repeat("a", 4096) +
		`"`, strings.Repeat(" ", 5000) + "a", strings.Repeat("#c\n", 3000) + "a", "a\n}\n}\n}",
}

func TestTokensAsNginxReadsThem(t *testing.T) {
	nginxtest.NeedNginx(t, false)
	h := nginxtest.NewHost(t, nil)
	for _, text := range odd {
		for _, end := range []string{";", "", "\n;", "}"} {
			differ(t.Errorf, h, text+end)
		}
	}
}

func TestRandomTokensAsNginxReadsThem(t *testing.T) {
	nginxtest.NeedNginx(t, false)
	h := nginxtest.NewHost(t, nil)
	piece := rapid.SampledFrom([]string{"a", "b", `"`, "'", `\`, "$", "{", "}", ";", "#", "\n", " ", ")", "t", "\r"})
	rapid.Check(t, func(t *rapid.T) {
		differ(t.Fatalf, h, strings.Join(rapid.SliceOfN(piece, 0, 12).Draw(t, "pieces"), ""))
	})
}

var (
	syntaxWords = regexp.MustCompile(`(?s)nginx: \[emerg\] ((?:unexpected (?:".*?"|end of file)|too long ` +
		`parameter).*?) in (/\S+):(\d+)\n`)
	ignoredName = regexp.MustCompile(`(?s)conflicting server name "(.*?)" on 127\.0\.0\.1:38081, ignored\n`)
)

// differ gives nginx the text as the names of two servers. nginx either refuses the syntax, and we have to as well,
// with the same words at the same line; or it names each word once more, as a name that both have.
func differ(fail func(string, ...any), h nginxtest.Host, text string) {
	h.Write("conf.d/odd.conf",
		fmt.Sprintf("server { listen 127.0.0.1:38081; server_name %s\n}\nserver { listen 127.0.0.1:38081; "+
			"server_name %s\n}\n", text, text))
	stderr, status := h.Check()
	tree, err := Load("", h.Conf(), nil)
	var ours *SyntaxError
	errors.As(err, &ours)
	if err != nil && ours == nil {
		fail("%.40q: %v", text, err)
		return
	}
	theirs := syntaxWords.FindStringSubmatch(stderr)
	switch {
	case theirs != nil && ours == nil:
		fail("%.40q: nginx says %q, we nothing", text, theirs[0])
	case theirs != nil:
		if got, want := fmt.Sprintf("%s:%d", ours.Message, ours.Line), theirs[1]+":"+theirs[3]; got != want {
			fail("%.40q: nginx says %q, we %q", text, want, got)
		}
	case status == 0 && ours != nil:
		fail("%.40q: nginx says nothing, we %v", text, ours)
	case status == 0:
		sameWords(fail, text, stderr, tree)
	}
}

func sameWords(fail func(string, ...any), text, stderr string, tree Tree) {
	var theirs []string
	for _, m := range ignoredName.FindAllStringSubmatch(strings.ReplaceAll(stderr, "nginx: [warn]", "\nnginx: [warn]"),
		-1) {
		theirs = append(theirs, m[1])
	}
	all := tree.Servers()
	if len(all) != 2 {
		return // a quote ran from one server to the other
	}
	var ours []string
	for _, name := range all[1].Names {
		ours = append(ours, strings.ToLower(name))
	}
	slices.Sort(ours)
	slices.Sort(theirs)
	if ours, theirs = slices.Compact(ours), slices.Compact(theirs); !slices.Equal(ours, theirs) {
		fail("%.40q: nginx reads %q, we %q", text, theirs, ours)
	}
}

func FuzzTokens(f *testing.F) {
	for _, text := range odd {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		tree, err := Load("", "/f.conf", map[string][]byte{"/f.conf": text, "/conf.d/a.conf": []byte("a b;")})
		// Whatever was read before an error stays well formed.
		for d := range tree.walk {
			if d.Line < 1 || d.File == "" || !d.Block && len(d.Body) > 0 {
				t.Errorf("%+v", d)
			}
		}
		tree.Conflicts("/f.conf")
		tree.Paths().ErrorLogs()
		tree.Paths().UnixListeners()
		if err != nil && err.Error() == "" {
			t.Error("an error without words")
		}
	})
}
