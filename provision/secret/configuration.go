package secret

import (
	"strings"

	"wsprovision/provision/lazy"
)

var (
	// told are keys of the agent's configuration whose values are for a server of somebody's alone.
	told = lazy.Regexp(`^([ \t]*(?:#[# \t]*)?(?:- +)?["']?)(send|message|headers|request_headers)(["']?[ \t]*:)(.*)$`)
	// toldInFlow is such a key within braces.
	toldInFlow = lazy.Regexp(`([{,][ \t]*(?:send|message)[ \t]*:[ \t]*)("(?:[^"\\]|\\.)*"?|'[^']*'?|[^,}"' \t][^,}]*)`)
	// toldInComment is such a key in a comment, also within braces or behind something else.
	toldInComment = lazy.Regexp(`#.*?(?:send|message|headers)["']?[ \t]*:`)
	// headersInFlow are headers within braces, behind their key.
	headersInFlow  = lazy.Regexp(`((?:request_)?headers[ \t]*:[ \t]*)\{[^}\n]*\}?`)
	entryOfMapping = lazy.Regexp(`^([ \t]*(?:#[ \t]*)?[^ \t:#][^:]*:)[ \t]+.*$`)
)

// Configuration is Scrub for the agent's own configuration: what a probe sends and waits for, and headers, are hidden
// whatever they are called. Text that is YAML keeps its lines where that hides everything, and is written anew without
// its comments where it does not. Text that somebody has broken is hidden by its lines, rather too much of it.
func Configuration(text string) string {
	documents, err := parsed(text)
	if err != nil {
		return byBrokenLines(text)
	}
	if shown := byLines(text); hidesAll(shown, documents) {
		return shown
	}
	return anew(documents)
}

func byLines(text string) string {
	lines := strings.Split(text, "\n")
	deeper, named := -1, false // lines that are indented more than this belong to such a key; its entries have names
	for i, line := range lines {
		indent := indentOf(line)
		if deeper >= 0 && (isBlank(line) || indent > deeper) {
			lines[i] = hideDeeper(line, indent, named)
			continue
		}
		deeper = -1
		m := told().FindStringSubmatch(line)
		if at := toldInComment().FindStringIndex(line); m == nil && at != nil {
			lines[i] = line[:at[1]] + " " + Hidden
			if strings.HasPrefix(strings.TrimSpace(line), "#") {
				deeper, named = indent, false
			}
			continue
		}
		if m == nil {
			line = headersInFlow().ReplaceAllString(line, "${1}{"+Hidden+"}")
			lines[i] = toldInFlow().ReplaceAllString(line, "${1}"+Hidden)
			continue
		}
		deeper, named = indent, strings.HasSuffix(m[2], "headers")
		if value := strings.TrimSpace(m[4]); value != "" && !strings.ContainsAny(value[:1], "#|>") {
			m[4] = " " + Hidden
		}
		lines[i] = m[1] + m[2] + m[3] + m[4]
	}
	return Scrub(strings.Join(lines, "\n"))
}

func hideDeeper(line string, indent int, named bool) string {
	m := entryOfMapping().FindStringSubmatch(line)
	switch {
	case isBlank(line):
		return line
	case named && m != nil:
		return m[1] + " " + Hidden
	}
	return line[:indent] + Hidden
}

// indentOf counts the sign of a comment as a blank: what is commented out keeps its order.
func indentOf(line string) int { return len(line) - len(strings.TrimLeft(line, " \t#")) }

func isBlank(line string) bool { return strings.Trim(line, " \t\r#") == "" }
