package kinds

import (
	"fmt"
	"time"

	"wsprovision/provision/site"
)

// The kinds of a location's choices.
var (
	Matches = Kind[site.Match]{About{Type: "word", Wrong: "glob", Bounds: "prefix, exact or regex.",
		Schema: Schema{"enum": []string{"prefix", "exact", "regex"}}}, func(s Scalar) (site.Match, error) {
		value, err := oneOf("prefix", "exact", "regex")(s)
		return site.Match(value), err
	}, nil}
	WebSockets = Kind[string]{About{Type: "true, false or only", Wrong: "yes", Bounds: "Without quotes.",
		Schema: Schema{"enum": []any{true, false, OnlyWord}}}, webSocketValue, func(v string) any {
		if v == OnlyWord {
			return v
		}
		return v == "true"
	}}
	Switches = Kind[*bool]{Truths.About, func(s Scalar) (*bool, error) {
		on, err := truth(s)
		if err != nil {
			return nil, err
		}
		return &on, nil
	}, func(v *bool) any { return *v }}
	Heartbeats = Kind[time.Duration]{About{Type: "duration", Wrong: "30", Bounds: "From 1s to 8h, in whole " +
		"milliseconds.",
		Schema: Pattern(duration)}, func(s Scalar) (time.Duration, error) {
		d, err := timeout(s)
		if err == nil && (d < time.Second || d > 8*time.Hour) {
			return 0, fmt.Errorf("%s must be from 1s to 8h", Quote(s.Text))
		}
		return d, err
	}, nil}
)

const OnlyWord = "only"

func webSocketValue(s Scalar) (string, error) {
	if s.Text == OnlyWord && (s.Tag == "" || s.Tag == "!!str") {
		return OnlyWord, nil
	}
	on, err := truth(s)
	if err != nil {
		return "", fmt.Errorf("%s is none of true, false and only (without quotes)", Quote(s.Text))
	}
	return fmt.Sprint(on), nil
}
