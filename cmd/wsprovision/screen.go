package main

import (
	"io"
	"os"
	"strconv"
	"strings"

	"golang.org/x/term"

	"wsprovision/provision/plaintext"
)

// screen is a stream that people read: lines no wider than the terminal, colours where it has them. Whoever wrote what
// it is given, it is shown as text and steers no terminal.
type screen struct {
	w       io.Writer
	columns int // 0: lines are as long as they are
	colours bool
	err     error // the first of writing
}

// style is how text looks, as parameters of SGR (ECMA-48 section 8.3.117).
type style string

const (
	plainly style = ""
	bold    style = "1"
	red     style = "31"
	green   style = "32"
	yellow  style = "33"
	cyan    style = "36"
)

// span is a piece of a line.
type span struct {
	style style
	text  string
}

// narrowest is the fewest columns that are wrapped for: below, the terminal does it.
const narrowest = 20

// newScreen asks the environment and then the terminal how wide it is: COLUMNS goes before it, as for ls(1).
func newScreen(w io.Writer, environ []string) *screen {
	s := &screen{w: w}
	if n, err := strconv.Atoi(variable(environ, "COLUMNS")); err == nil && n >= narrowest {
		s.columns = n
	} else if file := terminalOf(w); file != nil {
		if n, _, err := term.GetSize(int(file.Fd())); err == nil && n >= narrowest {
			s.columns = n
		}
	}
	return s
}

// terminalOf is the terminal that w is, or nil.
func terminalOf(w io.Writer) *os.File {
	if file, ok := w.(*os.File); ok && term.IsTerminal(int(file.Fd())) {
		return file
	}
	return nil
}

// colour settles whether there are colours: never for a terminal that has none, or where NO_COLOR is set
// (no-color.org), unless they were asked for.
func (s *screen) colour(when string, environ []string) {
	auto := terminalOf(s.w) != nil && variable(environ, "NO_COLOR") == "" && variable(environ, "TERM") != "dumb"
	s.colours = when == "always" || when == "auto" && auto
}

func variable(environ []string, name string) string {
	value := ""
	for _, assignment := range environ {
		if v, ok := strings.CutPrefix(assignment, name+"="); ok {
			value = v
		}
	}
	return value
}

// Write shows what it is given as text, unwrapped: JSON, a completion script, a server's messages.
func (s *screen) Write(p []byte) (int, error) { return plaintext.NewWriter(s.w).Write(p) }

func (s *screen) paint(st style, text string) string {
	if !s.colours || st == plainly || text == "" {
		return text
	}
	return "\x1b[" + string(st) + "m" + text + "\x1b[0m"
}

// put writes text behind lead, which is one line's. What does not fit, and further lines of text, stand behind hang.
func (s *screen) put(lead []span, hang string, st style, text string) {
	var b strings.Builder
	used := 0
	for _, l := range lead {
		shown := plaintext.Line(l.text)
		used += width(shown)
		b.WriteString(s.paint(l.style, shown))
	}
	for i, line := range s.lines(plaintext.Text(strings.TrimSuffix(text, "\n")), used, len(hang)) {
		if i > 0 {
			b.WriteString("\n" + hang)
		}
		b.WriteString(s.paint(st, line))
	}
	if _, err := io.WriteString(s.w, strings.TrimRight(b.String(), " ")+"\n"); s.err == nil {
		s.err = err
	}
}

// lines are those of text, wrapped: the first behind used columns, each other behind hang.
func (s *screen) lines(text string, used, hang int) (all []string) {
	for line := range strings.SplitSeq(text, "\n") {
		if len(all) > 0 {
			used = hang
		}
		if s.columns == 0 {
			all = append(all, line)
			continue
		}
		all = append(all, wrap(line, s.columns-used, s.columns-hang)...)
	}
	return all
}

// line writes one line, whatever line ends its parts have. What does not fit stands two columns in.
func (s *screen) line(lead ...span) {
	last := lead[len(lead)-1]
	s.put(lead[:len(lead)-1], "  ", last.style, plaintext.Line(last.text))
}

// item writes text behind its indent. Further lines stand deeper, so that none looks like another item.
func (s *screen) item(indent int, st style, text string) {
	blank := strings.Repeat(" ", indent)
	s.put([]span{{plainly, blank}}, blank+"  ", st, text)
}

// diff writes a unified diff behind its indent. What does not fit stands deeper than its sign.
func (s *screen) diff(indent int, text string) {
	for line := range strings.Lines(text) {
		s.put([]span{{plainly, strings.Repeat(" ", indent)}}, strings.Repeat(" ", indent+4), styleOfDiff(line),
			plaintext.Line(strings.TrimSuffix(line, "\n")))
	}
}

func styleOfDiff(line string) style {
	switch {
	case strings.HasPrefix(line, "---"), strings.HasPrefix(line, "+++"):
		return bold
	case strings.HasPrefix(line, "@@"):
		return cyan
	case strings.HasPrefix(line, "+"):
		return green
	case strings.HasPrefix(line, "-"):
		return red
	}
	return plainly
}
