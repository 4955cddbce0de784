package vm

import "fmt"

// Handshake is a shell command by which curl asks nginx at address (host:port) for an upgrade to WebSocket. It prints
// the status of the answer. With --head curl ends with the headers of the answer, whose method is GET all the same
// (curl(1), --request); after a 101 it would wait otherwise until its time is over.
func Handshake(address, host, path string) string {
	return "curl -s -o /dev/null -w '%{http_code}'" + Upgrade(host) + fmt.Sprintf(" http://%s%s || :", address, path)
}

// Upgrade are the options of curl for the request of a WebSocket from the site called host.
func Upgrade(host string) string {
	return " -m 5 --head --request GET --http1.1 -H 'Host: " + host + "' -H 'Connection: Upgrade' -H 'Upgrade: " +
		"websocket' -H 'Sec-WebSocket-Version: 13' -H 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=='"
}
