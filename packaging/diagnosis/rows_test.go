//go:build diagnosis

package diagnosis

import (
	"slices"
	"strings"
)

// rows are all rows, in the order of the table.
func rows() []row {
	return slices.Concat(headerRows(), answerRows(), routeRows(), upstreamRows(), familyRows(), backendRows(),
		serverRows(), socketRows(), tlsRows(), configRows(), loadRows(), ownRows(), inheritanceRows(), pathRows(),
		ruleRows(), groupRows(), nameRows(), lifetimeRows(), mistakeRows(), seenRows(), reachedRows(), furtherRows(),
		securedRows(), valueRows(), otherRows())
}

// listening is the site on another port.
func listening(port, site string) string {
	return strings.Replace(site, "listen 80", "listen "+port, 1)
}

// until waits for a condition, for five seconds at most: a busy machine takes its time.
func until(condition string) string {
	return "for i in $(seq 250); do " + condition + " && break; sleep 0.02; done"
}

// sockets is that so many connections go to the port.
func sockets(least, port string) string {
	return until("[ $(ss -Htan dport = :" + port + " | wc -l) -ge " + least + " ]")
}

// of puts rows under a heading.
func of(kind string, all []row) []row {
	for i := range all {
		all[i].kind = kind
	}
	return all
}

var long = strings.Repeat("a", 2000)
