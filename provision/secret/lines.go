package secret

import (
	"strings"

	"wsprovision/provision/lazy"
	"wsprovision/provision/nginx/tokens"
)

// statementLine is a line of nginx's configuration, of a diff of one, or of a comment in one: what stands before its
// first word, and the rest.
var statementLine = lazy.Regexp(`^([-+ ]?[ \t]*#?[ \t]*)([a-z_"'$~*^\\A-Z0-9].*?)([ \t\r]*)$`)

// nginxLines hides secrets in lines that look like nginx's configuration. The arguments of a directive that go on in
// the next lines are hidden whole.
func nginxLines(text string) string {
	lines := strings.SplitAfter(text, "\n")
	in, going := block{}, false
	for i, full := range lines {
		content, end := strings.TrimSuffix(full, "\n"), full[len(strings.TrimSuffix(full, "\n")):]
		m := statementLine().FindStringSubmatch(content)
		switch {
		case m == nil:
			if strings.Contains(content, "}") {
				in = block{}
			}
			continue
		case going:
			going = !strings.ContainsAny(content, ";{")
			lines[i] = m[1] + Hidden + end
			continue
		}
		shown, next, open := nginxLine(m[2], in)
		in, going = next, open
		lines[i] = m[1] + shown + m[3] + end
	}
	return strings.Join(lines, "")
}

// nginxLine is a line without secrets, the block of what follows, and whether its statement goes on in the next line.
func nginxLine(text string, in block) (shown string, next block, open bool) {
	name, rest, _ := strings.Cut(text, " ")
	ours := concerns(name) || name == "set" && strings.HasPrefix(rest, "$")
	switch {
	case strings.ContainsAny(text, ";{}"):
	case ours && strings.TrimSpace(rest) != "" || givesValue().MatchString(name) && rest == "":
		return name + " " + Hidden, in, true
	default:
		return text, in, false
	}
	shown, next, hid, err := lineStatements(text, in)
	switch {
	case err != nil && (ours || hid):
		return name + " " + Hidden, next, false
	case hid:
		return shown, next, false
	}
	return text, next, false
}

// lineStatements are the statements of a line, and whether something of them was hidden.
func lineStatements(text string, in block) (shown string, next block, hid bool, err error) {
	var all []string
	for lexer := tokens.New("", []byte(text)); ; {
		s, err := lexer.Next()
		switch {
		case err != nil && strings.HasPrefix(err.Error(), `unexpected "}"`): // of a block that an earlier line opened
			all, in = append(all, "}"), block{}
			continue
		case err != nil || s.End == tokens.EndOfFile:
			return strings.Join(all, " "), in, hid, err
		case s.End == tokens.Closed:
			all, in = append(all, "}"), block{}
			continue
		}
		words := hideWords(s.Words, in)
		hid = hid || strings.Join(words, "\x00") != strings.Join(s.Words, "\x00")
		all = append(all, line(words)+map[tokens.Ending]string{tokens.Simple: ";", tokens.Opened: " {"}[s.End])
		if s.End == tokens.Opened {
			in = openedBy(s.Words)
		}
	}
}

// concerns tells directives of nginx whose arguments may be secrets from words of a sentence.
func concerns(name string) bool {
	return givesValue().MatchString(name) && name != "set" || strings.HasPrefix(name, "secure_link_") ||
		strings.Contains(name, "_by_lua") || strings.Contains(name, "_") && sensitiveName().MatchString(name) &&
		!plainDirective().MatchString(name) && !strings.ContainsAny(name, "=:")
}
