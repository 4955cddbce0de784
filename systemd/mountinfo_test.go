package systemd

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The kernel writes a blank, a tab, a newline and a backslash of a path in octal (proc(5)); digits alone are digits.
func TestUnescape(t *testing.T) {
	for s, want := range map[string]string{`/mnt/a\040b`: "/mnt/a b", `\011\012\134`: "\t\n\\",
		"/mnt/1234/040": "/mnt/1234/040",
		`/a\04`:         `/a\04`, `/a\`: `/a\`, `/a\999b`: `/a\999b`, `/a\777`: `/a\777`, `\1340`: `\0`, "": ""} {
		if got := unescape(s); got != want {
			t.Errorf("%q: %q, want %q", s, got, want)
		}
	}
}

// A line has ten fields at least, with a dash behind the optional ones; anything else is an error and not skipped.
func TestMountinfoLines(t *testing.T) {
	const good = `36 35 98:0 /mnt1 /mnt\0402 rw,noatime master:1 shared:2 - ext3 /dev/root rw,errors=continue`
	got, err := parseMountinfo(good + "\n" + `37 1 0:5 / / rw - tmpfs tmpfs rw` + "\n")
	want := []Mount{{ID: 36, Device: "98:0", Root: "/mnt1", Point: "/mnt 2", Type: "ext3"},
		{ID: 37, Device: "0:5", Root: "/", Point: "/", Type: "tmpfs"}}
	if d := cmp.Diff(want, got); d != "" || err != nil {
		t.Errorf("%v\n%s", err, d)
	}
	for _, line := range []string{"x 35 98:0 / / rw - ext3 /dev/root rw", "36 35 98:0 / / rw ext3 /dev/root rw x",
		"36 35 98:0 / - rw ext3 /dev/root rw x", "36 35 98:0 / / rw a b c -", "36 35 98:0 / / rw - ext3 x", ""} {
		if got, err := parseMountinfo(good + "\n" + line + "\n"); err == nil ||
			!strings.Contains(err.Error(), "not a line of mountinfo") {
			t.Errorf("%q: %v, %v", line, got, err)
		}
	}
	if m, ok := top(want, "/"); !ok || m.ID != 37 {
		t.Errorf("%v, %v", m, ok)
	}
	if m, ok := top(append(want, Mount{ID: 38, Point: "/"}), "/"); !ok || m.ID != 38 {
		t.Errorf("the one on top: %v, %v", m, ok)
	}
	if m, ok := top(want, "/x"); ok {
		t.Errorf("%v", m)
	}
}
