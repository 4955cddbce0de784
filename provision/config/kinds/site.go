package kinds

import (
	"fmt"
	"net/netip"
	"time"

	"wsprovision/provision/site"
)

// The kinds of a site's choices.
var (
	DefaultServers = Kind[site.DefaultServer]{About{Type: "word", Wrong: "false", Bounds: "true or reject.",
		Schema: Schema{"enum": []any{true, "reject"}}}, func(s Scalar) (site.DefaultServer, error) {
		if s.Tag == "!!bool" && s.Text == "true" {
			s.Tag = "!!str"
		}
		value, err := oneOf("true", "reject")(s)
		return site.DefaultServer(value), err
	}, func(v site.DefaultServer) any {
		if v == site.DefaultSite {
			return true
		}
		return string(v)
	}}
	RealIPHeaders = Choices("X-Forwarded-For", "X-Real-IP", site.ProxyProtocol)
	Directories   = Kind[string]{About{Type: "directory", Wrong: "srv/www", Bounds: PemFiles.Bounds,
		Schema: PemFiles.Schema}, filePath, nil}
)

var (
	Profiles = Kind[site.Profile]{About{Type: "word", Wrong: "old", Bounds: "intermediate or modern.",
		Schema: Schema{"enum": []string{"intermediate", "modern"}}}, func(s Scalar) (site.Profile, error) {
		value, err := oneOf("intermediate", "modern")(s)
		return site.Profile(value), err
	}, nil}
	StrictTransport = Kind[time.Duration]{About{Type: "true, false or a duration", Wrong: "31536000",
		Bounds: "From 1s to 17520h, in whole seconds.",
		Schema: Schema{"anyOf": []Schema{Truths.Schema, Pattern(duration)}}}, maxAge, nil}
)

var BackendNames = Kind[string]{About{Type: "host name", Wrong: "app;x",
	Bounds: "Letters, digits, inner hyphens and underscores, 1 to 63 between dots, 253 in all.",
	Schema: Pattern(`^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$`)}, func(s Scalar) (string, error) {
	value, err := text(s)
	if err != nil {
		return "", err
	}
	if err = hostName(value); err == nil {
		if _, address := netip.ParseAddr(value); address == nil {
			err = fmt.Errorf("nginx finds no address in a certificate: write a name that it has")
		}
	}
	if err != nil {
		return "", fmt.Errorf("%s: %w", Quote(value), err)
	}
	return value, nil
}, nil}

// maxAge is true for what Mozilla's guideline has.
func maxAge(s Scalar) (time.Duration, error) {
	if on, err := truth(s); err == nil {
		if on {
			return site.MozillaHSTS, nil
		}
		return 0, nil
	}
	d, err := time.ParseDuration(s.Text)
	if err != nil || d < time.Second || d > 17520*time.Hour || d%time.Second != 0 {
		return 0, fmt.Errorf("%s is neither true, false nor a duration from 1s to 17520h in whole seconds, like 8760h",
			Quote(s.Text))
	}
	return d, nil
}
