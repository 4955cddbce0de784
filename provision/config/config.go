// Package config is for knowing what an administrator asked for, exactly as written, or every reason why it cannot be
// done. Nothing in it looks at the host beyond its files, and a Config that Load returned needs no further checking:
// it holds no character that nginx's, yum's or a shell's syntax would take for more than a name.
//
// Four layers say what is asked for, the later winning key by key: the defaults, the files, the environment
// (WSPROVISION_BACKEND for the flag --backend), the flags. A wrong value is reported even where a later layer overrides
// it.
//
// The files are the one that was named; or the default one, and beside it those of a directory. No file goes before
// another: a site stands in one of them, and a key of the host has one value.
//
// The flags --name, --server-name, --backend, --path, --http-backend and --listen (or their variables) describe one
// site, "websocket" without --name. Where no file lists a site they make it; where one has a site of that name they
// override those of its keys that they name; where there are only other sites they add one, which apply writes into the
// directory, lest the next run without them take it away again. Beside a file that was named, where nothing is written
// down, they are refused instead.
package config

import (
	"time"

	"wsprovision/provision/config/reading"
	"wsprovision/provision/site"
)

// Defaults, and the one name of a site that flags describe.
const (
	FlagSite = "websocket"
	// EPEL7Fingerprint is that of "Fedora EPEL (7) <epel@fedoraproject.org>", key id 352C64E5.
	EPEL7Fingerprint = "91E97D7C4A5E96F17F3E888F6A2FAEA2352C64E5"

	// YumLockWait and SemanageLockWait are Wait's defaults, also for a revert, which reads no configuration.
	YumLockWait      = 10 * time.Minute
	SemanageLockWait = 2 * time.Minute
)

// The values of EPEL.Source.
const (
	EPELAuto       = "auto"       // what the host has, else EPEL 7 as the agent knows it
	EPELRepository = "repository" // epel-release from a repository that is enabled already
	EPELPackage    = "package"    // epel-release from a URL or a path
	EPELMirror     = "mirror"     // a repository file written by the agent
	EPELNone       = "none"       // nginx comes from elsewhere
)

// The values of Config.OnDrift: what becomes of a file of ours that was edited by hand.
const (
	DriftReplace = "replace"
	DriftKeep    = "keep"
	DriftFail    = "fail"
)

// The values of Nginx.StockIPv6: what becomes of listen [::]:80 in the nginx.conf that EPEL's package brings.
const (
	StockKeep   = "keep"
	StockRemove = "remove"
)

// The values of SELinux.Connect: what lets nginx connect to the backends.
const (
	ConnectBoolean = "boolean" // httpd_can_network_connect
	ConnectLabel   = "label"   // the label of the backends' ports alone
)

// The values of Config.Firewall that are no zone.
const (
	FirewallLeave = "leave"
	FirewallOpen  = "open" // in firewalld's default zone
)

// Config is everything that is asked for, defaults filled in.
type Config struct {
	Sites   []Site  `yaml:"-" mapstructure:"-"` // may be empty, see RequireSites; Marshal writes them by their fields
	EPEL    EPEL    `yaml:"epel" mapstructure:"epel"`
	SELinux SELinux `yaml:"selinux" mapstructure:"selinux"`
	Nginx   Nginx   `yaml:"nginx" mapstructure:"nginx"`
	// Connections is how many WebSockets the host is to hold open at a time; 0 leaves the limits alone.
	Connections site.Capacity `yaml:"connections,omitempty" mapstructure:"connections"`
	// Firewall is FirewallLeave, FirewallOpen, or a zone of firewalld's.
	Firewall string `yaml:"firewall" mapstructure:"firewall"`
	OnDrift  string `yaml:"on_drift" mapstructure:"on_drift"`
	Wait     Wait   `yaml:"wait" mapstructure:"wait"`
	// ShutdownTimeout is nginx's directive of that name; 0 leaves it out, and old workers drain as long as they
	// like.
	ShutdownTimeout time.Duration `yaml:"worker_shutdown_timeout,omitempty" mapstructure:"worker_shutdown_timeout"`
	// ReportURL, MetricsFile and Splay are for a fleet: where the report goes, where metrics are written, and how long
	// a run is put off at most. "" and 0 are none.
	ReportURL   string        `yaml:"report_url,omitempty" mapstructure:"report_url"`
	MetricsFile string        `yaml:"metrics_file,omitempty" mapstructure:"metrics_file"`
	Splay       time.Duration `yaml:"splay,omitempty" mapstructure:"splay"`

	Source string `yaml:"-" mapstructure:"-"` // the file read, "" for none
	// Record is the file that options are written down in, nil for none; Unrecorded are those that are not, and why.
	// No file of an administrator's has the record, but that of deferred work has.
	Record     *Record  `yaml:"record,omitempty" mapstructure:"-"`
	Unrecorded []string `yaml:"-" mapstructure:"-"`
	// Adopt is what the deferred work may take over, in its own words. No file of an administrator's has it.
	Adopt []string `yaml:"adopt,omitempty" mapstructure:"-"`
}

// The model of a site is that of the renderer.
type (
	Site     = site.Site
	Listen   = site.Listen
	TLS      = site.TLS
	Location = site.Location
	Backend  = site.Backend
)

// EPEL says where nginx's repository comes from.
type EPEL struct {
	Source string `yaml:"source" mapstructure:"source"`
	// with EPELPackage: URL or absolute path
	Package string `yaml:"package,omitempty" mapstructure:"package"`
	// with EPELMirror one of these three, with EPELAuto BaseURL: may hold $basearch and $releasever
	BaseURL    string `yaml:"baseurl,omitempty" mapstructure:"baseurl"`
	Metalink   string `yaml:"metalink,omitempty" mapstructure:"metalink"`
	MirrorList string `yaml:"mirrorlist,omitempty" mapstructure:"mirrorlist"`
	// with EPELPackage, EPELMirror and EPELAuto: URL or absolute path
	GPGKey      string `yaml:"gpgkey,omitempty" mapstructure:"gpgkey"`
	Fingerprint string `yaml:"fingerprint,omitempty" mapstructure:"fingerprint"` // 40 upper-case hexadecimal digits
}

// SELinux is what is asked of SELinux, and how.
type SELinux struct {
	Connect          string `yaml:"connect" mapstructure:"connect"`
	LabelListenPorts bool   `yaml:"label_listen_ports" mapstructure:"label_listen_ports"`
}

// Nginx is what is asked of nginx.conf itself, of which the agent changes single lines and nothing else.
type Nginx struct {
	StockIPv6 string `yaml:"stock_ipv6" mapstructure:"stock_ipv6"`
}

// Wait bounds how long another program's lock is waited for; 0 does not wait.
type Wait struct {
	YumLock      time.Duration `yaml:"yum_lock" mapstructure:"yum_lock"`
	SemanageLock time.Duration `yaml:"semanage_lock" mapstructure:"semanage_lock"`
}

// RequireSites is an *Error that says how to describe a site where there is none.
func (c Config) RequireSites(defaultFile string) error {
	if len(c.Sites) > 0 {
		return nil
	}
	file := c.Source
	if file == "" {
		file = defaultFile
	}
	p := &reading.Problems{}
	p.Add(reading.Problem{Key: "sites", Source: file, Message: "no site is configured: add one to " + file +
		", or give --server-name ws.example.com --backend 127.0.0.1:3000; to serve none any more: wsprovision " +
		"revert"})
	return p.Err()
}
