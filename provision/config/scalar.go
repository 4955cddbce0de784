package config

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// scalar is one value as it was written. YAML's own idea of its type is kept apart from the text, so that 75, "75" and
// 080 are never made into a number before somebody asked whether a number is right.
type scalar struct {
	text string
	tag  string // YAML's: !!str, !!int, !!bool, …; "" from a flag or a variable, which have no types
}

// text is a string that somebody meant as one and that is not empty.
func text(s scalar) (string, error) {
	switch {
	case s.text == "" || s.tag == "!!null":
		return "", fmt.Errorf("is empty: give it a value, or remove it")
	case s.tag != "" && s.tag != "!!str":
		return "", fmt.Errorf("%s is not text: put it in quotes", quote(s.text))
	}
	return s.text, nil
}

// truth takes true and false; neither "true", nor yes, nor 1.
func truth(s scalar) (bool, error) {
	value := strings.ToLower(s.text)
	if (s.tag == "" || s.tag == "!!bool") && (value == "true" || value == "false") {
		return value == "true", nil
	}
	return false, fmt.Errorf("%s is neither true nor false (without quotes)", quote(s.text))
}

// oneOf takes exactly one of the words.
func oneOf(words ...string) func(scalar) (string, error) {
	return func(s scalar) (string, error) {
		value, err := text(s)
		if err != nil {
			return "", err
		}
		for _, w := range words {
			if value == w {
				return w, nil
			}
		}
		return "", fmt.Errorf("%s is none of %s", quote(value), strings.Join(words, ", "))
	}
}

const year = 365 * 24 * time.Hour

// timeout is a duration that nginx can count: whole milliseconds, more than none.
func timeout(s scalar) (time.Duration, error) {
	d, err := wait(s)
	if err == nil && d == 0 {
		return 0, fmt.Errorf("%s must be more than 0", quote(s.text))
	}
	return d, err
}

// Duration reads a duration as a flag has it: with a unit, in whole milliseconds, from 0s to a year.
func Duration(text string) (time.Duration, error) { return wait(scalar{text: text}) }

// wait is a duration that may be 0s.
func wait(s scalar) (time.Duration, error) {
	if s.text == "" || s.tag == "!!null" {
		_, err := text(scalar{})
		return 0, err
	}
	if _, err := strconv.ParseFloat(s.text, 64); err == nil {
		return 0, fmt.Errorf("%s of what? write %ss", cut(s.text), cut(s.text))
	}
	d, err := time.ParseDuration(s.text)
	switch {
	case err != nil:
		return 0, fmt.Errorf("%s is not a duration: write it like 24h, 90m, 75s or 500ms", quote(s.text))
	case d < 0 || d > year:
		return 0, fmt.Errorf("%s must be from 0s to 8760h", quote(s.text))
	case d%time.Millisecond != 0:
		return 0, fmt.Errorf("%s must be whole milliseconds", quote(s.text))
	}
	return d, nil
}

// cut is quote without the quotes.
func cut(s string) string {
	q := quote(s)
	return q[1 : len(q)-1]
}

const (
	letters  = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	digits   = "0123456789"
	alphanum = letters + digits
)

// only refuses a value with a character outside allowed. A list of what is harmless is shorter than one of what is not,
// and stays true when nginx learns new syntax.
func only(value, allowed string) error {
	for _, r := range value {
		switch {
		case strings.ContainsRune(allowed, r):
		case r > unicode.MaxASCII:
			return fmt.Errorf("%s holds %s: only ASCII is accepted", quote(value), strconv.QuoteRuneToASCII(r))
		case unicode.IsSpace(r):
			return fmt.Errorf("%s holds white space (%s), which is not accepted here", quote(value),
				strconv.QuoteRuneToASCII(r))
		default:
			return fmt.Errorf("%s holds %s, which is not accepted here", quote(value), strconv.QuoteRuneToASCII(r))
		}
	}
	return nil
}
