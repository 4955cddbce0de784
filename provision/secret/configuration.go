package secret

import (
	"strings"

	"wsprovision/provision/lazy"
)

var (
	// told are keys of the agent's configuration whose values are for a server of somebody's alone.
	told = lazy.Regexp(`^([ \t]*(?:#[ \t]*)?(?:- +)?)(send|message|headers|request_headers)([ \t]*:)(.*)$`)
	// toldInFlow is such a key within braces.
	toldInFlow = lazy.Regexp(`([{,][ \t]*(?:send|message)[ \t]*:[ \t]*)("(?:[^"\\]|\\.)*"?|'[^']*'?|[^,}"' \t][^,}]*)`)
	// headersInFlow are headers within braces, behind their key.
	headersInFlow  = lazy.Regexp(`((?:request_)?headers[ \t]*:[ \t]*)\{[^}\n]*\}?`)
	entryOfMapping = lazy.Regexp(`^([ \t]*(?:#[ \t]*)?[^ \t:#][^:]*:)[ \t]+.*$`)
)

// Configuration is Scrub for the agent's own configuration: what a probe sends and waits for, and headers, are hidden
// whatever they are called. Their lines need not be YAML, which somebody may have broken.
func Configuration(text string) string {
	lines := strings.Split(text, "\n")
	deeper, named := -1, false // lines that are indented more than this belong to such a key; its entries have names
	for i, line := range lines {
		indent := len(line) - len(strings.TrimLeft(line, " \t"))
		if deeper >= 0 && (strings.TrimSpace(line) == "" || indent > deeper) {
			lines[i] = hideDeeper(line, indent, named)
			continue
		}
		deeper = -1
		m := told().FindStringSubmatch(line)
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
	case strings.TrimSpace(line) == "":
		return line
	case named && m != nil:
		return m[1] + " " + Hidden
	}
	return line[:indent] + Hidden
}
