package variable

import "fmt"

// Value is a text, known or not.
type Value struct {
	Text  string
	Known bool
	// Why says what keeps it from being known.
	Why string
}

// Known is a text that is known.
func Known(text string) Value { return Value{Text: text, Known: true} }

// Unknown says why a text is not known.
func Unknown(format string, args ...any) Value { return Value{Why: fmt.Sprintf(format, args...)} }

// AsValue is a text that is known unless there is an error.
func AsValue(text string, err error) Value {
	if err != nil {
		return Unknown("%v", err)
	}
	return Known(text)
}
