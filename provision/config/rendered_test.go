package config

import (
	"bytes"
	"cmp"
	"regexp"
	"strings"
	"testing"

	"wsprovision/provision/nginx/nginxtest"
)

// unrendered are the keys of a site that nginx has no part in: how a location is proved.
const unrendered = "sites[].locations[].probe"

// others are values in the place of a key's example, for keys that cannot be left out there.
var others = map[string]string{
	"sites[].locations[].root":                          "/srv",
	"sites[].locations[].backend_tls.ca":                "/other.pem",
	"sites[].locations[].backend_tls.name":              "other.example.com",
	"sites[].locations[].backend_tls.verify":            "true",
	"sites[].locations[].limits.connections_per_client": "7",
	"sites[].locations[].limits.requests_per_second":    "7",
}

// TestEveryKeyOfASiteIsRendered: the example of each key changes the site's file, against the same site with another
// value, or without the key where there need not be one.
func TestEveryKeyOfASiteIsRendered(t *testing.T) {
	for _, k := range keys() {
		if !strings.HasPrefix(k.Path, "sites[].") || k.Schema == nil || strings.HasPrefix(k.Path, unrendered) {
			continue
		}
		other := cmp.Or(others[k.Path], standIn(k))
		text := document(k, other)
		if other == "null" {
			text = regexp.MustCompile(leaf(k)+`: null\n *`).ReplaceAllLiteralString(text, "")
		}
		with, without := rendered(t, document(k, k.Example)), rendered(t, text)
		if with == nil || without == nil || bytes.Equal(with, without) {
			t.Errorf("%s: the example %s changes nothing in nginx's file:\n%s\nwithout:\n%s\n%s", k.Path, k.Example,
				with, text, without)
		}
	}
}

// rendered is what the file makes of its first site, nil where it is refused.
func rendered(t *testing.T, text string) []byte {
	c, err := load(text)
	if err != nil {
		t.Errorf("%v:\n%s", err, text)
		return nil
	}
	content, err := nginxtest.Alone(c.Sites[0])
	if err != nil {
		t.Errorf("%v:\n%s", err, text)
	}
	return content
}
