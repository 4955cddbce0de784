package cause

import (
	"encoding/json"
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
	got := bashArguments(t, Do(append([]string{"probe"}, hostile...)...).String())
	if !slices.Equal(got, hostile) {
		t.Errorf("bash has %q, want %q", got, hostile)
	}
	for _, value := range hostile {
		got := bashArguments(t, Do("probe", value).And("probe", "x"+value).Note("not ").Name(value).String())
		if want := []string{value, "x" + value}; !slices.Equal(got, want) {
			t.Errorf("bash has %q, want %q", got, want)
		}
		// Words are not for bash, and yet whoever pastes them runs nothing but the first of them.
		got = bashArguments(t, Say("probe put it into ").Name(value).Say(" and ").Line(value, 7).String())
		if want := []string{"put", "it", "into", value, "and", value + ":7"}; !slices.Equal(got, want) {
			t.Errorf("bash has %q, want %q", got, want)
		}
	}
}

func TestMendIntoAFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a $(b) 'c'")
	if out, err := exec.Command("bash", "-c",
		Do("printf", `%s\n`, "$(x)").Into(file).String()).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if text, err := os.ReadFile(file); err != nil || string(text) != "$(x)\n" {
		t.Errorf("%q, %v", text, err)
	}
}

func TestMendThatCannotBe(t *testing.T) {
	if m := Do("ls", "a\x00b").And("ls", "x"); !m.IsZero() {
		t.Errorf("an argument with a NUL: %q", m)
	}
	if m := Say("at ").Name("[::1]:80"); m.String() != "at [::1]:80" {
		t.Errorf("%q", m)
	}
	if m := Say("at ").Name("[fe80::1%$(x)]:80"); m.String() != "at '[fe80::1%$(x)]:80'" {
		t.Errorf("a zone: %q", m)
	}
}

func TestMendInJSON(t *testing.T) {
	d := Diagnosis{Code: DiskFull, Cause: "x"}
	if text, err := json.Marshal(d); err != nil || string(text) != `{"code":"disk-full","cause":"x"}` {
		t.Errorf("%s, %v", text, err)
	}
	d.Mend = Do("df", "-h")
	text, err := json.Marshal(d)
	var back Diagnosis
	if err != nil || json.Unmarshal(text, &back) != nil || back.Mend.String() != "df -h" ||
		!strings.Contains(string(text), `"mend":"df -h"`) {
		t.Errorf("%s, %v", text, err)
	}
}
