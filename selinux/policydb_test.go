package selinux

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io/fs"
	"testing"

	"wsprovision/selinux/policydb"

	"github.com/google/go-cmp/cmp"
)

// What setools 4.4 reads from the same files.
var wantPorts = []policydb.Port{
	{Proto: "tcp", Low: 80, High: 80, Type: "http_port_t"},
	{Proto: "tcp", Low: 443, High: 443, Type: "http_port_t"},
	{Proto: "tcp", Low: 8443, High: 8443, Type: "http_port_t"},
	{Proto: "tcp", Low: 9000, High: 9000, Type: "http_port_t"},
	{Proto: "udp", Low: 53, High: 53, Type: "reserved_port_t"},
	{Proto: "tcp", Low: 8080, High: 8080, Type: "http_cache_port_t"},
	{Proto: "tcp", Low: 3000, High: 3001, Type: "ntop_port_t"},
	{Proto: "tcp", Low: 10001, High: 10010, Type: "http_cache_port_t"},
	{Proto: "tcp", Low: 1, High: 511, Type: "reserved_port_t"},
	{Proto: "tcp", Low: 1024, High: 65535, Type: "unreserved_port_t"},
}

func TestReadPolicy(t *testing.T) {
	booleans := map[string]bool{"httpd_can_network_connect": false, "httpd_graceful_shutdown": true,
		"httpd_can_network_relay": false}
	for _, version := range []string{"24", "28", "30", "31", "33"} {
		t.Run(version, func(t *testing.T) {
			p, err := policydb.ReadPolicy(bytes.NewReader([]byte(testdata(t, "policy."+version))))
			must(t, err)
			if diff := cmp.Diff(wantPorts, p.Ports); diff != "" {
				t.Errorf("ports (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(booleans, p.Booleans); diff != "" {
				t.Errorf("booleans (-want +got):\n%s", diff)
			}
			if p.Unlisted != "port_t" {
				t.Errorf("unlisted = %q, want port_t", p.Unlisted)
			}
		})
	}
}

// A policy cut anywhere before its last portcon, or of another format, is an error and not a shorter list.
func TestReadPolicyBroken(t *testing.T) {
	whole := []byte(testdata(t, "policy.31"))
	last := bytes.LastIndex(whole, []byte{0x00, 0x04, 0x00, 0x00, 0xff, 0xff, 0x00, 0x00}) // 1024-65535
	if last < 0 {
		t.Fatal("no portcon 1024-65535 in the test's policy")
	}
	for n := range last {
		if _, err := policydb.ReadPolicy(bytes.NewReader(whole[:n])); !errors.Is(err, policydb.ErrPolicyFormat) {
			t.Fatalf("cut at %d of %d: %v, want errPolicyFormat", n, len(whole), err)
		}
	}
	for _, version := range []uint32{0, 23, 34, 1 << 31} {
		b := bytes.Clone(whole)
		binary.LittleEndian.PutUint32(b[16:], version)
		if _, err := policydb.ReadPolicy(bytes.NewReader(b)); !errors.Is(err, policydb.ErrPolicyFormat) {
			t.Errorf("version %d: %v, want errPolicyFormat", version, err)
		}
	}
}

// The table of rules is walked by whole buffers; entries of both sizes must survive every place where a buffer may end.
func TestRulesAcrossBuffers(t *testing.T) {
	var b []byte
	const n = 20000
	for i := range n {
		kind := uint16(1)
		if i%3 == 0 {
			kind = 0x0100
		}
		b = binary.LittleEndian.AppendUint16(b, 1)
		b = binary.LittleEndian.AppendUint16(b, 2)
		b = binary.LittleEndian.AppendUint16(b, 3)
		b = binary.LittleEndian.AppendUint16(b, kind)
		size := 4
		if kind != 1 {
			size = 34
		}
		b = append(b, bytes.Repeat([]byte{0xff}, size)...)
	}
	b = append(b, "tail"...)
	d := policydb.NewDecoder(bytes.NewReader(b))
	d.Version = 30
	d.Rules(n)
	if got := string(d.Next(4)); got != "tail" || d.Err != nil {
		t.Errorf("after %d rules: %q, %v, want \"tail\"", n, got, d.Err)
	}
}

func TestStoredPolicyFile(t *testing.T) {
	tests := map[string]struct {
		files map[string]string
		want  string
	}{
		"one": {nil, "/etc/selinux/targeted/policy/policy.31"},
		"highest": {map[string]string{"etc/selinux/targeted/policy/policy.9": "",
			"etc/selinux/targeted/policy/policy.32.bak": ""}, "/etc/selinux/targeted/policy/policy.31"},
		"the store's own": {map[string]string{"etc/selinux/targeted/policy/policy.31": "-"},
			"/etc/selinux/targeted/active/policy.kern"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := rhel7(t, tt.files).policies().policyFile()
			if err != nil || got != tt.want {
				t.Errorf("policyFile() = %q, %v, want %q", got, err, tt.want)
			}
		})
	}
}

func TestCache(t *testing.T) {
	h := rhel7(t, map[string]string{"sys/fs/selinux/" +
		"status": "\x01\x00\x00\x00\x02\x00\x00\x00\x01\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00"})
	h.Cache = new(Cache)
	first, err := h.policies().runningPolicy(context.Background())
	must(t, err)
	second, err := h.policies().runningPolicy(context.Background())
	must(t, err)
	if first != second {
		t.Error("the loaded policy was read twice, want once")
	}
	write(t, h, "sys/fs/selinux/status",
		"\x01\x00\x00\x00\x04\x00\x00\x00\x01\x00\x00\x00\x02\x00\x00\x00\x00\x00\x00\x00")
	third, err := h.policies().runningPolicy(context.Background())
	must(t, err)
	if third == first {
		t.Error("the loaded policy was not read again after a load")
	}
}

func BenchmarkReadPolicy(b *testing.B) {
	h := Host{} // the machine's own policy, if it has one
	if _, err := h.policies().storedPolicy(); errors.Is(err, fs.ErrNotExist) {
		b.Skip("this machine has no SELinux policy")
	} else if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		_, _ = h.policies().storedPolicy()
	}
}
