package hostfile

import (
	"encoding/hex"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// SocketAddress reads an address as /proc/net/tcp and tcp6 have it (proc(5)), 0100007F:0BB8: words of
// 32 bits in the byte order of the machine, which is little endian here.
func SocketAddress(text string) (netip.AddrPort, error) {
	address, port, ok := strings.Cut(text, ":")
	b, err := hex.DecodeString(address)
	if !ok || err != nil || len(b) != 4 && len(b) != 16 {
		return netip.AddrPort{}, fmt.Errorf("address %q is not understood", text)
	}
	for i := 0; i < len(b); i += 4 {
		slices.Reverse(b[i : i+4])
	}
	n, err := strconv.ParseUint(port, 16, 16)
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("address %q is not understood", text)
	}
	ip, _ := netip.AddrFromSlice(b)
	return netip.AddrPortFrom(ip, uint16(n)), nil
}
