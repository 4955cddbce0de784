// Package tokens is for splitting a configuration into statements as nginx itself does.
package tokens

import (
	"bytes"
	"fmt"
)

// SyntaxError is what nginx itself would refuse, in its own words and with the line that it would name.
type SyntaxError struct {
	Message, File string
	Line          int
}

func (e *SyntaxError) Error() string { return fmt.Sprintf("%s in %s:%d", e.Message, e.File, e.Line) }

// Fail is a SyntaxError.
func Fail(file string, line int, format string, args ...any) error {
	return &SyntaxError{fmt.Sprintf(format, args...), file, line}
}

// Ending tells what ended a statement.
type Ending int

const (
	Simple    Ending = iota // ;
	Opened                  // {
	Closed                  // } with no words before it
	EndOfFile               // with no words before it
)

// Statement is the words of one statement, and what ended it.
type Statement struct {
	Words []string
	Line  int // of its first word
	End   Ending
}

// longestToken is the size of nginx's buffer for reading its configuration (NGX_CONF_BUFFER). A longer word is refused;
// so is a longer comment, which nginx keeps in the same buffer.
const longestToken = 4096

// Lexer splits a file into statements as ngx_conf_read_token does, oddities included: a word may contain } and quotes
// that it does not begin with, ${ does not open a block, and after a closing quote only space, ;, { or ) may follow.
type Lexer struct {
	file  string
	src   []byte
	pos   int
	line  int
	start int // of the current token, after its quote
	began int // the line of start
}

// New reads a text as the file of that name.
func New(file string, src []byte) *Lexer { return &Lexer{file: file, src: src, line: 1} }

func (l *Lexer) fail(format string, args ...any) error {
	return Fail(l.file, l.line, format, args...)
}

// Next reads one statement.
func (l *Lexer) Next() (Statement, error) {
	var s Statement
	l.start = l.pos
	for {
		c, ok, err := l.first()
		if err != nil {
			return s, err
		}
		if !ok {
			if len(s.Words) > 0 {
				return s, l.fail(`unexpected end of file, expecting ";" or "}"`)
			}
			s.End = EndOfFile
			return s, nil
		}
		if bytes.IndexByte([]byte(";{}"), c) >= 0 {
			l.pos++
			return l.ended(s, c)
		}
		if len(s.Words) == 0 {
			s.Line = l.line
		}
		done, err := l.word(&s, c)
		if done || err != nil {
			return s, err
		}
	}
}

func (l *Lexer) ended(s Statement, c byte) (Statement, error) {
	switch {
	case c == '}' != (len(s.Words) == 0):
		return s, l.fail(`unexpected "%s"`, []byte{c})
	case c == '}':
		s.End, s.Line = Closed, l.line
	case c == '{':
		s.End = Opened
	}
	return s, nil
}

// Line is where the lexer stands.
func (l *Lexer) Line() int { return l.line }

// first skips space and comments and leaves pos on the first character of what follows.
func (l *Lexer) first() (byte, bool, error) {
	comment := false
	for l.pos < len(l.src) {
		if err := l.room(0); err != nil {
			return 0, false, err
		}
		c := l.src[l.pos]
		if c == '\n' {
			l.line++
			comment = false
		} else if !comment && !isSpace(c) {
			l.start, l.began = l.pos, l.line
			if c != '#' {
				return c, true, nil
			}
			comment = true
		}
		l.pos++
		if !comment {
			l.start = l.pos
		}
	}
	return 0, false, nil
}

// word reads one word, and reports whether the character after it ended the statement.
func (l *Lexer) word(s *Statement, c byte) (bool, error) {
	quote := byte(0)
	if c == '"' || c == '\'' {
		quote = c
		l.pos++
		l.start = l.pos
	}
	end, err := l.scan(quote)
	if err != nil {
		return false, err
	}
	s.Words = append(s.Words, unescape(l.src[l.start:end]))
	if quote != 0 {
		if l.pos >= len(l.src) {
			return false, nil // first() reports the end of the file
		}
		if err := l.room(quote); err != nil {
			return false, err
		}
	}
	return l.after(s, quote)
}

// after consumes what follows a word.
func (l *Lexer) after(s *Statement, quote byte) (bool, error) {
	c := l.src[l.pos]
	switch {
	case c == ')' && quote != 0:
		return false, nil // the next word begins with it
	case c == ';' || c == '{':
		l.pos++
		if c == '{' {
			s.End = Opened
		}
		return true, nil
	case c == '\n':
		l.line++
	case !isSpace(c):
		l.pos++
		return false, l.fail(`unexpected "%s"`, []byte{c})
	}
	l.pos++
	l.start = l.pos
	return false, nil
}

// scan moves past a word (and its closing quote) and gives the index of its end.
func (l *Lexer) scan(quote byte) (int, error) {
	variable, escaped := false, false
	for ; l.pos < len(l.src); l.pos++ {
		if err := l.room(quote); err != nil {
			return 0, err
		}
		c := l.src[l.pos]
		switch {
		case escaped:
			escaped = false
		case c == '{' && variable:
			continue // ${ and, as nginx has it, ${{
		case c == '\\':
			escaped, variable = true, false
		case c == '$':
			variable = true
		case quote != 0 && c == quote:
			l.pos++
			return l.pos - 1, nil
		case quote == 0 && (isSpace(c) || c == ';' || c == '{'):
			return l.pos, nil
		default:
			variable = false
		}
		if c == '\n' {
			l.line++
		}
	}
	return 0, l.fail(`unexpected end of file, expecting ";" or "}"`)
}

// room fails where nginx's buffer is full.
func (l *Lexer) room(quote byte) error {
	if l.pos-l.start < longestToken {
		return nil
	}
	l.line = l.began
	if quote != 0 {
		return l.fail(`too long parameter, probably missing terminating "%c" character`, quote)
	}
	return l.fail(`too long parameter "%.10s..." started`, l.src[l.start:])
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\r' || c == '\n' }

// unescape drops the backslash before quotes and backslashes and reads \t, \r and \n; every other backslash stays.
func unescape(word []byte) string {
	if bytes.IndexByte(word, '\\') < 0 {
		return string(word)
	}
	out := make([]byte, 0, len(word))
	for i := 0; i < len(word); i++ {
		if word[i] == '\\' && i+1 < len(word) {
			if at := bytes.IndexByte([]byte("\"'\\trn"), word[i+1]); at >= 0 {
				out = append(out, "\"'\\\t\r\n"[at])
				i++
				continue
			}
		}
		out = append(out, word[i])
	}
	return string(out)
}
