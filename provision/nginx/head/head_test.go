package head

import (
	"errors"
	"testing"
)

func TestParseTarget(t *testing.T) {
	for text, want := range map[string]Target{
		"/a/b?c":        {Path: "/a/b", Args: "c"},
		"/a//b/./c/":    {Path: "/a/b/c/"},
		"/a/x/../b":     {Path: "/a/b"},
		"/a/..":         {Path: "/"},
		"/a/.":          {Path: "/a/"},
		"/...":          {Path: "/..."},
		"/a%2fb%2F%2e":  {Path: "/a/b/", Quoted: true},
		"/%2e%2E/x?%zz": {},
		"/a%3Fb?c":      {Path: "/a?b", Args: "c", Quoted: true},
		"/a%2bb+":       {Path: "/a+b+", Quoted: true, Plus: true},
		"/a?b?c/../d":   {Path: "/a", Args: "b?c/../d"},
		"/%25/..":       {Path: "/", Quoted: true},
	} {
		got, err := ParseTarget(text, true)
		if want == (Target{}) {
			if !errors.Is(err, ErrBadTarget) {
				t.Errorf("%s: %+v, %v, want it refused", text, got, err)
			}
		} else if err != nil || got != want {
			t.Errorf("%s: %+v, %v, want %+v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "a", "*", "http://a/", "/a#b", "/a b", "/a\n", "/%zz", "/%", "/%00", "/.."} {
		if got, err := ParseTarget(text, true); err == nil {
			t.Errorf("%q is %+v", text, got)
		}
	}
	if got, err := ParseTarget("/a//../b//", false); err != nil || got.Path != "/a/b//" {
		t.Errorf("slashes that stay: %+v, %v", got, err)
	}
}

func TestEscape(t *testing.T) {
	if got, err := Escape("/a b%?#\xc3+&", InPath); err != nil || got != "/a%20b%25%3F%23%C3+&" {
		t.Errorf("in a path: %s, %v", got, err)
	}
	if got, err := Escape("a+b&c d", InArgs); err != nil || got != "a%2Bb%26c%20d" {
		t.Errorf("in a query: %s, %v", got, err)
	}
	for _, text := range []string{"<", `\`, "{"} {
		if got, err := Escape(text, InPath); err == nil {
			t.Errorf("%s is %s, and versions differ", text, got)
		}
	}
	for text, want := range map[string]string{"/a%20b%41?%41": "/a%20bA?%41", "/a%3fb%41": "/a?b%41", "/%2f": "//"} {
		if got, err := UnescapeRedirect(text); err != nil || got != want {
			t.Errorf("%s is %s, %v, want %s", text, got, err, want)
		}
	}
	if got, err := UnescapeRedirect("/%4"); err == nil {
		t.Errorf("half a character is %s", got)
	}
	if _, err := Redirect("/a b"); err == nil {
		t.Error("versions differ in the redirect to a path with a blank")
	}
}

func TestHost(t *testing.T) {
	for text, want := range map[string]string{"A.example:80": "a.example", "a.": "a", "[::1]:80": "[::1]",
		"[FE80::1]": "[fe80::1]",
		"a..b":      "", ".a": "", "a/b": "", "a b": "", "[::1": "", "[x]": "", "a:b": "", "": "", "_": "_"} {
		if got := Host(text); got != want {
			t.Errorf("%q is %q, want %q", text, got, want)
		}
	}
}

// TestNames: which of two names nginx ignores, and how much of it.
func TestNames(t *testing.T) {
	n := NewNames[string]()
	for _, each := range []struct {
		name  string
		added bool
	}{{"a.example", true}, {".a.example", false}, {"*.a.example", true}, {".b.example", true}, {"b.example", false},
		{"*.c.example", true}, {".c.example", false}, {"c.example", false}, {"mail.*", true}, {"Mail.*", false}} {
		if added := n.Add(each.name, each.name); added != each.added {
			t.Errorf("%s is added: %v, want %v", each.name, added, each.added)
		}
	}
	for name, want := range map[string]string{"a.example": "a.example", "x.a.example": "*.a.example",
		"b.example": ".b.example", "x.y.b.example": ".b.example", "c.example": "", "mail.x.y": "mail.*", "mail": "",
		"": ""} {
		if got, _ := n.Find(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
}
