package site

import "time"

// Location is a path prefix and where it goes.
type Location struct {
	Path    string // kept as the client sent it
	Backend Backend
	// WebSocket passes Upgrade on. Without it the location is plain HTTP.
	WebSocket bool
	// Whole milliseconds. 0 is the default, which DefaultTimeouts tells.
	ReadTimeout, SendTimeout, ConnectTimeout time.Duration
}
