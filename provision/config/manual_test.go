package config

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"wsprovision/provision/config/reading"
)

const manual = "../../packaging/wsprovision.yaml.5"

// TestManual: the table of keys in wsprovision.yaml(5) is made from the list of keys; what stands above it is written
// by hand. The error of each key is the one that Load gives.
func TestManual(t *testing.T) {
	have, err := os.ReadFile(manual)
	if err != nil {
		t.Fatal(err)
	}
	const begin = ".\\\" Made from the list of keys by go test ./provision/config -update, down to SEE ALSO.\n"
	const end = ".SH SEE ALSO\n"
	head, rest, ok := strings.Cut(string(have), begin)
	_, tail, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatalf("%s has no %q or no %q", manual, begin, end)
	}
	var b strings.Builder
	for _, k := range keys() {
		describe(t, &b, k)
	}
	generated(t, manual, head+begin+b.String()+end+tail)
}

func describe(t *testing.T, b *strings.Builder, k reading.Key) {
	if k.Type == "mapping" || k.Type == "list" {
		fmt.Fprintf(b, ".SS %s\n", roff(k.Path))
	} else {
		fmt.Fprintf(b, ".TP\n.B %s\n", roff(k.Path))
	}
	line := func(format string, args ...any) { fmt.Fprintf(b, "%s\n", roff(fmt.Sprintf(format, args...))) }
	for sentence := range strings.SplitSeq(k.Doc, ". ") {
		line("%s", strings.TrimSuffix(sentence, ".")+".")
	}
	if k.Schema == nil {
		return
	}
	kind := upper(k.Type)
	if k.Many {
		kind += ", or a list of them"
	}
	line("%s.", kind)
	line("%s", k.Bounds)
	switch {
	case k.Required:
		line("Required.")
	case k.Default != "":
		line("Default: %s.", k.Default)
	}
	if k.Flag != "" {
		line("Option: --%s.", k.Flag)
	}
	fmt.Fprintf(b, ".br\nExample: %s\n", roff(leaf(k)+": "+k.Example))
	fmt.Fprintf(b, ".br\nError: %s\n", roff(refusal(t, k)))
}

func leaf(k reading.Key) string { return k.Path[strings.LastIndexByte(k.Path, '.')+1:] }

func upper(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

// roff keeps what the formatter would read as its own.
func roff(s string) string {
	s = strings.NewReplacer(`\`, `\e`, "-", `\-`).Replace(s)
	if strings.HasPrefix(s, ".") || strings.HasPrefix(s, "'") {
		s = `\&` + s
	}
	return s
}

// refusal is what Load says of the key's wrong value.
func refusal(t *testing.T, k reading.Key) string {
	_, err := load(document(k, quoted(k)))
	var problems *reading.Error
	if !errors.As(err, &problems) {
		t.Errorf("%s: the wrong value %q is taken", k.Path, k.Wrong)
		return ""
	}
	for _, p := range problems.Problems {
		if strings.HasPrefix(p.Key, numbered(k.Path)) {
			return p.Message
		}
	}
	t.Errorf("%s: the wrong value %q is not named: %v", k.Path, k.Wrong, err)
	return ""
}

func quoted(k reading.Key) string {
	switch {
	case strings.HasPrefix(k.Type, "mapping"):
		return "{" + k.Wrong + "}"
	case strings.Trim(k.Wrong, "0123456789") == "":
		return k.Wrong
	}
	return `"` + k.Wrong + `"`
}
