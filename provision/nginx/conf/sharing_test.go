package conf

import (
	"fmt"
	"net/netip"
	"testing"
)

func TestSharing(t *testing.T) {
	tree := load(t, t.TempDir(), map[string][]byte{conf: []byte(`http {
		server { listen 80; server_name a; }
		server { listen 127.0.0.9:80; server_name b; }
		server { listen [::1]:80; listen 127.0.0.9:80 default_server; server_name c; }
		server { listen [::]:81 ipv6only=off; server_name d; }
		server { listen [::]:81; server_name e; }
		server { listen [::]:82; server_name f; }
	}`)})
	for to, want := range map[string]string{"192.0.2.1:80": "[a]", "127.0.0.9:80": "[b c]", "[::1]:80": "[c]",
		"[::2]:80": "[]", "127.0.0.1:81": "[d e]", "[2001:db8::1]:81": "[d e]", "127.0.0.1:82": "[]",
		"[::ffff:127.0.0.9]:80": "[b c]", "127.0.0.1:83": "[]"} {
		var names []string
		for _, s := range tree.Sharing(netip.MustParseAddrPort(to)) {
			names = append(names, s.Server.Names...)
		}
		if got := fmt.Sprint(names); got != want {
			t.Errorf("%s is taken by %s, want %s", to, got, want)
		}
	}
}
