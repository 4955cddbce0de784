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
		securedRows(), valueRows())
}

// listening is the site on another port.
func listening(port, site string) string {
	return strings.Replace(site, "listen 80", "listen "+port, 1)
}

// of puts rows under a heading.
func of(kind string, all []row) []row {
	for i := range all {
		all[i].kind = kind
	}
	return all
}

var long = strings.Repeat("a", 2000)
