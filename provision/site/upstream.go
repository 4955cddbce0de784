package site

import (
	"slices"
	"strings"
)

// The words of Location.Balance; "" is round_robin. Behind BalanceHash stands a key, as nginx has it.
const (
	BalanceRoundRobin = "round_robin"
	BalanceLeast      = "least_conn"
	BalanceIP         = "ip_hash"
	BalanceHash       = "hash"
)

// BackendTLS is how the certificate of an https:// backend is judged.
type BackendTLS struct {
	CA   string // PEM file of the authorities; "" is the host's bundle, SystemCA
	Name string // in the certificate, and sent as SNI; "" is the backend's host
	// Unverified takes every certificate, so that anybody between may read and write.
	Unverified bool
}

// SystemCA is what programs on RHEL 7 trust (update-ca-trust(8)). Go alone would trust whatever else lies in its
// directory besides, such as the very certificate that nginx shows.
const SystemCA = "/etc/pki/tls/certs/ca-bundle.crt"

// HTTPS: the backends are spoken to over TLS.
func (l Location) HTTPS() bool { return len(l.Backends) > 0 && l.Backends[0].HTTPS }

// Trust is the backends' TLS with its defaults filled in.
func (l Location) Trust() BackendTLS {
	var t BackendTLS
	if l.BackendTLS != nil {
		t = *l.BackendTLS
	}
	if t.CA == "" {
		t.CA = SystemCA
	}
	if t.Name == "" && len(l.Backends) > 0 {
		t.Name = l.Backends[0].Host
	}
	return t
}

// BackendText names all of them.
func (l Location) BackendText() string {
	var all []string
	for _, b := range l.Backends {
		all = append(all, b.String())
	}
	return strings.Join(all, ", ")
}

// BackendFlag is the value of --backend that gives them.
func (l Location) BackendFlag() string {
	var all []string
	for _, b := range l.Backends {
		all = append(all, b.String()+b.Options())
	}
	return strings.Join(all, ",")
}

// PassesTo: one of the backends has the address, as Backend.Address writes it.
func (l Location) PassesTo(address string) bool {
	return slices.ContainsFunc(l.Backends, func(b Backend) bool { return b.Address() == address })
}

// PassesToPort: one of the backends has the TCP port.
func (l Location) PassesToPort(port int) bool {
	return slices.ContainsFunc(l.Backends, func(b Backend) bool { return b.Port == port && port > 0 })
}
