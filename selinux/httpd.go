package selinux

// What RHEL 7's policy calls a web server's (selinux-policy 3.13.1, apache.te).
const (
	HTTPDomain = "httpd_t"
	HTTPPort   = "http_port_t"
	// HTTPConnect lets it connect to every port.
	HTTPConnect = "httpd_can_network_connect"
	// HTTPGracefulShutdown lets it connect to ports of the type HTTPPort. RHEL 7's policy has it on
	// (booleans-targeted.conf), and an administrator may turn it off.
	HTTPGracefulShutdown = "httpd_graceful_shutdown"
)
