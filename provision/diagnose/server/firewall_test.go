package server

import (
	"fmt"
	"strings"
	"testing"
)

// firewall-cmd --list-all of firewalld 0.4.4 on CentOS 7.
const firewallClosed = `public (active)
  target: default
  icmp-block-inversion: no
  interfaces: eth0
  sources: 
  services: ssh dhcpv6-client
  ports: 
  protocols: 
  masquerade: no
  forward-ports: 
  source-ports: 
  icmp-blocks: 
  rich rules: 
	
`

func TestFirewall(t *testing.T) {
	open := func(line, with string) string { return strings.Replace(firewallClosed, line, with, 1) }
	tests := []struct {
		name, text string
		port       int
		closed     bool
	}{
		{"closed", firewallClosed, 80, true},
		{"service http", open("services: ssh", "services: http ssh"), 80, false},
		{"service http is not 443", open("services: ssh", "services: http ssh"), 443, true},
		{"port", open("ports: \n", "ports: 80/tcp 9000-9010/tcp\n"), 9005, false},
		{"udp is not tcp", open("ports: \n", "ports: 80/udp\n"), 80, true},
		{"target ACCEPT", open("target: default", "target: ACCEPT"), 80, false},
		{"a service that may be anything", open("services: ssh", "services: ours ssh"), 8081, false},
		{"a service that is not 80's", open("services: ssh", "services: ours ssh"), 80, true},
		{"open in one of two zones", firewallClosed + "\n" +
			strings.Replace(open("services: ssh", "services: http ssh"), "public", "internal", 1), 80, false},
		{"closed in both zones", firewallClosed + "\n" + strings.Replace(firewallClosed, "public", "internal", 1), 80,
			true},
		{"a rich rule speaks of it", firewallClosed + `rule family="ipv4" port port="8081" protocol="tcp" accept` +
			"\n", 8081, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := parseFirewall(tt.text).Closes(tt.port); got != tt.closed {
				t.Errorf("closed %v, want %v: %+v", got, tt.closed, parseFirewall(tt.text))
			}
		})
	}
	if firewall(nil).Closes(80) {
		t.Error("a firewalld that does not run closes nothing")
	}
}

func FuzzParseFirewall(f *testing.F) {
	f.Add(firewallClosed, 80)
	f.Fuzz(func(t *testing.T, text string, port int) {
		for _, opened := range []string{fmt.Sprintf("  ports: %d/tcp 1/udp\n", port), "  target: ACCEPT\n",
			fmt.Sprintf("  ports: 1-%d/tcp\n", port)} {
			if port > 0 && port < 65536 && parseFirewall("public (active)\n"+opened+text).Closes(port) {
				t.Errorf("%q and %q: %d is closed", opened, text, port)
			}
		}
	})
}
