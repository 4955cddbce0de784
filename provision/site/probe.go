package site

// Probe is how the proof opens a WebSocket in a location: as a client of the application would. Of a refusal of nginx's
// own, for want of what is not given here, the proof goes no further.
type Probe struct {
	Path            string // with the query, as it is sent; "" is the location's
	Subprotocol     string // offered, "" for none
	Origin          string // "" is the first of AllowedOrigins, where there are any
	Headers         []Header
	CredentialsFile string // user:password, or header lines; "" for none
	// Certificate and Key are PEM files of the client that tls.client_ca wants.
	Certificate, Key string
	Send             string // a text message that the application waits for, "" for none
	Expect           *Expect
}

// Expect is what the application has to answer; nil is a 101.
type Expect struct {
	Status      int    // 0 is 101
	Subprotocol string // that it has to choose, "" for any
	Message     string // regular expression of Go's that its first message has to match, "" for none
}
