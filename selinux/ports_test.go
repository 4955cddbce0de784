package selinux

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const portsLocal = "etc/selinux/targeted/active/ports.local"

func TestPort(t *testing.T) {
	http := func(low, high int) Port { return Port{"tcp", low, high, "http_port_t"} }
	everyPort := Port{"tcp", 1024, 65535, "unreserved_port_t"}
	ntop := Port{"tcp", 3000, 3001, "ntop_port_t"}
	cache := Port{"tcp", 8080, 8080, "http_cache_port_t"}
	tests := map[string]struct {
		files   map[string]string
		offline bool
		port    int
		want    PortState
	}{
		"default range": {nil, false, 4000, PortState{nil, []Port{everyPort}, "unreserved_port_t", "unreserved_port_t"}},
		"policy range":  {nil, false, 3000, PortState{nil, []Port{ntop, everyPort}, "ntop_port_t", "ntop_port_t"}},
		"policy exact":  {nil, false, 8080, PortState{nil, []Port{cache, everyPort}, "http_cache_port_t", "http_cache_port_t"}},
		"local exact, not loaded": {map[string]string{portsLocal: testdata(t, "rhel7-1.ports.local")}, false, 4000,
			PortState{[]Port{http(4000, 4000)}, []Port{everyPort}, "http_port_t", "unreserved_port_t"}},
		"local range": {map[string]string{portsLocal: testdata(t, "rhel7-1.ports.local")}, false, 2005,
			PortState{[]Port{http(2000, 2010)}, []Port{everyPort}, "http_port_t", "unreserved_port_t"}},
		"no record covers it": {nil, false, 700, PortState{nil, nil, "port_t", "port_t"}},
		"offline":             {nil, true, 3001, PortState{nil, []Port{ntop, everyPort}, "ntop_port_t", ""}},
		"loaded policy is closed to us": {map[string]string{"sys/fs/selinux/policy": "-"}, false, 3001,
			PortState{nil, []Port{ntop, everyPort}, "ntop_port_t", ""}},
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
	for _, p := range []Port{{Proto: "tcp", Low: 0}, {Proto: "tcp", Low: 65536}, {Proto: "TCP", Low: 80}, {Proto: "sctp", Low: 80}} {
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
		"no policy":                  {"etc/selinux/targeted/policy/policy.31": "-"},
		"policy directory is a file": {"etc/selinux/targeted/policy/policy.31": "-", "etc/selinux/targeted/policy": "x"},
	}
	for name, files := range tests {
		t.Run(name, func(t *testing.T) {
			if got, err := rhel7(t, files).Port(context.Background(), "tcp", 4000); !errors.Is(err, ErrUnknown) {
				t.Errorf("Port() = %+v, %v, want ErrUnknown", got, err)
			}
		})
	}
}

// libsemanage compiles local records into the policy before the policy's own, twice and thrice where it did not re-link.
func TestWithoutLocal(t *testing.T) {
	own := Port{"tcp", 443, 443, "http_port_t"}
	local := []Port{{"tcp", 3000, 3000, "http_port_t"}, {"tcp", 443, 443, "http_port_t"}}
	compiled := append([]Port{local[1], local[0], local[1], local[0]}, Port{"udp", 1, 1, "inetd_child_port_t"}, own)
	want := []Port{{"udp", 1, 1, "inetd_child_port_t"}, own}
	if diff := cmp.Diff(want, withoutLocal(compiled, local)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestPortBySemanage(t *testing.T) {
	h := rhel7(t, map[string]string{"etc/selinux/targeted/policy/policy.40": "something new", "sys/fs/selinux/policy": "something new"})
	h.Read = says(testdata(t, "semanage-port-l.stdout"), "", 0)
	got, err := h.Port(context.Background(), "tcp", 3000)
	must(t, err)
	want := PortState{
		Policy: []Port{{"tcp", 3000, 3001, "ntop_port_t"}, {"tcp", 1024, 32767, "unreserved_port_t"}},
		Stored: "ntop_port_t",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	h.Read = func(context.Context, string, ...string) (string, string, int, error) {
		return "", "", 0, errors.New("executable file not found in $PATH")
	}
	if _, err := h.Port(context.Background(), "tcp", 3000); !errors.Is(err, ErrUnknown) {
		t.Errorf("no semanage either: %v, want ErrUnknown", err)
	}
}

func TestParsePortList(t *testing.T) {
	got, err := parsePortList(testdata(t, "semanage-port-l.stdout"))
	must(t, err)
	if n := len(covering(got, "tcp", 12345)); n != 2 { // its own record once, and the default range
		t.Errorf("tcp/12345 is covered by %d records, want 2", n)
	}
	const head = "SELinux Port Type              Proto    Port Number\n\n"
	for _, line := range []string{
		"", "http_port_t tcp", "http_port_t tcp 80,", "http_port_t tcp 80 81", "http_port_t tcp 81-80", "http_port_t TCP 80",
		"http_port_t tcp 65536", "http-port tcp 80", "http_port_t tcp 80, x", "Traceback (most recent call last):",
	} {
		if got, err := parsePortList(head + line + "\n"); !errors.Is(err, ErrUnknown) {
			t.Errorf("%q: %v, %v, want ErrUnknown", line, got, err)
		}
	}
}

// Recorded on Debian 12 (semanage 3.4) with five local records; setools counts the same 482 records in the policy of that moment.
func TestParsePortListWhole(t *testing.T) {
	got, err := parsePortList(testdata(t, "debian12-1.semanage-port-l.stdout"))
	must(t, err)
	if len(got) != 482 {
		t.Errorf("%d ports, want 482", len(got))
	}
	want := []Port{{"tcp", 3000, 3000, "http_port_t"}, {"tcp", 3000, 3001, "ntop_port_t"}, {"tcp", 1024, 65535, "unreserved_port_t"}}
	narrowestFirst(got)
	if diff := cmp.Diff(want, covering(got, "tcp", 3000)); diff != "" {
		t.Errorf("tcp/3000 (-want +got):\n%s", diff)
	}
}
