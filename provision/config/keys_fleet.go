package config

import (
	"time"

	"wsprovision/provision/config/kinds"
	"wsprovision/provision/config/reading"
)

// fleetSettings are for many hosts at once.
func fleetSettings() []setting {
	return []setting{
		flagged(reading.Key{Path: "report_url", Flag: "report-url", Example: "https://reports.example.com/wsprovision",
			Doc: "Where apply, the first boot, renew-hook and revert send their report, when the lock is let go of: " +
				"a POST of JSON, as report.schema.json has it, with the host's name (host) and the run's ID (id). " +
				"The server is verified by /etc/pki/tls/certs/ca-bundle.crt. It is tried again for 30 seconds in " +
				"all, where the network fails or the answer is 408, 429 or 5xx; a redirection is not followed. It " +
				"never fails the run: a report that was not taken is said. What looks like a credential in the " +
				"report is hidden. A user and a password in the URL are sent as basic authentication, and shown " +
				"nowhere. The proxy of the environment (https_proxy, no_proxy) is used. Nothing is sent from an " +
				"installer or an image."},
			"", kinds.ReportAddresses, "send the JSON report to this `URL` after the run"),
		flagged(reading.Key{Path: "metrics_file", Flag: "metrics-file",
			Example: "/var/lib/node_exporter/textfile_collector/wsprovision.prom",
			Doc: "Where apply, the first boot, renew-hook and revert write metrics for node_exporter's textfile " +
				"collector, replaced in one go, mode 0644: which command the last run was and when, its result and " +
				"duration, the changes of each step, how much of the host differed from the configuration (drift), " +
				"and when each site's certificate ends. plan, run by root, renews drift and certificates, and keeps " +
				"what is told of the last run; renew-hook renews the certificates alone. The directory has to be " +
				"there, root's, and not for everybody to write. A file that could not be written is said, and fails " +
				"no run. Nothing is written in an installer or an image. A revert leaves the file, which then tells " +
				"of the revert and of nothing else."},
			"", kinds.Textfiles, "write metrics for node_exporter into this `file`"),
		flagged(reading.Key{Path: "splay", Flag: "splay", Default: "0s", Example: "10m",
			Doc: "Before apply and the first boot begin, a random time of at most this is waited, so that not all " +
				"hosts ask a mirror at once. The wait is said, and a signal ends it. plan does not wait, and " +
				"nothing waits in an installer or an image."},
			time.Duration(0), kinds.Splays, "wait a random time of at most this `duration` first"),
	}
}
