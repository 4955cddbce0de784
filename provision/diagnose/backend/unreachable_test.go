package backend

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"wsprovision/provision/diagnose/cause"
	"wsprovision/provision/diagnose/facts"
	"wsprovision/provision/host"
)

// TestNotTaken: that the backend's queue is full is said only where connections wait in it, before and now.
func TestNotTaken(t *testing.T) {
	const table = "   0: 0100007F:0BB8 00000000:0000 0A 00000000:%08X 00:00000000 00000000 0 0 21034 1 f 100 0\n"
	for _, test := range []struct {
		before, now int
		code        cause.Code
		says        string
	}{
		{3, 3, cause.BackendNotAnswering, "3 wait for it"},
		{0, 0, cause.BackendUnreachable, "a firewall in between"},
		{1, 0, cause.BackendUnreachable, "a firewall in between"},
	} {
		root := t.TempDir()
		if err := os.MkdirAll(filepath.Join(root, "proc/net"), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(root, "proc/net/tcp"), fmt.Appendf(nil, table, test.now),
			0o644); err != nil {
			t.Fatal(err)
		}
		e := &facts.Evidence{Host: &host.Host{Root: root}, Sockets: host.ParseSockets(fmt.Sprintf(table, test.before))}
		d := notTaken(e, "127.0.0.1:3000", listensHere(e, "127.0.0.1:3000"), "upstream timed out")
		if d.Code != test.code || !strings.Contains(d.Cause, test.says) {
			t.Errorf("%d and %d wait: %s: %s", test.before, test.now, d.Code, d.Cause)
		}
	}
}
