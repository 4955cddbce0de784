package kinds

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// Scalar is one value as it was written. YAML's own idea of its type is kept apart from the text, so that 75, "75" and
// 080 are never made into a number before somebody asked whether a number is right.
type Scalar struct {
	Text string
	Tag  string // YAML's: !!str, !!int, !!bool, …; "" from a flag or a variable, which have no types
}

// text is a string that somebody meant as one and that is not empty.
func text(s Scalar) (string, error) {
	switch {
	case s.Text == "" || s.Tag == "!!null":
		return "", fmt.Errorf("is empty: give it a value, or remove it")
	case s.Tag != "" && s.Tag != "!!str":
		return "", fmt.Errorf("%s is not text: put it in quotes", Quote(s.Text))
	}
	return s.Text, nil
}

// truth takes true and false; neither "true", nor yes, nor 1.
func truth(s Scalar) (bool, error) {
	value := strings.ToLower(s.Text)
	if (s.Tag == "" || s.Tag == "!!bool") && (value == "true" || value == "false") {
		return value == "true", nil
	}
	return false, fmt.Errorf("%s is neither true nor false (without quotes)", Quote(s.Text))
}

// oneOf takes exactly one of the words.
func oneOf(words ...string) func(Scalar) (string, error) {
	return func(s Scalar) (string, error) {
		value, err := text(s)
		if err != nil {
			return "", err
		}
		for _, w := range words {
			if value == w {
				return w, nil
			}
		}
		return "", fmt.Errorf("%s is none of %s", Quote(value), strings.Join(words, ", "))
	}
}

const year = 365 * 24 * time.Hour

// timeout is a duration that nginx can count: whole milliseconds, more than none.
func timeout(s Scalar) (time.Duration, error) {
	d, err := wait(s)
	if err == nil && d == 0 {
		return 0, fmt.Errorf("%s must be more than 0", Quote(s.Text))
	}
	return d, err
}

// Duration reads a duration as a flag has it: with a unit, in whole milliseconds, from 0s to a year.
func Duration(text string) (time.Duration, error) { return wait(Scalar{Text: text}) }

// wait is a duration that may be 0s.
func wait(s Scalar) (time.Duration, error) {
	if s.Text == "" || s.Tag == "!!null" {
		_, err := text(Scalar{})
		return 0, err
	}
	if _, err := strconv.ParseFloat(s.Text, 64); err == nil {
		return 0, fmt.Errorf("%s of what? write %ss", Cut(s.Text), Cut(s.Text))
	}
	d, err := time.ParseDuration(s.Text)
	switch {
	case err != nil:
		return 0, fmt.Errorf("%s is not a duration: write it like 24h, 90m, 75s or 500ms", Quote(s.Text))
	case d < 0 || d > year:
		return 0, fmt.Errorf("%s must be from 0s to 8760h", Quote(s.Text))
	case d%time.Millisecond != 0:
		return 0, fmt.Errorf("%s must be whole milliseconds", Quote(s.Text))
	}
	return d, nil
}

// Cut is quote without the quotes.
func Cut(s string) string {
	q := Quote(s)
	return q[1 : len(q)-1]
}

const (
	letters  = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	digits   = "0123456789"
	Alphanum = letters + digits
)

// Only refuses a value with a character outside allowed. A list of what is harmless is shorter than one of what is not,
// and stays true when nginx learns new syntax.
func Only(value, allowed string) error {
	for _, r := range value {
		switch {
		case strings.ContainsRune(allowed, r):
		case r > unicode.MaxASCII:
			return fmt.Errorf("%s holds %s: only ASCII is accepted", Quote(value), strconv.QuoteRuneToASCII(r))
		case unicode.IsSpace(r):
			return fmt.Errorf("%s holds white space (%s), which is not accepted here", Quote(value),
				strconv.QuoteRuneToASCII(r))
		default:
			return fmt.Errorf("%s holds %s, which is not accepted here", Quote(value), strconv.QuoteRuneToASCII(r))
		}
	}
	return nil
}

// Quote shows a value as it was written, all of it visible, and not for ever.
func Quote(s string) string {
	const enough = 80
	if len(s) > enough {
		s = s[:enough] + "..."
	}
	return strconv.QuoteToASCII(s)
}
