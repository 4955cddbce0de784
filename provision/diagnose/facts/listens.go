package facts

import (
	"errors"
	"net"
	"net/netip"
	"slices"
	"strings"
	"syscall"

	"wsprovision/provision/websocket/handshake"
)

// Refused: the connection to nginx, not one further on.
func Refused(e *Evidence) bool {
	var dial *handshake.DialError
	return errors.As(e.Err, &dial) && errors.Is(e.Err, syscall.ECONNREFUSED)
}

// Listens are the addresses that nginx's configuration asks for.
func Listens(e *Evidence) []netip.AddrPort {
	var all []netip.AddrPort
	for _, s := range e.Tree.Servers() {
		for _, l := range s.Listen {
			if a, ok := SocketOf(l); ok && !slices.Contains(all, a) {
				all = append(all, a)
			}
		}
	}
	return all
}

// Addressed: the URL has an address and no name, so that no server is named by it.
func Addressed(e *Evidence) bool {
	host := HostSent(e)
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	_, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil
}

// FilesRead are the files that nginx's configuration consists of.
func FilesRead(e *Evidence) string {
	var names []string
	for _, f := range e.Tree.Files() {
		names = append(names, f.Path)
	}
	if len(names) > 10 {
		names = append(names[:10], "…")
	}
	return "nginx reads " + strings.Join(names, " ")
}
