package selinux

import (
	"bytes"
	"encoding/binary"
	"errors"
	"testing"

	"wsprovision/selinux/policydb"

	"github.com/google/go-cmp/cmp"
)

// Rules of types and of attributes, without a condition, under one that holds, and under one that does not.
func TestGrants(t *testing.T) {
	access := func(source, target, class, permission string) policydb.Access {
		return policydb.Access{Source: source, Target: target, Class: class, Permission: permission}
	}
	connect := func(source, target string) policydb.Access {
		return access(source, target, "tcp_socket", "name_connect")
	}
	graceful := []string{"httpd_graceful_shutdown", "httpd_can_network_relay", "httpd_can_network_connect"}
	tests := map[string]struct {
		access policydb.Access
		set    map[string]bool
		want   [][]string
	}{
		"by a condition":              {connect("httpd_t", "http_port_t"), nil, [][]string{graceful}},
		"by an alias":                 {connect("web_t", "http_port_t"), nil, [][]string{graceful}},
		"the condition does not hold": {connect("httpd_t", "http_port_t"), map[string]bool{graceful[0]: false}, nil},
		"its other half holds": {connect("httpd_t", "http_port_t"),
			map[string]bool{graceful[0]: false, graceful[1]: true}, [][]string{graceful}},
		"its other half does not": {connect("httpd_t", "http_port_t"),
			map[string]bool{graceful[0]: false, graceful[1]: true, graceful[2]: true}, nil},
		"without a condition":      {connect("init_t", "ntop_port_t"), nil, [][]string{nil}},
		"by an attribute, not now": {connect("init_t", "unreserved_port_t"), nil, nil},
		"by an attribute": {connect("init_t", "unreserved_port_t"), map[string]bool{graceful[2]: true},
			[][]string{{graceful[2]}}},
		"of another type":      {connect("kernel_t", "http_port_t"), nil, nil},
		"of no such type":      {connect("nobody_t", "http_port_t"), nil, nil},
		"of no such target":    {connect("httpd_t", "nobody_t"), nil, nil},
		"no such permission":   {access("httpd_t", "http_port_t", "tcp_socket", "fly"), nil, nil},
		"of another class":     {access("httpd_t", "http_port_t", "file", "name_connect"), nil, nil},
		"another permission":   {access("httpd_t", "http_port_t", "tcp_socket", "name_bind"), nil, [][]string{nil}},
		"an attribute of both": {access("httpd_t", "httpd_t", "process", "fork"), nil, [][]string{nil}},
	}
	for _, version := range []string{"24", "28", "30", "31", "33"} {
		for name, tt := range tests {
			t.Run(version+" "+name, func(t *testing.T) {
				g, err := policydb.ReadGrants(bytes.NewReader([]byte(testdata(t, "policy."+version))), tt.access)
				must(t, err)
				if diff := cmp.Diff(tt.want, g.By(tt.set)); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
			})
		}
	}
}

// A policy that is cut anywhere is an error, and not one without rules.
func TestHostileGrants(t *testing.T) {
	whole := []byte(testdata(t, "policy.31"))
	access := policydb.Access{Source: "httpd_t", Target: "http_port_t", Class: "tcp_socket", Permission: "name_connect"}
	for n := range whole {
		if _, err := policydb.ReadGrants(bytes.NewReader(whole[:n]), access); !errors.Is(err,
			policydb.ErrPolicyFormat) {
			t.Fatalf("cut at %d of %d: %v, want ErrPolicyFormat", n, len(whole), err)
		}
	}
	for at := 0; at+4 <= len(whole); at += 4 { // no number makes it run without end, or out of memory
		b := bytes.Clone(whole)
		binary.LittleEndian.PutUint32(b[at:], 1<<31-1)
		_, _ = policydb.ReadGrants(bytes.NewReader(b), access)
	}
}
