package reading

import "testing"

// A problem of what was not written stands where its nearest parent does, also where that is one of a list.
func TestProblemStandsAtTheNearestParent(t *testing.T) {
	o := Origins{"": {Source: "a"}, "sites": {Source: "a", Line: 1}, "sites[0]": {Source: "a", Line: 2},
		"sites[0].locations": {Source: "a", Line: 3}, "epel": {Source: "b", Line: 9}}
	for key, line := range map[string]int{"sites[0].locations[4]": 3, "sites[0].locations[4].path": 3,
		"sites[0].tls.key": 2, "sites[1]": 1, "epel.source": 9, "wait": 0, "sites[0]": 2} {
		if p := o.Problem(key, "x"); p.Line != line || p.Key != key {
			t.Errorf("%s: line %d, want %d", key, p.Line, line)
		}
	}
}
