package kinds

import (
	"fmt"
	"strconv"
	"strings"
)

// Counts is a whole number from least to most.
func Counts(least, most int) Kind[int] {
	return Kind[int]{About{Type: "number", Wrong: strconv.Itoa(most + 1),
		Bounds: fmt.Sprintf("From %d to %d.", least, most),
		Schema: Schema{"type": "integer", "minimum": least, "maximum": most}},
		func(s Scalar) (int, error) {
			n, err := strconv.Atoi(s.Text)
			if s.Tag != "" && s.Tag != "!!int" || err != nil || strconv.Itoa(n) != s.Text || n < least || n > most {
				return 0, fmt.Errorf("%s must be a whole number from %d to %d", Quote(s.Text), least, most)
			}
			return n, nil
		}, nil}
}

// unbounded is the max_body that nginx writes as 0.
const unbounded = "unlimited"

var Sizes = Kind[string]{About{Type: "size", Wrong: "10MB",
	Bounds: "A number of bytes from 1 to 999999999, or of k, m or g (10m); unlimited for no bound.",
	Schema: Schema{"type": []string{"integer", "string"}, "minimum": 1, "maximum": 999999999,
		"pattern": `^([1-9][0-9]{0,8}[kmg]?|unlimited)$`}}, size, sizeText}

func sizeText(v string) any {
	if v == "0" {
		return unbounded
	}
	return v
}

// size is written as nginx reads it (ngx_parse_offset), where 0 is no bound.
func size(s Scalar) (string, error) {
	if s.Tag == "!!int" {
		s.Tag = "!!str"
	}
	value, err := text(s)
	if err != nil {
		return "", err
	}
	lower := strings.ToLower(value)
	number := lower
	if strings.ContainsAny(lower[len(lower)-1:], "kmg") {
		number = lower[:len(lower)-1]
	}
	n, err := strconv.ParseUint(number, 10, 64)
	switch {
	case lower == unbounded:
		return "0", nil
	case value == "0":
		return "", fmt.Errorf("0 would be no bound to nginx: write unlimited")
	case err != nil || n == 0 || n > 999999999 || strconv.FormatUint(n, 10) != number:
		return "", fmt.Errorf("%s is no size: write it like 512k, 10m or 1g, or unlimited", Quote(value))
	}
	return lower, nil
}
