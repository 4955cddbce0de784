package provision

import (
	"bytes"
	"encoding/binary"
	"slices"
	"strings"

	"wsprovision/provision/policy"
	"wsprovision/selinux"
	"wsprovision/selinux/policydb"
)

// fakePolicy is a kernel policy with booleans and ports and nothing else: small enough to be built at every semanage,
// and in the binary format that the agent reads, so that nothing has to be asked of semanage.
type fakePolicy struct {
	booleans map[string]bool
	ports    []policydb.Port // in the kernel's order
}

// policyOfRHEL has the ports of selinux-policy-targeted 3.13.1 that the tests speak of, narrowest first.
func policyOfRHEL() fakePolicy {
	p := fakePolicy{booleans: map[string]bool{policy.ConnectBoolean: false, "httpd_can_network_relay": false,
		selinux.HTTPGracefulShutdown: true}}
	tcp := func(typ string, low, high int) {
		p.ports = append(p.ports, policydb.Port{Proto: "tcp", Low: low, High: high, Type: typ})
	}
	for _, port := range []int{80, 81, 443, 488, 8008, 8009, 8443, 9000} {
		tcp(policy.HTTPPortType, port, port)
	}
	tcp("ssh_port_t", 22, 22)
	tcp("commplex_main_port_t", 5000, 5000)
	tcp("http_cache_port_t", 8080, 8080)
	tcp("soundd_port_t", 8000, 8000)
	tcp("ntop_port_t", 3000, 3001)
	tcp("reserved_port_t", 1, 511)
	tcp("hi_reserved_port_t", 512, 1023)
	tcp("unreserved_port_t", 61001, 65535)
	tcp("ephemeral_port_t", 32768, 61000)
	tcp("unreserved_port_t", 1024, 32767)
	return p
}

// with is the policy that semanage compiles the local records into: they stand before the policy's own.
func (p fakePolicy) with(booleans map[string]bool, ports []policydb.Port) fakePolicy {
	c := fakePolicy{booleans: map[string]bool{}, ports: slices.Concat(ports, p.ports)}
	for _, from := range []map[string]bool{p.booleans, booleans} {
		for name, on := range from {
			c.booleans[name] = on
		}
	}
	return c
}

func (p fakePolicy) typeOf(port int) string {
	for _, r := range p.ports {
		if r.Proto == "tcp" && r.Low <= port && port <= r.High {
			return r.Type
		}
	}
	return "port_t"
}

// bytes is the policy in version 30 of the format (libsepol, policydb_read).
func (p fakePolicy) bytes() []byte {
	w := &policyWriter{}
	types := []string{"port_t", selinux.HTTPDomain}
	for _, r := range p.ports {
		if !slices.Contains(types, r.Type) {
			types = append(types, r.Type)
		}
	}
	w.u32(0xf97cff8c, 8)
	w.WriteString("SE Linux")
	w.u32(30, 0, 8, 7)
	w.u32(64, 0, 0, 64, 0, 0) // policy capabilities, permissive types: empty bitmaps
	w.u32(0, 0, 1, 1)         // commons, classes: one
	w.u32(uint32(len(connectClass)), 0, 1, 1, 1, 0)
	w.WriteString(connectClass)
	w.u32(uint32(len(connectName)), 22)
	w.WriteString(connectName)
	w.u32(0, 0, 0, 0, 0) // constraints, defaults
	w.u32(0, 0)          // roles
	w.u32(uint32(len(types)), uint32(len(types)))
	for i, name := range types {
		w.u32(uint32(len(name)), uint32(i+1), 1, 0)
		w.WriteString(name)
	}
	w.u32(0, 0) // users
	w.u32(uint32(len(p.booleans)), uint32(len(p.booleans)))
	names := sortedKeys(p.booleans)
	for i, name := range names {
		state := uint32(0)
		if p.booleans[name] {
			state = 1
		}
		w.u32(uint32(i+1), state, uint32(len(name)))
		w.WriteString(name)
	}
	w.u32(0, 0, 0, 0, 0) // sensitivities, categories, rules
	w.grants(types, names)
	w.u32(0, 0, 0) // role transitions and allows, file name transitions
	w.u32(1, 9)    // initial SIDs: port
	w.context(types, "port_t")
	w.u32(0) // file systems
	w.u32(uint32(len(p.ports)))
	for _, r := range p.ports {
		proto := map[string]uint32{"tcp": 6, "udp": 17}[r.Proto]
		w.u32(proto, uint32(r.Low), uint32(r.High))
		w.context(types, r.Type)
	}
	w.u32(0, 0, 0, 0, 0, 0) // interfaces, nodes, file systems, nodes of IPv6; genfs, range transitions
	for range types {
		w.u32(64, 0, 0) // attributes
	}
	return w.Bytes()
}

// The access that decides whether nginx reaches a backend.
const connectClass, connectName = "tcp_socket", "name_connect"

// grants are the rules of RHEL 7's apache.te that let httpd_t connect to http_port_t, each under its boolean; that of
// httpd_can_network_connect is for every port there.
func (w *policyWriter) grants(types, names []string) {
	var under []string
	for _, name := range []string{selinux.HTTPGracefulShutdown, policy.ConnectBoolean} {
		if slices.Contains(names, name) {
			under = append(under, name)
		}
	}
	w.u32(uint32(len(under)))
	for _, name := range under {
		w.u32(0, 1, 1, uint32(slices.Index(names, name)+1), 1)
		for _, n := range []int{slices.Index(types, selinux.HTTPDomain), slices.Index(types, selinux.HTTPPort), 0} {
			_ = binary.Write(&w.Buffer, binary.LittleEndian, uint16(n+1))
		}
		_ = binary.Write(&w.Buffer, binary.LittleEndian, uint16(0x8001))
		w.u32(1<<21, 0) // and none where it is off
	}
}

type policyWriter struct{ bytes.Buffer }

func (w *policyWriter) u32(numbers ...uint32) {
	for _, n := range numbers {
		_ = binary.Write(&w.Buffer, binary.LittleEndian, n)
	}
}

func (w *policyWriter) context(types []string, typ string) {
	w.u32(1, 1, uint32(slices.Index(types, typ)+1), 1, 1, 64, 0, 0)
}

func sortedKeys[V any](m map[string]V) []string {
	var keys []string
	for k := range m {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, strings.Compare)
	return keys
}
