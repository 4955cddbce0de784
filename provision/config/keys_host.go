package config

import (
	"slices"
	"time"

	"wsprovision/provision/config/kinds"
	"wsprovision/provision/config/reading"
	"wsprovision/provision/site"
)

// sections are the mappings that hold keys of the host.
var sections = map[string]string{
	"epel": "Where nginx comes from. Whatever the source, yum needs the distribution's base and updates for " +
		"policycoreutils-python and for what nginx requires. A URL of these keys may hold a user, a password and a " +
		"query. They are shown nowhere, the repository file that holds them is for root alone (0600), and a " +
		"configuration file that holds them and can be read by others is a warning. Write them in the file and not " +
		"in an option, which everybody sees in the list of processes. What the agent fetches itself goes through the " +
		"proxy of yum.conf (proxy, proxy_username, proxy_password; _none_ is none), or of the repository below whose " +
		"baseurl it lies.",
	"selinux": "What is asked of SELinux, and how.",
	"nginx": "What is asked of nginx.conf itself. Single lines of it are changed and nothing else; a revert brings " +
		"those lines back, whatever else was edited since.",
	"wait": "How long another program's lock is waited for.",
}

// hostSettings are the keys beside the sites, each with its flag.
func hostSettings() []setting {
	return slices.Concat(epelSettings(), policySettings(), runSettings(), fleetSettings())
}

// epelSettings say where nginx comes from.
func epelSettings() []setting {
	return []setting{
		flagged(reading.Key{Path: "epel.source", Flag: "epel-source", Default: EPELAuto, Example: "mirror",
			With: "baseurl: https://archives.fedoraproject.org/pub/archive/epel/7/$basearch/\n" +
				"gpgkey: /etc/wsprovision/RPM-GPG-KEY-EPEL-7",
			Doc: "auto: nothing is asked of anybody while nothing is missing. Else EPEL comes from the first of " +
				"these: a repository of EPEL that the host has (one that is disabled is enabled for that one run of " +
				"yum); repositories beyond the distribution's own, such as Satellite's, which are asked first, in a " +
				"run of their own; EPEL 7's metalink at mirrors.fedoraproject.org, given to yum for one run, in " +
				"which epel-release comes with nginx; EPEL 7's archive at archives.fedoraproject.org. Where only the " +
				"archive answers, epel-release stays away, because every later yum would fail of its repository " +
				"file; a file with the archive stays in its place. Both together are tried for 60 seconds at most, " +
				"by apply alone. With baseurl that address is asked in place of both, and its file stays. " +
				"repository: the package epel-release from a repository that is enabled, such as CentOS's extras; " +
				"RHEL has it in none. package: that package from a URL or a file, checked against gpgkey. mirror: a " +
				"repository file written by wsprovision, from gpgkey and one of baseurl, metalink and mirrorlist. " +
				"none: nginx is there, or comes from elsewhere."},
			EPELAuto, kinds.Choices(EPELAuto, EPELRepository, EPELPackage, EPELMirror, EPELNone),
			"`source` of EPEL: auto, repository, package, mirror or none"),
		flagged(reading.Key{Path: "epel.package", Flag: "epel-package", Example: "/root/epel-release-7-14.noarch.rpm",
			With: "source: package\ngpgkey: /etc/wsprovision/RPM-GPG-KEY-EPEL-7",
			Doc: "With source package, which needs it: the RPM. It must be epel-release; plan fetches it and says " +
				"which version it is. It must be signed over header and payload (rpmsign --addsign --rpmv3, as " +
				"EPEL's own packages are), because rpm 4.11 does not check the payload of one whose header alone is " +
				"signed."},
			"", kinds.Packages, "URL or `file` of the epel-release package (source package)"),
		flagged(reading.Key{Path: "epel.baseurl", Flag: "epel-baseurl",
			Example: "https://archives.fedoraproject.org/pub/archive/epel/7/$basearch/",
			With:    "source: mirror\ngpgkey: /etc/wsprovision/RPM-GPG-KEY-EPEL-7",
			Doc: "With sources mirror and auto: the repository. Over http whoever stands between can offer old " +
				"packages with known holes: plan warns of that."},
			"", kinds.Repositories, "`URL` of an EPEL 7 repository (sources auto and mirror)"),
		flagged(reading.Key{Path: "epel.metalink", Flag: "epel-metalink",
			Example: "https://mirrors.example.com/metalink?repo=epel-7&arch=$basearch",
			With:    "source: mirror\ngpgkey: /etc/wsprovision/RPM-GPG-KEY-EPEL-7",
			Doc: "With source mirror, in place of baseurl: the address that answers with a metalink of the " +
				"repository's mirrors."},
			"", kinds.Repositories, "`URL` of an EPEL 7 metalink (source mirror)"),
		flagged(reading.Key{Path: "epel.mirrorlist", Flag: "epel-mirrorlist",
			Example: "https://mirrors.example.com/mirrorlist?repo=epel-7&arch=$basearch",
			With:    "source: mirror\ngpgkey: /etc/wsprovision/RPM-GPG-KEY-EPEL-7",
			Doc: "With source mirror, in place of baseurl: the address that answers with a list of the " +
				"repository's mirrors."},
			"", kinds.Repositories, "`URL` of a list of EPEL 7 mirrors (source mirror)"),
		flagged(reading.Key{Path: "epel.gpgkey", Flag: "epel-gpgkey", Example: "/etc/wsprovision/RPM-GPG-KEY-EPEL-7",
			With: "source: package\npackage: /root/epel-release-7-14.noarch.rpm",
			Doc: "With sources package and mirror, which need it, and with auto, in place of EPEL 7's, which " +
				"wsprovision has: the public key. It must be RSA, in force, and its user id signed by itself. rpm " +
				"asks for none of this."},
			"", kinds.Packages, "URL or `file` of EPEL's public key; sources package and mirror need it (default "+
				"of auto: EPEL 7's, which wsprovision has)"),
		flagged(reading.Key{Path: "epel.fingerprint", Flag: "epel-fingerprint", Default: "EPEL 7's, " +
			EPEL7Fingerprint,
			Example: "0123 4567 89AB CDEF 0123  4567 89AB CDEF 0123 4567",
			With: "source: package\npackage: /root/epel-release-7-14.noarch.rpm\n" +
				"gpgkey: /etc/wsprovision/RPM-GPG-KEY-EPEL-7",
			Doc: "With gpgkey: the fingerprint that the key has to have."},
			EPEL7Fingerprint, kinds.Fingerprints, "that key's `fingerprint`"),
	}
}

