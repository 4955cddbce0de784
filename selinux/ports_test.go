package selinux

import (
	"context"
	"errors"
	"strings"
	"testing"

	"wsprovision/selinux/policydb"

	"github.com/google/go-cmp/cmp"
)

const portsLocal = "etc/selinux/targeted/active/ports.local"

func TestPort(t *testing.T) {
	http := func(low, high int) policydb.Port {
		return policydb.Port{Proto: "tcp", Low: low, High: high, Type: "http_port_t"}
	}
	everyPort := policydb.Port{Proto: "tcp", Low: 1024, High: 65535, Type: "unreserved_port_t"}
	ntop := policydb.Port{Proto: "tcp", Low: 3000, High: 3001, Type: "ntop_port_t"}
	cache := policydb.Port{Proto: "tcp", Low: 8080, High: 8080, Type: "http_cache_port_t"}
	tests := map[string]struct {
		files   map[string]string
		offline bool
		port    int
		want    PortState
	}{
		"default range": {nil, false, 4000,
			PortState{nil, []policydb.Port{everyPort}, "unreserved_port_t", "unreserved_port_t"}},
		"policy range": {nil, false, 3000, PortState{nil, []policydb.Port{ntop, everyPort}, "ntop_port_t",
			"ntop_port_t"}},
		"policy exact": {nil, false, 8080, PortState{nil, []policydb.Port{cache, everyPort}, "http_cache_port_t",
			"http_cache_port_t"}},
		"local exact, not loaded": {map[string]string{portsLocal: testdata(t, "rhel7-1.ports.local")}, false, 3000,
			PortState{[]policydb.Port{http(3000, 3000)}, []policydb.Port{ntop, everyPort}, "http_port_t",
				"ntop_port_t"}},
		"local exact, over an exact one": {map[string]string{portsLocal: testdata(t, "rhel7-1.ports.local")}, false,
			8080,
			PortState{[]policydb.Port{http(8080, 8080)}, []policydb.Port{cache, everyPort}, "http_port_t",
				"http_cache_port_t"}},
		"local range": {map[string]string{portsLocal: "portcon tcp 2000 - 2010 system_u:object_r:http_port_t:s0\n"},
			false, 2005,
			PortState{[]policydb.Port{http(2000, 2010)}, []policydb.Port{everyPort}, "http_port_t",
				"unreserved_port_t"}},
		"no record covers it": {nil, false, 700, PortState{nil, nil, "port_t", "port_t"}},
		"offline":             {nil, true, 3001, PortState{nil, []policydb.Port{ntop, everyPort}, "ntop_port_t", ""}},
		"loaded policy is closed to us": {map[string]string{"sys/fs/selinux/policy": "-"}, false, 3001,
			PortState{nil, []policydb.Port{ntop, everyPort}, "ntop_port_t", ""}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			h := rhel7(t, tt.files)
			h.Offline = tt.offline
			got, err := h.Port(context.Background(), "tcp", tt.port)
			must(t, err)
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("tcp/%d (-want +got):\n%s", tt.port, diff)
			}
		})
	}
}

func TestPortRefused(t *testing.T) {
	h := rhel7(t, nil)
	for _, p := range []policydb.Port{{Proto: "tcp", Low: 0}, {Proto: "tcp", Low: 65536}, {Proto: "TCP", Low: 80},
		{Proto: "sctp", Low: 80}} {
		if _, err := h.Port(context.Background(), p.Proto, p.Low); err == nil {
			t.Errorf("%s/%d was accepted", p.Proto, p.Low)
		}
	}
}

func TestPortCannotTell(t *testing.T) {
	tests := map[string]map[string]string{
		"noise in ports.local":       {portsLocal: "portcon tcp 4000 http_port_t\n"},
		"port too high":              {portsLocal: "portcon tcp 65536 system_u:object_r:http_port_t:s0\n"},
		"no store":                   {"etc/selinux/targeted/active/": "-"},
		"no policy":                  {bootPolicy: "-", storePolicy: "-"},
		"policy directory is a file": {bootPolicy: "-", "etc/selinux/targeted/policy": "x"},
	}
	for name, files := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := rhel7(t, files).Port(context.Background(), "tcp", 4000)
			if !errors.Is(err, ErrUnknown) {
				t.Fatalf("Port() = %+v, %v, want ErrUnknown", got, err)
			}
			if strings.Contains(err.Error(), "occurred") { // it goes on a line of somebody's
				t.Errorf("as go-multierror writes it: %q", err)
			}
		})
	}
}

// libsemanage compiles local records into the policy before the policy's own, twice and thrice where it did not
// re-link.
func TestWithoutLocal(t *testing.T) {
	own := policydb.Port{Proto: "tcp", Low: 443, High: 443, Type: "http_port_t"}
	local := []policydb.Port{{Proto: "tcp", Low: 3000, High: 3000, Type: "http_port_t"},
		{Proto: "tcp", Low: 443, High: 443, Type: "http_port_t"}}
	compiled := append([]policydb.Port{local[1], local[0], local[1], local[0]},
		policydb.Port{Proto: "udp", Low: 1, High: 1, Type: "inetd_child_port_t"}, own)
	want := []policydb.Port{{Proto: "udp", Low: 1, High: 1, Type: "inetd_child_port_t"}, own}
	if diff := cmp.Diff(want, withoutLocal(compiled, local)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
