package screen

import (
	"io"
	"os"
	"strconv"
	"strings"

	"golang.org/x/term"

	"wsprovision/provision/plaintext"
)

// Screen is a stream that people read: lines no wider than the terminal, colours where it has them. Whoever wrote what
// it is given, it is shown as text and steers no terminal.
type Screen struct {
	W       io.Writer
	Columns int // 0: lines are as long as they are
	Colours bool
	Err     error // the first of writing
}

// Style is how text looks, as parameters of SGR (ECMA-48 section 8.3.117).
type Style string

const (
	Plainly Style = ""
	Bold    Style = "1"
	Red     Style = "31"
	Green   Style = "32"
	Yellow  Style = "33"
	Cyan    Style = "36"
)

// Span is a piece of a line.
type Span struct {
	style Style
	text  string
}

func Styled(st Style, text string) Span { return Span{st, text} }

// narrowest is the fewest columns that are wrapped for: below, the terminal does it.
const narrowest = 20

// New asks the environment and then the terminal how wide it is: COLUMNS goes before it, as for ls(1).
func New(w io.Writer, environ []string) *Screen {
	s := &Screen{W: w}
	if n, err := strconv.Atoi(Variable(environ, "COLUMNS")); err == nil && n >= narrowest {
		s.Columns = n
	} else if file := TerminalOf(w); file != nil {
		if n, _, err := term.GetSize(int(file.Fd())); err == nil && n >= narrowest {
			s.Columns = n
		}
	}
	return s
}

// TerminalOf is the terminal that w is, or nil.
func TerminalOf(w io.Writer) *os.File {
	if file, ok := w.(*os.File); ok && term.IsTerminal(int(file.Fd())) {
		return file
	}
	return nil
}

// Colour settles whether there are colours: never for a terminal that has none, or where NO_COLOR is set
// (no-color.org), unless they were asked for.
func (s *Screen) Colour(when string, environ []string) {
	auto := TerminalOf(s.W) != nil && Variable(environ, "NO_COLOR") == "" && Variable(environ, "TERM") != "dumb"
	s.Colours = when == "always" || when == "auto" && auto
}

func Variable(environ []string, name string) string {
	value := ""
	for _, assignment := range environ {
		if v, ok := strings.CutPrefix(assignment, name+"="); ok {
			value = v
		}
	}
	return value
}

// Write shows what it is given as text, unwrapped: JSON, a completion script, a server's messages.
func (s *Screen) Write(p []byte) (int, error) { return plaintext.NewWriter(s.W).Write(p) }

func (s *Screen) paint(st Style, text string) string {
	if !s.Colours || st == Plainly || text == "" {
		return text
	}
	return "\x1b[" + string(st) + "m" + text + "\x1b[0m"
}

// Put writes text behind lead, which is one line's. What does not fit, and further lines of text, stand behind hang.
func (s *Screen) Put(lead []Span, hang string, st Style, text string) {
	var b strings.Builder
	used := 0
	for _, l := range lead {
		shown := plaintext.Line(l.text)
		used += Width(shown)
		b.WriteString(s.paint(l.style, shown))
	}
	for i, line := range s.lines(plaintext.Text(strings.TrimSuffix(text, "\n")), used, len(hang)) {
		if i > 0 {
			b.WriteString("\n" + hang)
		}
		b.WriteString(s.paint(st, line))
	}
	if _, err := io.WriteString(s.W, strings.TrimRight(b.String(), " ")+"\n"); s.Err == nil {
		s.Err = err
	}
}

// lines are those of text, wrapped: the first behind used columns, each other behind hang.
func (s *Screen) lines(text string, used, hang int) (all []string) {
	for line := range strings.SplitSeq(text, "\n") {
		if len(all) > 0 {
			used = hang
		}
		if s.Columns == 0 {
			all = append(all, line)
			continue
		}
		all = append(all, Wrap(line, s.Columns-used, s.Columns-hang)...)
	}
	return all
}

// Line writes one line, whatever line ends its parts have. What does not fit stands two columns in.
func (s *Screen) Line(lead ...Span) {
	last := lead[len(lead)-1]
	s.Put(lead[:len(lead)-1], "  ", last.style, plaintext.Line(last.text))
}

// Item writes text behind its indent. Further lines stand deeper, so that none looks like another item.
func (s *Screen) Item(indent int, st Style, text string) {
	blank := strings.Repeat(" ", indent)
	s.Put([]Span{Styled(Plainly, blank)}, blank+"  ", st, text)
}

// Diff writes a unified diff behind its indent. What does not fit stands deeper than its sign.
func (s *Screen) Diff(indent int, text string) {
	for line := range strings.Lines(text) {
		s.Put([]Span{Styled(Plainly, strings.Repeat(" ", indent))}, strings.Repeat(" ", indent+4), styleOfDiff(line),
			plaintext.Line(strings.TrimSuffix(line, "\n")))
	}
}

func styleOfDiff(line string) Style {
	switch {
	case strings.HasPrefix(line, "---"), strings.HasPrefix(line, "+++"):
		return Bold
	case strings.HasPrefix(line, "@@"):
		return Cyan
	case strings.HasPrefix(line, "+"):
		return Green
	case strings.HasPrefix(line, "-"):
		return Red
	}
	return Plainly
}
