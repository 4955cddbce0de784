package secret

import (
	"strings"
	"testing"
)

// TestHostileConfiguration: every form in which YAML says the same, and what is no YAML any more.
func TestHostileConfiguration(t *testing.T) {
	for _, text := range []string{
		"\"send\": s3cret1\npath: /ws/\n",
		"'send' : s3cret1\npath: /ws/\n",
		"? send\n: s3cret1\n",
		"{\"probe\": {\"send\": \"s3cret1\", \"headers\": {\"X-A\": \"s3cret1\"}}}\n",
		"{\n \"headers\":\n {\n \"X-A\":\n\"s3cret1\"\n}}\n",
		"probe: {path: /x,\n  headers: {X-A: a,\n  X-B: s3cret1}}\n",
		"headers: {X-A: \"a}s3cret1\", X-B: s3cret1}\n",
		"probe: {send: \"a\n  #s3cret1\",\n  path: /x}\n",
		"probe: {send: a s3cret1\n  s3cret1, path: /x}\n",
		"x: &a s3cret1\nsend: *a\n",
		"x: &a {X-A: s3cret1}\nheaders: *a\n",
		"x: &a {X-A: s3cret1}\nheaders: {<<: *a}\n",
		"send: &a s3cret1\nx: *a\n",
		"send: |\n  a\n\n  s3cret1\npath: /ws/\n",
		"# send: |\n#   s3cret1\npath: /ws/\n",
		"probe:\n  # send: |\n  #   a\n  #\n  #   s3cret1\n  path: /ws/\n",
		"# headers:\n#   X-A: s3cret1\npath: /ws/\n",
		"# \"send\": s3cret1\npath: /ws/\n",
		"# probe: {\"send\": \"s3cret1\"}\npath: /ws/\n",
		"# probe: {headers: {X-A: \"a}s3cret1\"}}\npath: /ws/\n",
		"path: /ws/ # \"send\": s3cret1\n",
		"#  probe: {\"send\":\n#    s3cret1}\npath: /ws/\n",
		"a: [\nsend: |\n  s3cret1\n",
		"a: [\nprobe: {path: /x, headers: {X-A: \"a}\",\nX-B: s3cret1}}\n",
		"a: [\n\"send\": s3cret1\n",
		"\"se\\u006ed\": s3cret1\n",
	} {
		if shown := Configuration(text); strings.Contains(shown, "s3cret1") {
			t.Errorf("%s\nis shown as\n%s", text, shown)
		}
	}
}
