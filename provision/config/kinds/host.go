package kinds

import (
	"fmt"
	"strings"

	"wsprovision/provision/lazy"
	"wsprovision/provision/site"
)

// The kinds of the host's values.
var (
	Packages = Kind[string]{About{Type: "URL or file", Wrong: "epel.rpm",
		Bounds: "An http, https or file URL, or an absolute path, of at most 1000 characters.",
		Schema: Pattern(`^(https?://|file:///|/)`)}, urlOrPath, nil}
	Repositories = Kind[string]{About{Type: "URL", Wrong: "/srv/epel",
		Bounds: "An http, https or file URL of at most 1000 characters. May hold $basearch and $releasever.",
		Schema: Pattern(`^(https?://|file:///)`)}, baseURL, nil}
	Capacities = Kind[site.Capacity]{Counts(1, 500000).About, func(s Scalar) (site.Capacity, error) {
		n, err := Counts(1, 500000).Parse(s)
		return site.Capacity(n), err
	}, nil}
	Walls = Kind[string]{About{Type: "leave, open or a zone", Wrong: "public zone",
		Bounds: "A zone has up to 17 letters, digits, - and _.", Schema: Pattern(zonePattern)}, zoneName, nil}
	Fingerprints = Kind[string]{About{Type: "fingerprint", Wrong: "352C64E5",
		Bounds: "40 hexadecimal digits; blanks are ignored.",
		Schema: Pattern(`^([0-9A-Fa-f] *){40}$`)}, fingerprint, nil}
)

// zonePattern is what firewalld 0.6.3 takes for a zone's name (max_zone_name_len: it is part of a chain's name).
const zonePattern = `^[A-Za-z0-9_][A-Za-z0-9_-]{0,16}$`

var isZone = lazy.Regexp(zonePattern)

func zoneName(s Scalar) (string, error) {
	value, err := text(s)
	if err != nil {
		return "", err
	}
	if !isZone().MatchString(value) {
		return "", fmt.Errorf("%s is neither leave nor open nor the name of a zone of firewalld's (%s)", Quote(value),
			"firewall-cmd --get-zones lists them")
	}
	return value, nil
}

// fingerprint takes any scalar's text: forty digits without a letter, or with one E, are a number to YAML.
func fingerprint(s Scalar) (string, error) {
	value := strings.ToUpper(strings.Join(strings.Fields(s.Text), ""))
	switch {
	case value == "" || s.Tag == "!!null":
		return text(Scalar{})
	case len(value) != 40 || strings.Trim(value, "0123456789ABCDEF") != "":
		return "", fmt.Errorf("%s must be the key's whole fingerprint, 40 hexadecimal digits: gpg --with-fingerprint "+
			"FILE shows it", Quote(s.Text))
	}
	return value, nil
}
