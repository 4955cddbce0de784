package sitekeys

import (
	"fmt"
	"time"

	"wsprovision/provision/config/kinds"
	"wsprovision/provision/config/reading"
	"wsprovision/provision/site"
)

func webSocketWord(l site.Location) string {
	if l.Only {
		return kinds.OnlyWord
	}
	return fmt.Sprint(l.WebSocket)
}

// setWebSocket leaves it on where the value was wrong.
func setWebSocket(l *site.Location, word string) {
	l.WebSocket, l.Only = word != "false", word == kinds.OnlyWord
}

// How long is waited where nobody says.
const (
	webSocketTimeout = 24 * time.Hour
	plainTimeout     = 60 * time.Second // nginx's own default for proxy_read_timeout and proxy_send_timeout
	connectTimeout   = 60 * time.Second
)

// completeLocation gives what was not asked for its default.
func completeLocation(r *reading.Reader, key string, l *site.Location) {
	switch {
	case r.At.Has(key + ".root"):
		l.WebSocket = r.At.Has(key+".websocket") && l.WebSocket
		return
	case !r.At.Has(key + ".backend"):
		r.Problems.Add(reading.Problem{Key: key + ".backend", Line: r.At[key].Line, Source: r.Path,
			Message: "is missing: where the requests go, like 127.0.0.1:3000 (or root, for static files)"})
	}
	fillLocation(l)
}

// fillLocation gives the timeouts that suit the kind: a WebSocket may be silent for a day, or for two heartbeats and
// some more, a plain response not.
func fillLocation(l *site.Location) {
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
func unlessHeartbeat(l site.Location, d time.Duration) time.Duration {
	if l.Heartbeat > 0 {
		return 0
	}
	return d
}

func NewLocation(path string, to []site.Backend, webSocket bool) site.Location {
	l := site.Location{Path: path, Backends: to, WebSocket: webSocket}
	fillLocation(&l)
	return l
}
