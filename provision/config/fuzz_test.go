package config

import (
	"errors"
	"os"
	"reflect"
	"strings"
	"testing"
	"unicode"

	"wsprovision/provision/config/reading"

	"github.com/google/go-cmp/cmp"
)

// FuzzLoad: no file makes Load panic; what it accepts holds no byte that nginx's syntax knows, and survives Marshal.
func FuzzLoad(f *testing.F) {
	for _, name := range []string{"testdata/good.yaml", "testdata/bad.yaml"} {
		content, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(content), "a.example.com", "[::1]:3000")
	}
	f.Add("\ufeffsites:\r\n", "a;b", "a:\x00")
	f.Add(oneSite("backend: a:1"), "{a}", "$a:1")
	f.Add("a: &a [*a]\n---\n", "", "")
	f.Add(oneSite("backend: a:1", "snippet: 'a ;}'", "request_headers: {X: '; }'}", "match: regex"), "a.b", "c:1")
	f.Add(oneSite("backend: a:1", "snippet: 'a \"b;\";'", "allowed_origins: 'https://a'", "limits: {burst: 1}"), "a.b",
		"c:1")
	f.Add("? [a]\n: !!binary aGk=\n<<: {}\n", "é", "[::]:80")
	f.Fuzz(func(t *testing.T, text, name, backend string) {
		for _, flags := range []map[string]string{nil, {"server-name": name, "backend": backend}} {
			c, err := load(text, func(in *Input) { in.Flags = flags })
			var problems *reading.Error
			if err != nil && (!errors.As(err, &problems) || len(problems.Problems) == 0) {
				t.Fatalf("an error without problems: %v", err)
			}
			if err != nil {
				continue
			}
			harmless(t, reflect.ValueOf(c))
			content, err := c.Marshal()
			if err != nil {
				t.Fatalf("accepted, and not after Marshal: %v", err)
			}
			again, err := load(string(content))
			if diff := cmp.Diff(c, again); err != nil || diff != "" {
				t.Fatalf("%v\n%s", err, diff)
			}
		}
	})
}

// harmless walks every string of the configuration. $ stands in epel.baseurl only, which goes to yum.
func harmless(t *testing.T, v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		for _, r := range v.String() {
			if r > unicode.MaxASCII || r <= ' ' || r == 0x7f || strings.ContainsRune(";{}\"'$\\#`|<>", r) {
				t.Errorf("%q was accepted", v.String())
			}
		}
	case reflect.Struct:
		for i := range v.NumField() {
			switch field := v.Field(i); v.Type().Field(i).Name {
			case "Snippet", "Value": // directives as they are, and text that is rendered in quotes
			case "Path":
				if match := v.FieldByName("Match"); !match.IsValid() || match.String() != "regex" { // in quotes too
					harmless(t, field)
				}
			case "BaseURL":
				harmless(t, reflect.ValueOf(strings.NewReplacer("$basearch", "", "$releasever",
					"").Replace(field.String())))
			default:
				harmless(t, field)
			}
		}
	case reflect.Slice:
		for i := range v.Len() {
			harmless(t, v.Index(i))
		}
	case reflect.Pointer:
		if !v.IsNil() {
			harmless(t, v.Elem())
		}
	}
}
