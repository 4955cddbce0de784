package site

import "time"

// TLS names PEM files by absolute path; the certificate's file holds the chain, leaf first. Whether they exist is the
// host's affair.
type TLS struct {
	Certificate, Key string
	Redirect         bool          // port 80 sends to https
	HSTS             time.Duration // 0 for none
	Profile          Profile       // "" is ProfileIntermediate
	HTTP2            bool
	ClientCA         string // "" for none; else clients need a certificate of it
}

// Profile is one of Mozilla's: Server Side TLS, guideline 5.7 (ssl-config.mozilla.org/guidelines/5.7.json).
type Profile string

// The values of Profile.
const (
	ProfileIntermediate Profile = "intermediate"
	ProfileModern       Profile = "modern"
)

// MozillaHSTS is the guideline's max-age.
const MozillaHSTS = 63072000 * time.Second
