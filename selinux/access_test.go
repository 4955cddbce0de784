package selinux

import (
	"errors"
	"fmt"
	"testing"
)

// kernelSays answers like selinuxfs: httpd_t may bind http_port_t, and connect to nothing.
func kernelSays(t *testing.T, h Host) func(string, string) (string, error) {
	return func(file, question string) (string, error) {
		if file != h.system().path("sys/fs/selinux/access") {
			t.Errorf("asked %s", file)
		}
		allowed := 0
		if question == "system_u:system_r:httpd_t:s0 system_u:object_r:http_port_t:s0 27" {
			allowed = 1 << 24
		}
		flags := 0
		if question == "system_u:system_r:lax_t:s0 system_u:object_r:http_port_t:s0 27" {
			flags = 1
		}
		return fmt.Sprintf("%x ffffffff 0 ffffffff 3 %x", allowed, flags), nil
	}
}

func TestAllowed(t *testing.T) {
	tests := []struct {
		source, target, perm string
		want                 bool
	}{
		{"httpd_t", "http_port_t", "name_bind", true},
		{"httpd_t", "http_port_t", "name_connect", false},
		{"httpd_t", "ntop_port_t", "name_bind", false},
		{"system_u:system_r:httpd_t:s0", "system_u:object_r:http_port_t:s0", "name_bind", true},
		{"lax_t", "http_port_t", "name_connect", true}, // permissive by itself
	}
	h := rhel7(t, nil)
	h.Ask = kernelSays(t, h)
	for _, tt := range tests {
		got, err := h.Kernel().Allowed(tt.source, tt.target, "tcp_socket", tt.perm)
		if err != nil || got != tt.want {
			t.Errorf("Allowed(%s, %s, %s) = %v, %v, want %v", tt.source, tt.target, tt.perm, got, err, tt.want)
		}
	}
}

func TestAllowedCannotTell(t *testing.T) {
	answer := func(s string, err error) func(*Host) {
		return func(h *Host) { h.Ask = func(string, string) (string, error) { return s, err } }
	}
	tests := map[string]struct {
		source, class, perm string
		change              func(*Host)
	}{
		"offline":            {"httpd_t", "tcp_socket", "name_bind", func(h *Host) { h.Offline = true }},
		"no such class":      {"httpd_t", "no_class", "name_bind", answer("1 1 1 1 1 0", nil)},
		"no such permission": {"httpd_t", "tcp_socket", "no_perm", answer("1 1 1 1 1 0", nil)},
		"path as class":      {"httpd_t", "../class/tcp_socket", "name_bind", answer("1 1 1 1 1 0", nil)},
		"two words":          {"httpd_t x", "tcp_socket", "name_bind", answer("1 1 1 1 1 0", nil)},
		"short answer":       {"httpd_t", "tcp_socket", "name_bind", answer("ffffffff", nil)},
		"noise":              {"httpd_t", "tcp_socket", "name_bind", answer("yes 1 1 1 1 0", nil)},
		"unknown type":       {"no_t", "tcp_socket", "name_bind", answer("", errors.New("invalid argument"))},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			h := rhel7(t, nil)
			tt.change(&h)
			if got, err := h.Kernel().Allowed(tt.source, "http_port_t", tt.class, tt.perm); !errors.Is(err,
				ErrUnknown) || got {
				t.Errorf("Allowed() = %v, %v, want ErrUnknown", got, err)
			}
		})
	}
}

func TestMayBindAndConnect(t *testing.T) {
	h := rhel7(t, nil)
	h.Ask = kernelSays(t, h)
	tests := []struct {
		port    int
		bind    bool
		connect bool
		typ     string
	}{
		{80, true, false, "http_port_t"},
		{3000, false, false, "ntop_port_t"},
		{40000, true, false, "unreserved_port_t"}, // in ip_local_port_range, which name_bind leaves alone
	}
	for _, tt := range tests {
		bind, typ, err := h.Kernel().MayBind(tt.port)
		if err != nil || bind != tt.bind || typ != tt.typ {
			t.Errorf("MayBind(%d) = %v, %q, %v, want %v, %q", tt.port, bind, typ, err, tt.bind, tt.typ)
		}
		connect, typ, err := h.Kernel().MayConnect(tt.port)
		if err != nil || connect != tt.connect || typ != tt.typ {
			t.Errorf("MayConnect(%d) = %v, %q, %v, want %v, %q", tt.port, connect, typ, err, tt.connect, tt.typ)
		}
	}
	h.Offline = true
	if _, _, err := h.Kernel().MayBind(80); !errors.Is(err, ErrUnknown) {
		t.Errorf("offline: %v, want ErrUnknown", err)
	}
}
