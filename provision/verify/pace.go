package verify

import (
	"time"

	"wsprovision/provision/config"
	"wsprovision/provision/websocket/handshake"
)

// paces keep the requests to a location that counts them (limits.requests_per_second) as far apart as it wants them:
// its 429 to a proof would say nothing of the site. nginx counts by location, whatever the address that it came by.
type paces struct {
	began time.Time
	of    map[string]*handshake.Pace
}

// location is nil for one that counts none. A burst is not used up: clients of this host may count on it.
func (p *paces) location(s config.Site, l config.Location) *handshake.Pace {
	if l.Limits == nil || l.Limits.RequestsPerSecond == 0 {
		return nil
	}
	if p.of == nil {
		p.began, p.of = time.Now(), map[string]*handshake.Pace{}
	}
	key := s.Name + " " + string(l.Match) + " " + l.Path
	if p.of[key] == nil {
		every := time.Second / time.Duration(l.Limits.RequestsPerSecond)
		p.of[key] = handshake.NewPace(p.began, every+every/10)
	}
	return p.of[key]
}