// policySettings say what the host is to allow, and for how much it is made.
func policySettings() []setting {
	return []setting{
		flagged(reading.Key{Path: "selinux.connect", Flag: "selinux-connect", Default: ConnectBoolean,
			Example: ConnectLabel,
			Doc: "What lets nginx (httpd_t) connect to the backends. boolean: httpd_can_network_connect is turned " +
				"on, which allows every port. label: that boolean is not asked for, and the backends' ports, which " +
				"are labelled http_port_t either way, are all that nginx may connect to. The loaded policy has to " +
				"allow that by another rule: RHEL 7's does while httpd_graceful_shutdown is on, as it is by default. " +
				"Where nothing does, the run is refused before it has changed anything. Going over to label, the " +
				"boolean goes back where wsprovision had turned it on, and only there; what else on this host " +
				"connects by it, such as another server block, is then denied."},
			ConnectBoolean, kinds.Choices(ConnectBoolean, ConnectLabel),
			"`what` lets nginx connect to backends: boolean or label"),
		flagged(reading.Key{Path: "selinux.label_listen_ports", Flag: "label-listen-ports", Default: "false",
			Example: "true",
			Doc: "Label ports to listen on http_port_t where nginx may not bind them. A label that an earlier " +
				"configuration asked for stays until a revert, and is named."},
			false, kinds.Truths, "label listen ports http_port_t where nginx may not bind them"),
		flagged(reading.Key{Path: "nginx.stock_ipv6", Flag: "stock-ipv6", Default: StockKeep, Example: StockRemove,
			Doc: "What becomes of the line listen [::]:80 in the nginx.conf that EPEL's package brings. On a host " +
				"that was booted with ipv6.disable=1 nginx does not start with it. keep: the line stays, and on such " +
				"a host the run is refused before it has changed anything. remove: the line is made a comment, on " +
				"every host, also in an installer, which does not know the kernel of the first boot. It is refused " +
				"where the line is not as the package has it."},
			StockKeep, kinds.Choices(StockKeep, StockRemove),
			"`what` becomes of listen [::]:80 in EPEL's nginx.conf: keep or remove"),
		flagged(reading.Key{Path: "connections", Flag: "connections", Default: "the limits stay as they are",
			Example: "20000",
			Doc: "How many WebSockets the host is to hold open at a time, all sites together. What limits them is " +
				"raised for the worst spread, in which one of nginx's workers gets all: worker_connections, two for " +
				"each, as a changed line of nginx.conf, refused where that is not as EPEL's package has it; open " +
				"files, by a drop-in of nginx.service and for the nginx that runs, so that a reload is enough and no " +
				"WebSocket is cut; net.core.somaxconn, and backlog= of the sites' sockets, for when all come back at " +
				"once. A backend at one address and port takes about 28000 connections " +
				"(net.ipv4.ip_local_port_range): for more, nginx connects to one on 127.0.0.1 from several addresses " +
				"of 127.0.0.0/8, and to others it is refused. A higher limit that somebody has set stays. A revert " +
				"takes all back but the limit of the nginx that runs."},
			site.Capacity(0), kinds.Capacities, "hold this `number` of WebSockets open at a time"),
		flagged(reading.Key{Path: "firewall", Flag: "firewall", Default: FirewallLeave, Example: FirewallOpen,
			Doc: "Whether firewalld lets the ports in that the sites listen on. leave: firewalld is left as it is, " +
				"and verify warns of a port that it shuts. open: they are opened in firewalld's default zone, now " +
				"and from its next start on. Anything else is the zone to open them in. Where firewalld does not " +
				"run, as in an installer, its files are changed. firewalld is never reloaded. What the zone lets in " +
				"already, by a port, a range or a service, is left as it is, and so are the rules of " +
				"iptables-services. A port that is no longer asked for is shut again, and so is every one by a " +
				"revert, if the agent opened it."},
			FirewallLeave, kinds.Walls, "`what` of firewalld: leave, open, or the zone to open the ports in"),
	}
}

