package provision

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"
	"testing"
)

// What another process listens on is known before anything changes, on a bare host and on one that serves.
func TestPortTaken(t *testing.T) {
	for _, tt := range []struct {
		name  string
		host  func(testing.TB) *fakeHost
		yaml  string
		wants []string
	}{
		{"bare host", newFakeHost, oneSite, []string{"listens on port 80", "0.0.0.0:80", "--listen", "ss -ltnp"}},
		{"nginx runs", provisioned, strings.Replace(oneSite, "80\n", "8008\n", 1), []string{"listens on port 8008"}},
	} {
		bubble(t, tt.name, func(t *testing.T) {
			h := tt.host(t)
			h.web.taken = []int{80, 8008}
			h.fails(parse(t, tt.yaml), StepValidate, tt.wants...)
		})
	}
}

// A unit that cannot be reloaded is known beforehand too.
func TestNoExecReload(t *testing.T) {
	bubble(t, "changed site", func(t *testing.T) {
		h := provisioned(t)
		h.web.noReload = true
		h.fails(moved(t), StepService, "no ExecReload=", "systemctl edit nginx.service")
	})
}

// A start that fails leaves nothing to the next boot.
func TestRefusedStartIsNotEnabled(t *testing.T) {
	bubble(t, "port taken meanwhile", func(t *testing.T) {
		h := newFakeHost(t)
		h.web.taken, h.web.late = []int{80}, true
		if r := h.apply(basic(t)); r.Result != Failed || h.exists(wantsNginx) {
			t.Errorf("%s, enabled: %v\n%s", r.Result, h.exists(wantsNginx), summarize(r))
		}
	})
}

func TestTakenBy(t *testing.T) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	at := netip.MustParseAddrPort(l.Addr().String())
	r := &Run{Host: &Host{TryBind: tryBind}}
	everywhere := netip.AddrPortFrom(netip.IPv4Unspecified(), at.Port())
	for _, a := range []netip.AddrPort{at, everywhere} {
		if err := r.takenBy(a, 0); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("process %d ", os.Getpid())) {
			t.Errorf("%s: %v, want this process named", a, err)
		}
		if err := r.takenBy(a, os.Getpid()); err != nil {
			t.Errorf("%s is the master's own: %v", a, err)
		}
	}
	for _, free := range []netip.AddrPort{
		netip.AddrPortFrom(netip.MustParseAddr("127.0.0.2"), at.Port()),
		netip.AddrPortFrom(netip.IPv6Unspecified(), at.Port()), // as nginx binds it, for IPv6 alone
	} {
		if err := r.takenBy(free, 0); err != nil {
			t.Errorf("%s: %v, want nil", free, err)
		}
	}
}
