package config

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"wsprovision/provision/config/reading"
	"wsprovision/provision/nginx/nginxtest"
)

// unrendered are the keys of a site that nginx has no part in.
var unrendered = []string{}

// TestEveryKeyOfASiteIsRendered: the example of each key changes the site's file.
func TestEveryKeyOfASiteIsRendered(t *testing.T) {
	for _, k := range Keys() {
		if !strings.HasPrefix(k.Path, "sites[].") || k.Schema == nil || slices.Contains(unrendered, k.Path) {
			continue
		}
		with := rendered(t, document(k, k.Example))
		without := rendered(t, document(reading.Key{Path: k.Path, With: k.With}, standIn(k)))
		if with == nil || bytes.Equal(with, without) {
			t.Errorf("%s: the example %s changes nothing in nginx's file:\n%s", k.Path, k.Example, with)
		}
	}
}

// rendered is what the file makes of its first site, nil where it is refused.
func rendered(t *testing.T, text string) []byte {
	c, err := load(text)
	if err != nil {
		return nil
	}
	content, err := nginxtest.Alone(c.Sites[0])
	if err != nil {
		t.Errorf("%v:\n%s", err, text)
	}
	return content
}
