package policy

import "strings"

// portUsers says who listens on ports of a type, by RHEL 7's policy
// (selinux-policy 3.13.1, corenetwork.te) and the programs whose domains may bind
// it; for types of ports above 1023, which backends have.
var portUsers = map[string]string{
	"afs3_callback_port_t":      "AFS clients",
	"amqp_port_t":               "AMQP brokers (RabbitMQ, Qpid)",
	"asterisk_port_t":           "Asterisk",
	"bacula_port_t":             "Bacula",
	"cobbler_port_t":            "Cobbler",
	"commplex_link_port_t":      "iperf and others (commplex-link)",
	"commplex_main_port_t":      "many a service on 5000 (commplex-main)",
	"condor_port_t":             "HTCondor",
	"couchdb_port_t":            "CouchDB",
	"cyphesis_port_t":           "Cyphesis",
	"dogtag_port_t":             "Dogtag (certificate system)",
	"epmd_port_t":               "Erlang's port mapper (RabbitMQ)",
	"fmpro_internal_port_t":     "FileMaker",
	"gatekeeper_port_t":         "GNU Gatekeeper",
	"geneve_port_t":             "Geneve tunnels (OpenStack)",
	"git_port_t":                "git-daemon",
	"glance_port_t":             "OpenStack Glance",
	"gluster_port_t":            "GlusterFS",
	"hadoop_namenode_port_t":    "Hadoop",
	"hplip_port_t":              "HP printers (hplip)",
	"http_cache_port_t":         "caches and servers of HTTP (Squid, Varnish, Tomcat, httpd)",
	"howl_port_t":               "Howl (mDNS)",
	"intermapper_port_t":        "InterMapper",
	"jabber_client_port_t":      "Jabber servers",
	"jabber_interserver_port_t": "Jabber servers",
	"jboss_debug_port_t":        "JBoss (debugging)",
	"jboss_management_port_t":   "JBoss (management)",
	"jboss_messaging_port_t":    "JBoss (messaging)",
	"keystone_port_t":           "OpenStack Keystone",
	"kubernetes_port_t":         "Kubernetes",
	"luci_port_t":               "luci (cluster management)",
	"memcache_port_t":           "memcached",
	"milter_port_t":             "mail filters (milter)",
	"mongod_port_t":             "MongoDB",
	"monopd_port_t":             "monopd",
	"ms_streaming_port_t":       "Microsoft streaming",
	"mssql_port_t":              "Microsoft SQL Server",
	"munin_port_t":              "Munin",
	"mxi_port_t":                "MXI and Tomcat's shutdown port",
	"mysqld_port_t":             "MySQL and MariaDB",
	"neutron_port_t":            "OpenStack Neutron",
	"nfs_port_t":                "NFS",
	"nodejs_debug_port_t":       "Node.js (debugging)",
	"ntop_port_t":               "ntop",
	"oa_system_port_t":          "oa-system",
	"ocsp_port_t":               "OCSP responders and WebSphere",
	"openvpn_port_t":            "OpenVPN",
	"oracle_port_t":             "Oracle's listener",
	"osapi_compute_port_t":      "OpenStack Nova",
	"pki_ca_port_t":             "Dogtag (CA)",
	"postgresql_port_t":         "PostgreSQL",
	"preupgrade_port_t":         "preupgrade-assistant",
	"prosody_port_t":            "Prosody (BOSH)",
	"pulseaudio_port_t":         "PulseAudio",
	"puppet_port_t":             "Puppet's server",
	"rabbitmq_port_t":           "RabbitMQ",
	"redis_port_t":              "Redis",
	"salt_port_t":               "Salt's master",
	"sip_port_t":                "SIP servers",
	"soundd_port_t":             "Icecast and sound servers",
	"speech_port_t":             "speech-dispatcher",
	"squid_port_t":              "Squid",
	"svn_port_t":                "svnserve",
	"swift_port_t":              "OpenStack Swift",
	"tor_port_t":                "Tor",
	"transproxy_port_t":         "transparent proxies (tproxy)",
	"us_cli_port_t":             "us-cli (Utilistor)",
	"varnishd_port_t":           "Varnish",
	"vnc_port_t":                "VNC servers",
	"websm_port_t":              "Cockpit (websm)",
	"xen_port_t":                "Xen (xend)",
	"xserver_port_t":            "X servers",
	"zabbix_agent_port_t":       "Zabbix's agent",
	"zabbix_port_t":             "Zabbix",
	"zookeeper_client_port_t":   "ZooKeeper",
	"zope_port_t":               "Zope",
}

// generalTypes are those of ports that no service has for itself.
var generalTypes = []string{"port_t", "unreserved_port_t", "ephemeral_port_t", "reserved_port_t", "hi_reserved_port_t"}

// usersOf says who uses ports of a type; the name says it where no table does.
func usersOf(typ string) string {
	if who, known := portUsers[typ]; known {
		return who
	}
	return "what its name says: " + strings.ReplaceAll(strings.TrimSuffix(typ, "_port_t"), "_", "-")
}
