package handshake

import (
	"fmt"
	"net"
)

// proxyLine is the truth about a connection, as a load balancer would tell it (the PROXY protocol, version 1:
// haproxy.org/download/2.8/doc/proxy-protocol.txt, section 2.1).
func proxyLine(conn net.Conn) string {
	from, ok := conn.LocalAddr().(*net.TCPAddr)
	to, ok2 := conn.RemoteAddr().(*net.TCPAddr)
	if !ok || !ok2 {
		return "PROXY UNKNOWN\r\n"
	}
	family := "TCP6"
	if from.IP.To4() != nil {
		family = "TCP4"
	}
	return fmt.Sprintf("PROXY %s %s %s %d %d\r\n", family, from.IP, to.IP, from.Port, to.Port)
}
