package provision

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"wsprovision/provision/engine"
	"wsprovision/provision/host"
	"wsprovision/provision/proxy"
	"wsprovision/provision/stepnames"
	"wsprovision/systemd"
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
			h.fails(parse(t, tt.yaml), stepnames.Validate, tt.wants...)
		})
	}
}

// A unit that cannot be reloaded is known beforehand too.
func TestNoExecReload(t *testing.T) {
	bubble(t, "changed site", func(t *testing.T) {
		h := provisioned(t)
		h.web.noReload = true
		h.fails(moved(t), stepnames.Service, "no ExecReload=", "nginx.service.d/reload.conf")
	})
}

// A start that fails leaves nothing to the next boot.
func TestRefusedStartIsNotEnabled(t *testing.T) {
	bubble(t, "port taken meanwhile", func(t *testing.T) {
		h := newFakeHost(t)
		h.web.taken, h.web.late = []int{80}, true
		if r := h.apply(basic(t)); r.Result != engine.Failed || h.exists(wantsNginx) {
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
	h := &host.Host{TryBind: host.TryBind}
	v := &proxy.Candidate{Host: h, Survey: &proxy.Survey{Host: h}}
	everywhere := netip.AddrPortFrom(netip.IPv4Unspecified(), at.Port())
	for _, a := range []netip.AddrPort{at, everywhere} {
		if err := v.TakenBy(t.Context(), a, proxy.ServiceState{}); err == nil ||
			!strings.Contains(err.Error(), fmt.Sprintf("process %d ", os.Getpid())) {
			t.Errorf("%s: %v, want this process named", a, err)
		}
		if err := v.TakenBy(t.Context(), a,
			proxy.ServiceState{State: systemd.State{MainPID: os.Getpid()}}); err != nil {
			t.Errorf("%s is the master's own: %v", a, err)
		}
	}
	for _, free := range []netip.AddrPort{
		netip.AddrPortFrom(netip.MustParseAddr("127.0.0.2"), at.Port()),
		netip.AddrPortFrom(netip.IPv6Unspecified(), at.Port()), // as nginx binds it, for IPv6 alone
	} {
		if err := v.TakenBy(t.Context(), free, proxy.ServiceState{}); err != nil {
			t.Errorf("%s: %v, want nil", free, err)
		}
	}
}

// listeners has processes of the fake host listen: "PID ADDRESS:PORT" each.
func (h *fakeHost) listeners(all ...string) {
	tables := map[string]string{"/proc/net/tcp": "  sl  local_address rem_address   st\n",
		"/proc/net/tcp6": "  sl  local_address rem_address   st\n"}
	for i, text := range all {
		pid, address, _ := strings.Cut(text, " ")
		at := netip.MustParseAddrPort(address)
		b, name := at.Addr().AsSlice(), "/proc/net/tcp"
		if len(b) == 16 {
			name += "6"
		}
		for i := 0; i < len(b); i += 4 {
			slices.Reverse(b[i : i+4])
		}
		tables[name] += fmt.Sprintf("%4d: %X:%04X %s:0000 0A 00000000:00000000 00:00000000 00000000 0 0 %d 1\n", i, b,
			at.Port(), strings.Repeat("00", len(b)), 9000+i)
		h.link(fmt.Sprintf("socket:[%d]", 9000+i), fmt.Sprintf("/proc/%s/fd/%d", pid, i))
		h.web.taken = append(h.web.taken, int(at.Port()))
	}
	for name, text := range tables {
		h.write(name, text)
	}
}

// TestHostileProcesses: who holds a port is looked for among all processes, of which anybody may have many; a run that
// is ended does not go on, and accuses nobody.
func TestHostileProcesses(t *testing.T) {
	h := withNginx(t)
	h.listeners("4711 0.0.0.0:80")
	candidate := func() *proxy.Candidate {
		it := h.host(Listener{})
		return &proxy.Candidate{Host: it, Survey: &proxy.Survey{Host: it}}
	}
	v := candidate()
	ctx, cancel := context.WithCancelCause(t.Context())
	at := netip.MustParseAddrPort("0.0.0.0:80")
	if err := v.TakenBy(ctx, at, proxy.ServiceState{}); err == nil || !strings.Contains(err.Error(), "process 4711") {
		t.Errorf("%v", err)
	}
	v = candidate()
	cancel(errors.New("terminated"))
	if got := host.OwnersOf(ctx, v.Host); len(got) != 0 {
		t.Errorf("an ended search found %v", got)
	}
	if err := v.TakenBy(ctx, at, proxy.ServiceState{}); err == nil || err.Error() != "terminated" {
		t.Errorf("ended: %v", err)
	}
}

// TestExchange: what nginx would have to bind anew beside a socket that it holds is known beforehand.
func TestExchange(t *testing.T) {
	const other = "server {\n    listen %s;\n    server_name other.example.com;\n}\n"
	for _, tt := range []struct {
		name      string
		listeners []string // M is the master
		other     string   // what another server listens on
		was       string   // what the site listens on so far, 80 if empty
		listen    string   // and is to listen on
		fails     []string
	}{
		{"every address for one", []string{"M 0.0.0.0:8008"}, "", "8008", "127.0.0.1:8008",
			[]string{"nginx itself listens on 0.0.0.0:8008", "127.0.0.1:8008", "systemctl stop nginx"}},
		{"one address for every", []string{"M 127.0.0.1:8008"}, "", "127.0.0.1:8008", "8008",
			[]string{"nginx itself listens on 127.0.0.1:8008", "0.0.0.0:8008"}},
		{"another's one address for every", []string{"M 127.0.0.1:8008"}, "127.0.0.1:8008", "", "8008",
			[]string{"nginx itself listens on 127.0.0.1:8008"}},
		{"another's goes to one address", []string{"M 0.0.0.0:8008"}, "127.0.0.1:8008", "8008", "8443",
			[]string{"nginx itself listens on 0.0.0.0:8008"}},
		{"of IPv6", []string{"M [::]:8008"}, "", "\"[::]:8008\"", "\"[::1]:8008\"",
			[]string{"nginx itself listens on [::]:8008", "[::1]:8008"}},
		{"of both families", []string{"M 127.0.0.1:8008", "300 [::]:8008"}, "", "127.0.0.1:8008", "8008",
			[]string{"nginx itself listens on 127.0.0.1:8008"}},
		{"another process too", []string{"M 127.0.0.2:8008", "300 127.0.0.1:8008"}, "", "127.0.0.2:8008", "8008",
			[]string{"process 300", "listens on port 8008"}},
		{"both families of IPv6's socket stay", []string{"M [::]:8008"}, "[::]:8008 ipv6only=off", "",
			"127.0.0.1:8008", []string{"ipv6only=off takes the IPv4 port too"}},
		{"the same address", []string{"M 0.0.0.0:8008"}, "", "8008", "8008", nil},
		{"one, and every stays", []string{"M 0.0.0.0:8008"}, "8008", "", "127.0.0.1:8008", nil},
		{"another's, with a socket of its own", []string{"M 127.0.0.1:8008"}, "127.0.0.1:8008 backlog=64", "", "8008",
			[]string{"without options of its own"}},
		{"not http's", []string{"M 127.0.0.1:8008"}, "", "", "8008",
			[]string{"keeps it from listening on 0.0.0.0:8008: choose another port"}},
	} {
		bubble(t, tt.name, func(t *testing.T) {
			h := newFakeHost(t)
			h.apply(parse(t, strings.Replace(oneSite, "listen: 80", "listen: "+cmp.Or(tt.was, "80"), 1)))
			if tt.other != "" {
				h.write(host.ConfDir+"/other.conf", fmt.Sprintf(other, tt.other))
			}
			for i, text := range tt.listeners {
				tt.listeners[i] = strings.Replace(text, "M", strconv.Itoa(h.web.master), 1)
			}
			h.listeners(tt.listeners...)
			c := parse(t, strings.Replace(oneSite, "listen: 80", "listen: "+tt.listen, 1))
			if tt.fails != nil {
				h.fails(c, stepnames.Validate, tt.fails...)
			} else if s := step(t, h.plan(c), stepnames.Validate); s.Status != engine.Unchanged {
				t.Errorf("%s: %s, want nothing to be in the way", s.Status, s.Error)
			}
		})
	}
	bubble(t, "a revert", func(t *testing.T) {
		h := provisioned(t)
		h.write(host.NginxConf, strings.Replace(confOfEPEL, "listen 80", "listen 127.0.0.1:80", 1))
		h.listeners(fmt.Sprintf("%d 0.0.0.0:80", h.web.master))
		r := h.run(basic(t), revert(false))
		if s := step(t, r, stepnames.Validate); s.Status != engine.Failed ||
			!strings.Contains(s.Error, "nginx itself listens on 0.0.0.0:80") || !h.exists(site) {
			t.Errorf("%s %q\n%s", s.Status, s.Error, summarize(r))
		}
	})
}

// A unit that nothing can enable is known beforehand.
func TestUnitWithoutInstallSection(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		h := withNginx(t)
		h.must(removeAll(h.path(wantsNginx)))
		h.write("/etc/systemd/system/"+host.NginxUnit, "[Service]\nExecStart=/usr/sbin/nginx\n")
		h.fails(basic(t), stepnames.Service, "WantedBy=multi-user.target")
	})
}
