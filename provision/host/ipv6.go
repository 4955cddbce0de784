package host

import (
	"context"
	"errors"
	"io/fs"
	"strings"

	"wsprovision/provision/hostfile"
	"wsprovision/provision/known"
)

// HasIPv6 reports whether the kernel of this host has IPv6. An installer's need not be that of the first boot, which
// decides.
func HasIPv6(h *Host) bool { return h.Where.Offline() || HasInet6(h) }

// HasInet6 reports whether an interface has an IPv6 address (/proc/net/if_inet6). With ipv6.disable=1 the file is not
// there, with the sysctl it is empty. One that is there and cannot be read counts as RHEL 7 has it, with IPv6: a site
// does not lose its addresses over that, and nginx -t says where the kernel has none.
func HasInet6(h *Host) bool {
	return known.Once(h.Known, inet6{}, func() bool { return hasInet6(h) })
}

// inet6 is the key of HasInet6.
type inet6 struct{}

func hasInet6(h *Host) bool {
	b, err := hostfile.Read(context.Background(), h.Root+"/proc/net/if_inet6", mostSockets)
	if err != nil {
		return !errors.Is(err, fs.ErrNotExist)
	}
	return strings.TrimSpace(string(b)) != ""
}
