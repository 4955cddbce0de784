package head

import "strings"

// Host is the name of a Host without port and last dot, in lower case (ngx_http_validate_host); "" for what is not
// followed.
func Host(host string) string {
	name, port, _ := strings.Cut(host, ":")
	if strings.HasPrefix(host, "[") {
		end := strings.IndexByte(host, ']')
		if end < 0 {
			return ""
		}
		name, port = host[:end+1], strings.TrimPrefix(host[end+1:], ":")
		if strings.Trim(name[1:end], "0123456789abcdefABCDEF:.") != "" {
			return ""
		}
	} else if strings.Trim(strings.ToLower(name), "abcdefghijklmnopqrstuvwxyz0123456789._-") != "" {
		return ""
	}
	name = strings.TrimSuffix(name, ".")
	if strings.Trim(port, "0123456789") != "" || strings.HasPrefix(name, ".") || strings.Contains(name, "..") {
		return ""
	}
	return strings.ToLower(name)
}
