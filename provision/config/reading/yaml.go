package reading

import (
	"bytes"
	"errors"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"wsprovision/provision/config/kinds"

	"go.yaml.in/yaml/v3"
)

// Parse returns the file's one document, or nil where it is empty or not to be read at all. It stays with nodes:
// decoding into Go values would lose lines, twice-written keys, and the difference between 75, "75" and nothing.
func Parse(path string, content []byte, p *Problems) *yaml.Node {
	complain := func(line int, message string) *yaml.Node {
		p.Add(Problem{Line: line, Source: path, Message: message})
		return nil
	}
	content = bytes.TrimPrefix(content, []byte("\ufeff"))
	if !utf8.Valid(content) || bytes.IndexByte(content, 0) >= 0 {
		return complain(0, "is not UTF-8 text: save it as UTF-8")
	}
	decoder := yaml.NewDecoder(bytes.NewReader(content))
	var document, second yaml.Node
	switch err := decoder.Decode(&document); {
	case errors.Is(err, io.EOF):
		return nil
	case err != nil:
		line, message := syntaxError(err, content)
		return complain(line, message)
	}
	switch err := decoder.Decode(&second); {
	case errors.Is(err, io.EOF):
	case err != nil:
		line, message := syntaxError(err, content)
		return complain(line, message)
	default:
		return complain(second.Line, "holds more than one YAML document: remove the line --- and what follows")
	}
	if !plain(&document, path, p) || len(document.Content) != 1 {
		return nil
	}
	return document.Content[0]
}

// syntaxError turns the parser's "yaml: line 3: did not find …" into a line and a message, and adds the mistakes that
// the parser cannot name.
func syntaxError(err error, content []byte) (int, string) {
	message := strings.TrimPrefix(err.Error(), "yaml: ")
	number, rest, found := strings.Cut(strings.TrimPrefix(message, "line "), ": ")
	line, notANumber := strconv.Atoi(number)
	if !found || notANumber != nil {
		return 0, "is not YAML: " + message
	}
	// The parser counts from where it noticed, which may be the line after.
	lines := strings.Split(string(content), "\n")
	near := strings.Join(lines[min(max(line-2, 0), len(lines)):min(line+1, len(lines))], "\n")
	switch {
	case strings.Contains(near, "\t"):
		rest += "; YAML does not indent with tabs: use spaces"
	case strings.Contains(rest, "<document start>"):
		rest += "; keys of one level are indented alike"
	case strings.Contains(rest, "alphabetic or numeric"):
		rest += `; a name with * is written in quotes: "*.example.com"`
	case strings.Contains(near, ": ["):
		rest += `; an address in brackets is written in quotes: "[::1]:3000"`
	}
	return line, "is not YAML: " + rest
}

// plain refuses what makes one line of YAML stand for many, or for another type than it looks.
func plain(n *yaml.Node, path string, p *Problems) bool {
	message := ""
	switch {
	case n.Kind == yaml.AliasNode || n.Anchor != "":
		message = "YAML anchors and aliases are not accepted: write the value out"
	case n.Style&yaml.TaggedStyle != 0:
		message = "YAML tags are not accepted: remove " + kinds.Quote(n.Tag)
	}
	if message != "" {
		p.Add(Problem{Line: n.Line, Source: path, Message: message})
		return false
	}
	ok := true
	for _, child := range n.Content {
		ok = plain(child, path, p) && ok
	}
	return ok
}
