package tokens

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Check says what keeps a text from standing inside a block: wrong syntax, a } too many or missing, and directives
// whose names are refused. Its lines are the text's.
func Check(text string, refused ...string) error {
	lex := New("", []byte(text))
	for depth, statements := 0, 0; ; {
		s, err := lex.Next()
		var wrong *SyntaxError
		switch {
		case errors.As(err, &wrong):
			return fmt.Errorf("line %d: %s", wrong.Line, wrong.Message)
		case s.End == EndOfFile && depth > 0:
			return fmt.Errorf("a block is not closed: %d } are missing", depth)
		case s.End == EndOfFile && statements == 0:
			return fmt.Errorf("holds no directive: remove it")
		case s.End == EndOfFile:
			return nil
		case s.End == Closed && depth == 0:
			return fmt.Errorf("line %d: } would end the block around it", s.Line)
		case s.End == Closed:
			depth--
			continue
		case slices.Contains(refused, s.Words[0]):
			return fmt.Errorf("line %d: %s is not accepted: it brings in what this file does not show", s.Line,
				s.Words[0])
		case strings.HasSuffix(s.Words[0], "_by_lua_block"):
			return fmt.Errorf("line %d: %s is not accepted: its braces are Lua's", s.Line, s.Words[0])
		case s.End == Opened:
			depth++
		}
		statements++
	}
}
