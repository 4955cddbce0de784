package provision

import (
	"strings"
	"testing"

	"wsprovision/provision/host"
	"wsprovision/provision/stepnames"
)

// IPv6 that is off ends nginx -t with an address and no place; the place is found, or what the line came from.
func TestIPv6IsOff(t *testing.T) {
	conf := strings.Replace(confOfEPEL, "        listen 80;\n",
		"        listen 80;\n        listen       [0::0]:80 default_server;\n", 1)
	for _, tt := range []struct{ name, conf, listen, want string }{
		{"nginx.conf", conf, "80",
			`failed (97: Address family not supported by protocol): IPv6 is off on this host: remove "listen ` +
				`[0::0]:80 default_server;" in ` + host.NginxConf + ":13"},
		{"a site of ours", confOfEPEL, "[80, '[::]:80']",
			"IPv6 is off on this host: remove [::]:80 from the listen of the site websocket"},
		{"both", conf, "[80, '[::]:80']",
			"remove [::]:80 from the listen of the site websocket, and \"listen [0::0]:80"},
	} {
		bubble(t, tt.name, func(t *testing.T) {
			h := withNginx(t)
			h.web.noIPv6 = true
			h.write(host.NginxConf, tt.conf)
			h.fails(parse(t, strings.Replace(oneSite, "listen: 80", "listen: "+tt.listen, 1)), stepnames.Validate,
				tt.want)
		})
	}
}
