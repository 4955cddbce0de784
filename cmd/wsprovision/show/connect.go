package show

import (
	"crypto/tls"
	"errors"
	"net"
	"syscall"

	"wsprovision/provision/plaintext"
	"wsprovision/provision/websocket/handshake"
)

// AfterConnect says what to do about a WebSocket that did not come about.
func AfterConnect(err error, url string) string {
	var dial *handshake.DialError
	var dns *net.DNSError
	switch {
	case errors.As(err, &dns):
		return "the name is not known here: write it right, add it to DNS or to /etc/hosts, or give --address host:port"
	case errors.As(err, &dial) && errors.Is(dial.Errno, syscall.ECONNREFUSED):
		return "nothing listens there: start the server, or one to try with:\n" +
			plaintext.Command([]string{"wsprovision", "echo", "--listen", dial.Address})
	case errors.As(err, new(tls.RecordHeaderError)):
		return "what listens there does not speak TLS, or not at once: a URL of ws:// goes without"
	case errors.As(err, new(*handshake.TLSError)):
		return "--ca file trusts another authority, and --insecure takes any certificate; the cause:\n" +
			verifyCommand(url)
	}
	return "what is in the way is said by:\n" + verifyCommand(url)
}

func verifyCommand(url string) string {
	return plaintext.Command([]string{"wsprovision", "verify", url})
}
