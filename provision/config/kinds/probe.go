package kinds

import (
	"fmt"
	"regexp"
	"strings"

	"wsprovision/provision/site"
)

// The kinds of a probe's values.
var (
	ProbePaths = Kind[string]{About{Type: "path and query", Wrong: "ws/",
		Bounds: "As a location's path; behind a ? the query, of printable ASCII without blank, quotes, < > and #. At " +
			"most 1000 characters.",
		Schema: Schema{"type": "string", "maxLength": 1000, "pattern": `^/[^ "<>#]*$`}}, probePath, nil}
	Words = Kind[string]{About{Type: "word", Wrong: "a b",
		Bounds: "At most 100 letters, digits and ! # $ % & ' * + - . ^ _ | ~ (RFC 9110, 5.6.2).",
		Schema: Pattern("^[A-Za-z0-9!#$%&'*+.^_|~-]{1,100}$")}, tokenValue, nil}
	OneOrigin = Kind[string]{About{Type: "origin", Wrong: "any",
		Bounds: "http or https, host, and the port where it is not the scheme's own.",
		Schema: Pattern(`^https?://[^/?#@ ]+$`)}, func(s Scalar) (string, error) {
		value, err := originValue(s)
		if err == nil && value == site.AnyOrigin {
			return "", fmt.Errorf("any is no origin that a page has: write one, like https://app.example.com")
		}
		return value, err
	}, nil}
	Messages = Kind[string]{About{Type: "text", Wrong: "", Bounds: "From 1 to 1000 characters.",
		Schema: Schema{"type": "string", "minLength": 1, "maxLength": 1000}}, messageValue, nil}
	Patterns = Kind[string]{About{Type: "regular expression", Wrong: "(",
		Bounds: "Of Go's (golang.org/s/re2syntax), at most 1000 characters.",
		Schema: Schema{"type": "string", "minLength": 1, "maxLength": 1000}}, patternValue, nil}
)

func probePath(s Scalar) (string, error) {
	value, err := text(s)
	if err != nil {
		return "", err
	}
	path, query, _ := strings.Cut(value, "?")
	if _, err := LocationPath(Scalar{Text: path, Tag: "!!str"}); err != nil {
		return "", err
	}
	if len(value) > 1000 {
		return "", fmt.Errorf("%s has more than 1000 characters", Quote(value))
	}
	for _, c := range []byte(query) {
		if c <= ' ' || c > '~' || strings.IndexByte(`"'<>#\`, c) >= 0 {
			return "", fmt.Errorf("%s: write what a query may not have as %%XX", Quote(value))
		}
	}
	return value, nil
}

func tokenValue(s Scalar) (string, error) {
	value, err := text(s)
	if err == nil && len(value) > 100 {
		err = fmt.Errorf("%s has more than 100 characters", Quote(value))
	}
	if err != nil {
		return "", err
	}
	return value, Only(value, Alphanum+"!#$%&'*+-.^_|~")
}

func messageValue(s Scalar) (string, error) {
	value, err := text(s)
	if err == nil && len(value) > 1000 {
		err = fmt.Errorf("has more than 1000 characters")
	}
	return value, err
}

func patternValue(s Scalar) (string, error) {
	value, err := messageValue(s)
	if err != nil {
		return "", err
	}
	if _, err := regexp.Compile(value); err != nil {
		return "", fmt.Errorf("%s is no regular expression: %w", Quote(value), err)
	}
	return value, nil
}
