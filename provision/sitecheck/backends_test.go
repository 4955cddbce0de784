package sitecheck

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"wsprovision/provision/host"
	"wsprovision/provision/hosttest"
	"wsprovision/provision/nginx"
	"wsprovision/provision/site"
)

// What getent says is what nginx will find: each address once, and a name that is not known to be missing is not.
func TestLookUp(t *testing.T) {
	for name, tt := range map[string]struct {
		stdout string
		status int
		err    error
		want   []string
		known  bool
	}{
		"two": {"192.0.2.1 STREAM a\n192.0.2.1 DGRAM\n192.0.2.1 RAW\n2001:db8::1 STREAM a\n2001:db8::1 DGRAM\n", 0, nil,
			[]string{"192.0.2.1", "2001:db8::1"}, true},
		"one twice": {"192.0.2.1 STREAM a\n192.0.2.1 STREAM b\n", 0, nil, []string{"192.0.2.1"}, true},
		"IPv4 in IPv6": {"::ffff:192.0.2.1 STREAM a\n192.0.2.1 STREAM b\n", 0, nil, []string{"192.0.2.1"},
			true},
		"not there":              {"", 2, nil, nil, true},
		"it says nothing":        {"", 0, nil, nil, false},
		"what is not understood": {"x STREAM\nSTREAM\n\n", 0, nil, nil, false},
		"getent failed":          {"192.0.2.1 STREAM a\n", 1, nil, nil, false},
		"there is no getent":     {"192.0.2.1 STREAM a\n", 0, errors.New("no such program"), nil, false},
	} {
		n := nginx.Nginx{Read: func(_ context.Context, _ string, argv ...string) (string, string, int, error) {
			if strings.Join(argv, " ") != "getent ahosts a.example.com" {
				t.Errorf("asked %q", argv)
			}
			return tt.stdout, "", tt.status, tt.err
		}}
		addresses, known := lookUp(t.Context(), n, "a.example.com")
		var got []string
		for _, a := range addresses {
			got = append(got, a.String())
		}
		if !cmp.Equal(got, tt.want) || known != tt.known {
			t.Errorf("%s: %q, known %v", name, got, known)
		}
	}
}

// A host without IPv6 reaches no IPv6 address; what to write instead is said as far as it is known.
func TestReachable(t *testing.T) {
	with := on(t, map[string]string{"/proc/net/if_inet6": "00000000000000000000000000000001 01 80 10 80 lo\n"})
	without := on(t, map[string]string{"/proc/net/if_inet6": ""})
	for name, tt := range map[string]struct {
		host      *host.Host
		addresses []string
		want      string
	}{
		"with IPv6":    {with, []string{"2001:db8::1"}, ""},
		"IPv4":         {without, []string{"192.0.2.1"}, ""},
		"IPv4 in IPv6": {without, []string{"::ffff:192.0.2.1"}, ""},
		"IPv6": {without, []string{"2001:db8::1"},
			"connect to [2001:db8::1]:3000, and this host has no IPv6: write the"},
		"both":          {without, []string{"2001:db8::1", "192.0.2.1"}, "write 192.0.2.1:3000"},
		"the loopback":  {without, []string{"::1"}, "write 127.0.0.1:3000"},
		"both of those": {without, []string{"::1", "127.0.0.1"}, "write 127.0.0.1:3000"},
	} {
		var all []netip.Addr
		for _, a := range tt.addresses {
			all = append(all, netip.MustParseAddr(a))
		}
		err := reachable(tt.host, all, site.Backend{Host: "x", Port: 3000})
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", name, err, tt.want)
		}
	}
}

// The names that nginx looks up when it starts: not those of sockets, nor of a location with a resolver.
func TestAtStart(t *testing.T) {
	s := site.Site{Locations: []site.Location{
		{Backends: []site.Backend{{Host: "a", Port: 1}, {Socket: "/run/x"}}},
		{Backends: []site.Backend{{Host: "b", Port: 2}}, Resolver: []string{"192.0.2.53"}}}}
	if got := atStart(s); len(got) != 1 || got[0].Host != "a" {
		t.Errorf("%v", got)
	}
}

// An address of the name on which nothing listens is said, and refused by nobody; where nothing listens at all, the
// backend is only not up yet.
func TestSilentAddresses(t *testing.T) {
	const head = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
	four := head + "   0: 0100007F:0BB8 00000000:0000 0A 00000000:00000000 00:00000000 00000000   991 0 22000 1 0\n"
	any6 := head + "   0: 00000000000000000000000000000000:0BB8 00000000000000000000000000000000:0000 0A 0:0 00:0 0  " +
		" 991 0 2 1 0\n"
	for name, tt := range map[string]struct {
		tcp, tcp6 string
		addresses []string
		want      string
	}{
		"on IPv4 alone":       {four, head, []string{"::1", "127.0.0.1"}, "nothing listens on [::1]:3000 now"},
		"on every address":    {head, any6, []string{"::1", "127.0.0.1"}, ""},
		"not up yet":          {head, head, []string{"::1", "127.0.0.1"}, ""},
		"another host's, too": {four, head, []string{"192.0.2.1", "127.0.0.1"}, ""},
	} {
		var all []netip.Addr
		for _, a := range tt.addresses {
			all = append(all, netip.MustParseAddr(a))
		}
		h := on(t, map[string]string{"/proc/net/tcp": tt.tcp, "/proc/net/tcp6": tt.tcp6})
		if got := strings.Join(saySilent(h, all, 3000), "\n"); !strings.Contains(got, tt.want) ||
			(tt.want == "") != (got == "") {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
	}
}

// on is a host with these files.
func on(t *testing.T, files map[string]string) *host.Host {
	t.Helper()
	root := hosttest.Tree(t, files)
	return &host.Host{Root: root, Files: &host.Files{Root: root, Seam: &host.Seam{}}}
}
