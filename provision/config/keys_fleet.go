package config

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
	reportAddresses = kind[string]{about{Type: "URL", Wrong: "ftp://reports.example.com/",
		Bounds: "An http or https URL of at most 1000 characters. With a user, a password or a query it is https, " +
			"unless it leads to this host.", Schema: pattern(`^https?://`)}, reportAddress, nil}
	textfiles = kind[string]{about{Type: "file", Wrong: "/var/tmp/wsprovision.prom",
		Bounds: "An absolute path that ends in .prom, as node_exporter reads no other file, and not below /tmp, " +
			"/var/tmp, /home, /root and /run/user, where the first boot does not write.",
		Schema: pattern(`^/[A-Za-z0-9/._~+,=:@-]*\.prom$`)}, textfile, nil}
	splays = kind[time.Duration]{about{Type: "duration", Wrong: "75",
		Bounds: "From 0s to 24h, in whole milliseconds.", Schema: pattern(duration)}, splay,
		func(d time.Duration) any { return plaintext.Duration(d) }}
)

// fleetSettings are for many hosts at once.
func fleetSettings() []setting {
	return []setting{
		flagged(Key{Path: "report_url", Flag: "report-url", Example: "https://reports.example.com/wsprovision",
			Doc: "Where apply and the first boot send their report, when the lock is let go of: a POST of JSON, as " +
				"report.schema.json has it, with the host's name (host) and the run's ID (id). The server is " +
				"verified by /etc/pki/tls/certs/ca-bundle.crt. It is tried again for 30 seconds in all, where the " +
				"network fails or the answer is 408, 429 or 5xx; a redirection is not followed. It never fails the " +
				"run: a report that was not taken is said. What looks like a credential in the report is hidden. A " +
				"user and a password in the URL are sent as basic authentication, and shown nowhere. The proxy of " +
				"the environment (https_proxy, no_proxy) is used. Nothing is sent from an installer or an image."},
			"", reportAddresses, "send the JSON report to this `URL` after the run"),
		flagged(Key{Path: "metrics_file", Flag: "metrics-file",
			Example: "/var/lib/node_exporter/textfile_collector/wsprovision.prom",
			Doc: "Where apply and the first boot write metrics for node_exporter's textfile collector, replaced in " +
				"one go, mode 0644: when the last run was, its result and duration, the changes of each step, how " +
				"much of the host differed from the configuration (drift), and when each site's certificate ends. " +
				"plan, run by root, renews drift and certificates, and keeps what is told of the last run. The " +
				"directory has to be there, root's, and not for everybody to write. A file that could not be " +
				"written is said, and fails no run. Nothing is written in an installer or an image. A revert, " +
				"which reads no configuration, leaves the file."},
			"", textfiles, "write metrics for node_exporter into this `file`"),
		flagged(Key{Path: "splay", Flag: "splay", Default: "0s", Example: "10m",
			Doc: "Before apply and the first boot begin, a random time of at most this is waited, so that not all " +
				"hosts ask a mirror at once. The wait is said, and a signal ends it. plan does not wait, and " +
				"nothing waits in an installer or an image."},
			time.Duration(0), splays, "wait a random time of at most this `duration` first"),
	}
}

// reportAddress is where a report can be sent to. What is a secret of it goes over TLS.
func reportAddress(s scalar) (string, error) {
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

func textfile(s scalar) (string, error) {
	value, err := filePath(s)
	switch {
	case err != nil:
		return "", err
	case !strings.HasSuffix(value, ".prom") || strings.HasSuffix(value, "/.prom"):
		return "", fmt.Errorf("%s must end in .prom: node_exporter reads no other file", quote(value))
	}
	for _, dir := range hiddenFromUnits {
		if strings.HasPrefix(value, dir) {
			return "", fmt.Errorf("%s is below %s, where the first boot does not write: name another directory",
				quote(value), strings.TrimSuffix(dir, "/"))
		}
	}
	return value, nil
}

// longestSplay is as long as a day's runs can be spread.
const longestSplay = 24 * time.Hour

func splay(s scalar) (time.Duration, error) {
	d, err := wait(s)
	if err == nil && d > longestSplay {
		return 0, fmt.Errorf("%s must be from 0s to 24h", quote(s.text))
	}
	return d, err
}
