package config

import (
	"fmt"
	"time"

	"wsprovision/provision/site"
)

// The kinds of a location's choices.
var (
	matches = kind[site.Match]{about{Type: "word", Wrong: "glob", Bounds: "prefix, exact or regex.",
		Schema: schema{"enum": []string{"prefix", "exact", "regex"}}}, func(s scalar) (site.Match, error) {
		value, err := oneOf("prefix", "exact", "regex")(s)
		return site.Match(value), err
	}, nil}
	webSockets = kind[string]{about{Type: "true, false or only", Wrong: "yes", Bounds: "Without quotes.",
		Schema: schema{"enum": []any{true, false, onlyWord}}}, webSocketValue, func(v string) any {
		if v == onlyWord {
			return v
		}
		return v == "true"
	}}
	switches = kind[*bool]{truths.about, func(s scalar) (*bool, error) {
		on, err := truth(s)
		if err != nil {
			return nil, err
		}
		return &on, nil
	}, func(v *bool) any { return *v }}
	heartbeats = kind[time.Duration]{about{Type: "duration", Wrong: "30", Bounds: "From 1s to 8h, in whole " +
		"milliseconds.",
		Schema: pattern(duration)}, func(s scalar) (time.Duration, error) {
		d, err := timeout(s)
		if err == nil && (d < time.Second || d > 8*time.Hour) {
			return 0, fmt.Errorf("%s must be from 1s to 8h", quote(s.text))
		}
		return d, err
	}, nil}
)

const onlyWord = "only"

func webSocketValue(s scalar) (string, error) {
	if s.text == onlyWord && (s.tag == "" || s.tag == "!!str") {
		return onlyWord, nil
	}
	on, err := truth(s)
	if err != nil {
		return "", fmt.Errorf("%s is none of true, false and only (without quotes)", quote(s.text))
	}
	return fmt.Sprint(on), nil
}

func webSocketWord(l Location) string {
	if l.Only {
		return onlyWord
	}
	return fmt.Sprint(l.WebSocket)
}

// setWebSocket leaves it on where the value was wrong.
func setWebSocket(l *Location, word string) { l.WebSocket, l.Only = word != "false", word == onlyWord }

// completeLocation gives what was not asked for its default.
func completeLocation(r *reader, key string, l *Location) {
	switch {
	case r.at.has(key + ".root"):
		l.WebSocket = r.at.has(key+".websocket") && l.WebSocket
		return
	case !r.at.has(key + ".backend"):
		r.p.add(Problem{Key: key + ".backend", Line: r.at[key].line, Source: r.path,
			Message: "is missing: where the requests go, like 127.0.0.1:3000 (or root, for static files)"})
	}
	fillLocation(l)
}

// fillLocation gives the timeouts that suit the kind: a WebSocket may be silent for a day, or for two heartbeats and
// some more, a plain response not.
func fillLocation(l *Location) {
	silence := plainTimeout
	switch {
	case l.Heartbeat > 0:
		silence = 3 * l.Heartbeat
	case l.WebSocket:
		silence = webSocketTimeout
	}
	fill(&l.ReadTimeout, silence)
	fill(&l.SendTimeout, silence)
	fill(&l.ConnectTimeout, connectTimeout)
}

func fill(at *time.Duration, standard time.Duration) {
	if *at == 0 {
		*at = standard
	}
}

// unlessHeartbeat is a timeout that does not follow from the heartbeat.
func unlessHeartbeat(l Location, d time.Duration) time.Duration {
	if l.Heartbeat > 0 {
		return 0
	}
	return d
}

func newLocation(path string, to []Backend, webSocket bool) Location {
	l := Location{Path: path, Backends: to, WebSocket: webSocket}
	fillLocation(&l)
	return l
}
