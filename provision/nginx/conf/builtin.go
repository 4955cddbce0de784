package conf

import "path"

// Build is what nginx was compiled to use where its configuration is silent.
type Build struct {
	Prefix, PID, ErrorLog, AccessLog string
	Temporary                        []string
}

// EPEL is the build of EPEL 7 and, but for the temporary paths, of nginx.org; nginx -V tells the rest.
func EPEL() Build {
	return Build{Prefix: "/usr/share/nginx", PID: "/run/nginx.pid", ErrorLog: "/var/log/nginx/error.log",
		AccessLog: "/var/log/nginx/access.log"}
}

// Absolute is nginx's rule for logs, pid and temporary paths: relative to the prefix, not to the configuration.
func (b Build) Absolute(name string) string {
	if path.IsAbs(name) {
		return path.Clean(name)
	}
	return path.Join("/", b.Prefix, name)
}
