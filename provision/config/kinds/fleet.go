package kinds

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"wsprovision/provision/plaintext"
)

// The kinds of what a fleet is run by.
var (
	ReportAddresses = Kind[string]{About{Type: "URL", Wrong: "ftp://reports.example.com/",
		Bounds: "An http or https URL of at most 1000 characters. With a user, a password or a query it is https, " +
			"unless it leads to this host.", Schema: Pattern(`^https?://`)}, reportAddress, nil}
	Textfiles = Kind[string]{About{Type: "file", Wrong: "/var/tmp/wsprovision.prom",
		Bounds: "An absolute path that ends in .prom, as node_exporter reads no other file, and not below /tmp, " +
			"/var/tmp, /home, /root and /run/user, where the first boot does not write.",
		Schema: Pattern(`^/[A-Za-z0-9/._~+,=:@-]*\.prom$`)}, textfile, nil}
	Splays = Kind[time.Duration]{About{Type: "duration", Wrong: "75",
		Bounds: "From 0s to 24h, in whole milliseconds.", Schema: Pattern(duration)}, splay,
		func(d time.Duration) any { return plaintext.Duration(d) }}
)

// reportAddress is where a report can be sent to. What is a secret of it goes over TLS.
func reportAddress(s Scalar) (string, error) {
	if value, err := text(s); err == nil && !strings.HasPrefix(value, "http://") &&
		!strings.HasPrefix(value, "https://") {
		return "", fmt.Errorf("%s must start with http:// or https://", shown(value))
	}
	value, err := webAddress(s, ",", "")
	if err != nil {
		return "", err
	}
	u, err := url.Parse(value)
	if err != nil {
		return "", errors.New("this is no URL")
	}
	ip, _ := netip.ParseAddr(u.Hostname())
	if u.Scheme == "http" && (u.User != nil || u.RawQuery != "") && !ip.IsLoopback() && u.Hostname() != "localhost" {
		return "", fmt.Errorf("%s holds credentials, and http shows them to whoever stands between: use https",
			shown(value))
	}
	return value, nil
}

// hiddenFromUnits are directories that wsprovision-firstboot.service has of its own or may not write.
var hiddenFromUnits = []string{"/tmp/", "/var/tmp/", "/home/", "/root/", "/run/user/"}

func textfile(s Scalar) (string, error) {
	value, err := filePath(s)
	switch {
	case err != nil:
		return "", err
	case !strings.HasSuffix(value, ".prom") || strings.HasSuffix(value, "/.prom"):
		return "", fmt.Errorf("%s must end in .prom: node_exporter reads no other file", Quote(value))
	}
	for _, dir := range hiddenFromUnits {
		if strings.HasPrefix(value, dir) {
			return "", fmt.Errorf("%s is below %s, where the first boot does not write: name another directory",
				Quote(value), strings.TrimSuffix(dir, "/"))
		}
	}
	return value, nil
}

// longestSplay is as long as a day's runs can be spread.
const longestSplay = 24 * time.Hour

func splay(s Scalar) (time.Duration, error) {
	d, err := wait(s)
	if err == nil && d > longestSplay {
		return 0, fmt.Errorf("%s must be from 0s to 24h", Quote(s.Text))
	}
	return d, err
}
