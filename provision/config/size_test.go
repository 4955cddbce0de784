package config

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// Whatever stands in a file of 64 KiB is answered at once. What takes longer than linear time would take minutes.
func TestHostileFiles(t *testing.T) {
	site := "- {name: a, server_name: a.b, listen: [80, 81], locations: [{path: /, backend: 'a:1'}, {path: /, " +
		"backend: 'b:1'}]}\n"
	for name, tt := range map[string]struct{ unit, refused string }{
		"lists in lists":       {"[", "exceeded max depth"},
		"mappings in mappings": {"{a: ", "exceeded max depth"},
		"indentation":          {"- ", "exceeded max depth"},
		"keys":                 {"a: 1\n", "13107 problems"},
		"lines":                {"\n", ""},
		"quotes":               {"'", "must be a mapping"},
		"anchors":              {"&a ", "is not YAML"},
		"sites":                {site, "1702 problems"},
		"colons":               {":", "mapping values are not allowed"},
		"questions":            {"? ", "exceeded max depth"},
		"long key":             {"k", "must be a mapping"},
		"comments":             {"#\n", ""},
		"dots":                 {"---\n", "more than one YAML document"},
		"documents":            {"a\n---\n", "more than one YAML document"},
	} {
		t.Run(name, func(t *testing.T) {
			text := strings.Repeat(tt.unit, (64<<10)/len(tt.unit))
			if name == "sites" {
				text = "sites:\n" + text[:len(text)-len(tt.unit)]
			}
			began := time.Now()
			_, err := load(text)
			message := ""
			if err != nil {
				message = err.Error()
			}
			if (err != nil) != (tt.refused != "") || !strings.Contains(message, tt.refused) {
				t.Errorf("%.200s, want %q", message, tt.refused)
			}
			if took := time.Since(began); took > 10*time.Second || len(message) > 64<<10 {
				t.Errorf("%v, and a message of %d bytes", took, len(message))
			}
		})
	}
}

// TestHostileMarshalled: whatever Load takes, what Marshal makes of it can be read by who knows how long it may be.
func TestHostileMarshalled(t *testing.T) {
	var b strings.Builder
	b.WriteString("sites: [{name: a, server_name: a.b, locations: [")
	for i := 0; b.Len() < maxSize-64; i++ {
		fmt.Fprintf(&b, "{path: /%d, backend: 'a:1'},\n", i)
	}
	b.WriteString("]}]\n")
	c, err := load(b.String())
	if err != nil {
		t.Fatal(err)
	}
	content, err := c.Marshal()
	if err != nil || len(content) < maxSize {
		t.Fatalf("%d bytes, %v; want more than a configuration file may have", len(content), err)
	}
	read := func(string) ([]byte, error) { return content, nil }
	again, err := Load(Input{File: "/x", Limit: MaxMarshalled, ReadFile: read})
	if err != nil || len(again.Sites[0].Locations) != len(c.Sites[0].Locations) {
		t.Errorf("read again: %v", err)
	}
}
