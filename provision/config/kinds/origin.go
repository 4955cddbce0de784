package kinds

import (
	"fmt"
	"net/netip"
	"net/url"
	"strings"

	"wsprovision/provision/site"
)

var OriginKinds = Kind[string]{About{Type: "origin", Wrong: "app.example.com",
	Bounds: "http or https, host, and the port where it is not the scheme's own: https://app.example.com; or " +
		"any, alone.",
	Schema: Pattern(`^(any|https?://[^/?#@ ]+)$`)}, originValue, nil}

// originValue is an origin as a browser sends it (RFC 6454, 6.2): scheme, host and a port that is not the scheme's own,
// in lower case.
func originValue(s Scalar) (string, error) {
	value, err := text(s)
	if err != nil || value == site.AnyOrigin {
		return value, err
	}
	u, err := url.Parse(value)
	switch {
	case value == "null":
		return "", fmt.Errorf("null is what a page without an origin sends, and anybody can make one: leave it out")
	case strings.Contains(value, "*"):
		return "", fmt.Errorf("%s: origins are compared whole: list each, or write any for everybody", Quote(value))
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
		return "", fmt.Errorf("%s is no origin: write scheme and host, like https://app.example.com", Quote(value))
	case u.User != nil || u.Path != "" || u.RawQuery != "" || u.Fragment != "" || strings.ContainsAny(value, "?#"):
		return "", fmt.Errorf("%s: an origin ends behind the host or its port: write %s://%s", Quote(value), u.Scheme,
			Cut(u.Host))
	}
	host, err := originHost(u)
	if err != nil {
		return "", fmt.Errorf("%s: %w", Quote(value), err)
	}
	return u.Scheme + "://" + host, nil
}

func originHost(u *url.URL) (string, error) {
	name := strings.ToLower(u.Hostname())
	if ip, err := netip.ParseAddr(name); err == nil && ip.Is6() && ip.Zone() == "" {
		name = "[" + ip.String() + "]"
	} else if err := hostName(name); err != nil {
		return "", err
	}
	number := u.Port()
	if number == "" && !strings.HasSuffix(u.Host, ":") {
		return name, nil
	}
	if _, err := port(number); err != nil {
		return "", err
	}
	if u.Scheme == "http" && number == "80" || u.Scheme == "https" && number == "443" {
		return name, nil
	}
	return name + ":" + number, nil
}