// runSettings say how a run goes about it.
func runSettings() []setting {
	return []setting{
		flagged(reading.Key{Path: "on_drift", Flag: "on-drift", Default: DriftFail, Example: "keep",
			Doc: "What becomes of a file of ours that was edited by hand, a server block or the repository and its " +
				"key. fail: the run ends before it has changed anything, and shows the edit; take it into the " +
				"configuration, choose one of the other two, or move the file away. keep: the file is left as it is. " +
				"replace: the file is replaced, and the edit kept in /var/lib/wsprovision/replaced, mode 0600, the " +
				"last five of a file; the report names the copy. Version 1.0.0 replaced without a copy by default, " +
				"and its wsprovision.yaml says so on a line that an upgrade leaves in force: plan says so once. A " +
				"file that is no longer asked for is removed if nobody has edited it."},
			DriftFail, kinds.Choices(DriftReplace, DriftKeep, DriftFail),
			"`what` becomes of our files edited by hand: fail, keep or replace"),
		flagged(reading.Key{Path: "wait.yum_lock", Flag: "wait-yum-lock", Default: "10m", Example: "30m",
			Doc: "For yum's lock. 0s does not wait."},
			YumLockWait, kinds.Waits, "wait this `duration` for yum's lock"),
		flagged(reading.Key{Path: "wait.semanage_lock", Flag: "wait-semanage-lock", Default: "2m", Example: "5m",
			Doc: "For semanage's lock. 0s does not wait."},
			SemanageLockWait, kinds.Waits, "wait this `duration` for semanage's lock"),
		flagged(reading.Key{Path: "worker_shutdown_timeout", Flag: "worker-shutdown-timeout", Default: "never",
			Example: "8h",
			Doc: "nginx's directive of that name: after a reload, connections of old workers are cut after this. " +
				"Needs an nginx.conf that includes /usr/share/nginx/modules/*.conf outside of every block, as EPEL's " +
				"does; with another it is refused."},
			time.Duration(0), kinds.Timeouts,
			"after a reload, cut connections of old workers after this `duration`"),
	}
}
