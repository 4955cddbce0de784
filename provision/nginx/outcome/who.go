package outcome

import (
	"fmt"
	"strings"
)

// Seen is an answer as its client got it.
type Seen struct {
	Status           int
	Location, Server string
	// Body is its beginning; "" where it is not known.
	Body string
}

// OwnPage reports whether the body is the page that nginx makes for the status (ngx_http_special_response.c). A backend
// that is an nginx makes the same.
func (s Seen) OwnPage() bool {
	return strings.Contains(s.Body, "<center>nginx") && strings.Contains(s.Body, fmt.Sprintf("<title>%d ", s.Status))
}

// Makers are those ends of the route that can have given the answer, nginx's own before the backend's. None: it was not
// given on this route, or the route was not followed. More than one: it cannot be told.
func Makers(r Route, s Seen) []End {
	var own, backends []End
	for _, e := range append([]End{r.End}, r.May...) {
		switch {
		case e.Answer != nil && e.Answer.fits(s):
			own = append(own, e)
		case e.Pass != nil && (e.Pass.Override == 0 || e.Pass.Override == s.Status):
			backends = append(backends, e)
		}
	}
	return append(own, backends...)
}

// Whole reports whether Makers knows all who can have answered: the route and what may come between were followed.
func (r Route) Whole() bool {
	for _, e := range append([]End{r.End}, r.May...) {
		if e.Unfollowed != nil {
			return false
		}
	}
	return true
}

// fits compares what nginx would answer with what was seen. Nginx names itself in Server whatever a configuration says,
// but for modules that are not its own.
func (a *Answer) fits(s Seen) bool {
	switch {
	case a.Status != s.Status || s.Server != "" && !strings.HasPrefix(s.Server, "nginx"):
		return false
	case a.Location.Known && IsRedirect(a.Status) && a.Location.Text != s.Location:
		return false
	}
	return s.Body == "" || (a.Body == OwnPage) == s.OwnPage()
}

// IsRedirect reports whether an answer with the status has a Location.
func IsRedirect(status int) bool {
	return status == 301 || status == 302 || status == 303 || status == 307 || status == 308
}
