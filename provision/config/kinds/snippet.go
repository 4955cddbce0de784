package kinds

import (
	"fmt"
	"strings"

	"wsprovision/provision/nginx/tokens"
)

// mostSnippet bounds a snippet, in bytes.
const mostSnippet = 16 << 10

var Snippets = Kind[string]{About{Type: "text", Wrong: "include /etc/passwd;",
	Bounds: "nginx's directives for a location, at most 16 KiB, each ended by ; or a block, braces balanced. No " +
		"include and no load_module.",
	Schema: Schema{"type": "string", "maxLength": mostSnippet}}, snippet, nil}

// snippet takes directives as they are: what they do is checked by nginx -t alone. They must not end the location, nor
// bring in what the file does not show.
func snippet(s Scalar) (string, error) {
	value, err := text(s)
	switch {
	case err != nil:
		return "", err
	case len(value) > mostSnippet:
		return "", fmt.Errorf("has more than %d bytes", mostSnippet)
	}
	for _, c := range value {
		if c != '\n' && c != '\t' && (c < ' ' || c > '~') {
			return "", fmt.Errorf("holds %q: only printable ASCII, line ends and tabs are accepted", c)
		}
	}
	if err := tokens.Check(value, "include", "load_module"); err != nil {
		return "", err
	}
	return strings.TrimRight(value, "\n\t "), nil
}
