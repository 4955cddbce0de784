package site

import "time"

// Location is a path and what answers there: a backend, or files below Root.
type Location struct {
	Path        string
	Match       Match
	StripPrefix bool // the backend does not see the path
	// Backends are the servers, at least one where there is no Root; all of them with TLS or none.
	Backends  []Backend
	Balance   string // one of the words of BalanceRoundRobin and its like
	Keepalive int    // idle connections that each worker keeps to the backends, 0 for none
	// Resolver are DNS servers, address or address:port, that nginx asks for the backend's name again and again.
	Resolver   []string
	BackendTLS *BackendTLS // nil is its zero value
	Root       string      // directory, "" where there is a backend
	// WebSocket passes Upgrade on. Without it the location is plain HTTP. Only refuses what asks for no WebSocket.
	WebSocket, Only bool
	// Heartbeat is how often the application sends something, 0 where nobody knows. The timeouts follow from it.
	Heartbeat time.Duration
	// Whole milliseconds. 0 is the renderer's default: 24h, 24h and 60s; for plain HTTP 60s each, nginx's own.
	ReadTimeout, SendTimeout, ConnectTimeout time.Duration
	Buffering                                *bool // nil leaves it to nginx
	// MaxBody is as nginx writes it, 0 for no bound, "" for nginx's own.
	MaxBody        string
	RequestHeaders []Header
	// AllowedOrigins are those whose pages may open a WebSocket; AnyOrigin alone is everybody, as none is.
	AllowedOrigins []string
	BasicAuthFile  string
	// Addresses or CIDR. Deny goes before Allow; where there is an Allow, everybody else is denied.
	Allow, Deny []string
	Limits      *Limits
	Snippet     string // nginx's own directives, unchecked
	Probe       *Probe // nil is its zero value
}

// Match is how a location's path is compared.
type Match string

// The values of Match; "" is MatchPrefix.
const (
	MatchPrefix Match = "prefix"
	MatchExact  Match = "exact"
	MatchRegex  Match = "regex"
)

// AnyOrigin stands for every origin.
const AnyOrigin = "any"

// Header is a request header for the backend; an empty value takes it away.
type Header struct{ Name, Value string }

// Limits are for each client address; 0 is none.
type Limits struct {
	ConnectionsPerClient int
	RequestsPerSecond    int
	Burst                int // requests above the rate that are let through at once
}
