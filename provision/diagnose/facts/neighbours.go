package facts

import (
	"fmt"
	"strings"

	"wsprovision/provision/diagnose/cause"
	"wsprovision/provision/host"
)

// Nearby says where that port is taken on another address.
func Nearby(e *Evidence, port int) string {
	var at []string
	for _, s := range host.Listening(e.Sockets, uint16(port)) {
		at = append(at, s.Local.String())
	}
	if len(at) == 0 {
		return ""
	}
	return "somebody listens on " + strings.Join(at, " and ")
}

// WhoListens names the command that shows who listens on an address.
func WhoListens(address string) cause.Mend {
	return cause.Do("ss", "-ltnp", fmt.Sprintf("sport = :%d", PortOf(address))).
		Note("names the program: start the backend there")
}
