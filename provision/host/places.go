package host

import "path"

// Where nginx is found on RHEL 7, and the agent's files in it.
const (
	NginxUnit = "nginx.service"
	ConfDir   = "/etc/nginx/conf.d"
	// NamesPath is where NamesBucket goes. nginx takes it once in http, so that no site's own file is the place; no
	// site is named _wsprovision.
	NamesPath   = ConfDir + "/_wsprovision.conf"
	NamesBucket = "server_names_hash_bucket_size"
)

// SitePath is the file of the named site.
func SitePath(name string) string { return path.Join(ConfDir, name+".conf") }
