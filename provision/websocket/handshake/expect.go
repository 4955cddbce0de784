package handshake

import (
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
)

// Expect is what the answer to a handshake has to be besides RFC 6455; the zero value is a 101.
type Expect struct {
	// Status in place of 101, for an application that refuses who has not logged in; 0 is 101.
	Status int
	// Subprotocol is the one that the server has to choose; "" takes each that it may choose.
	Subprotocol string
	// Message is what the first message has to match, text or binary; nil waits for none.
	Message *regexp.Regexp
}

// The values of ExpectError.What.
const (
	ExpectStatus      = "status"
	ExpectSubprotocol = "subprotocol"
	ExpectMessage     = "first message"
)

// ExpectError is an answer that is right by RFC 6455, and not the one that was expected.
type ExpectError struct {
	What      string // one of the words above
	Want, Got string // Got is "" where there was none
	Err       error  // why there was none; nil where one came
}

func (e *ExpectError) Error() string {
	switch {
	case e.Err != nil:
		return fmt.Sprintf("%s: none came, and %s is expected: %v", e.What, e.Want, e.Err)
	case e.Got == "":
		return fmt.Sprintf("%s: there is none, and %s is expected", e.What, e.Want)
	}
	return fmt.Sprintf("%s: %s, and %s is expected", e.What, e.Got, e.Want)
}

func (e *ExpectError) Unwrap() error { return e.Err }

// Any reports whether anything is expected expressly.
func (e Expect) Any() bool { return e.Status != 0 || e.Subprotocol != "" || e.Message != nil }

// String is what was found where all is as expected, "" for nothing but a 101.
func (e Expect) String() string {
	var all []string
	if e.Subprotocol != "" {
		all = append(all, "the subprotocol is "+e.Subprotocol)
	}
	if e.Message != nil {
		all = append(all, "the first message matches "+e.Message.String())
	}
	return strings.Join(all, ", ")
}

func (e Expect) validate(offered []string) error {
	switch refusal := e.Status != 0 && e.Status != http.StatusSwitchingProtocols; {
	case e.Subprotocol != "" && !slices.Contains(offered, e.Subprotocol):
		return fmt.Errorf("subprotocol %q is expected, and not offered", e.Subprotocol)
	case refusal && (e.Subprotocol != "" || e.Message != nil):
		return fmt.Errorf("status %d is expected, which has neither subprotocol nor messages", e.Status)
	}
	return nil
}

// Refused makes nothing of a refusal that was expected.
func (e Expect) Refused(err error) error {
	var status *StatusError
	if errors.As(err, &status) && e.Status != 0 && status.Code == e.Status {
		return nil
	}
	return err
}

// Upgraded judges a handshake that went through.
func (e Expect) Upgraded(hs Result) error {
	switch {
	case e.Status != 0 && e.Status != hs.Status:
		return &ExpectError{What: ExpectStatus, Want: fmt.Sprint(e.Status), Got: fmt.Sprint(hs.Status)}
	case e.Subprotocol != "" && hs.Subprotocol != e.Subprotocol:
		return &ExpectError{What: ExpectSubprotocol, Want: e.Subprotocol, Got: hs.Subprotocol}
	}
	return nil
}
