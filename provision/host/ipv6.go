package host

import "strings"

// HasIPv6 reports whether the kernel of this host has IPv6. An installer's need not be that of the first boot, which
// decides.
func HasIPv6(h *Host) bool { return h.Where.Offline() || HasInet6(h) }

// HasInet6 reports whether an interface has an IPv6 address (/proc/net/if_inet6). With ipv6.disable=1 the file is not
// there, with the sysctl it is empty.
func HasInet6(h *Host) bool {
	return strings.TrimSpace(strings.Join(ReadProc(h, "/proc/net/if_inet6"), "")) != ""
}
