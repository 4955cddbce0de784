package provision

import (
	"fmt"
	"net/netip"
	"os"
	"strings"
	"syscall"
	"testing"

	"wsprovision/provision/diagnose"
	"wsprovision/provision/diagnose/cause"
	"wsprovision/provision/diagnose/facts"
	"wsprovision/provision/host"
	"wsprovision/provision/verify"
	"wsprovision/provision/websocket/handshake"
)

// Recorded on CentOS 7 (proc(5)): nginx on every address, node on the IPv6 loopback, and one connection in TIME_WAIT.
const (
	procTCP = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000:0050 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 21034 1 ` +
		`ffff8800b9a28000 100 0 0 10 0
   1: 0100007F:D1A2 0100007F:0BB8 06 00000000:00000000 03:00001760 00000000     0        0 0 3 ffff8800b9a28800
   2: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000   992        0 22000 1 ` +
		`ffff8800b9a29000 100 0 0 10 0
`
	procTCP6 = `  sl  local_address                         remote_address                        st tx_queue ` +
		`rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000000000000000000001000000:0BB8 00000000000000000000000000000000:0000 0A 00000000:00000000 ` +
		`00:00000000 00000000   991        0 23011 1 ffff8800b9b28000 100 0 0 10 0
`
)

func TestParseSockets(t *testing.T) {
	all := append(host.ParseSockets(procTCP), host.ParseSockets(procTCP6)...)
	if len(all) != 4 || all[0].Local != netip.MustParseAddrPort("0.0.0.0:80") || all[0].Inode != "21034" ||
		all[1].State != host.StateTimeWait ||
		all[1].Remote != netip.MustParseAddrPort("127.0.0.1:3000") ||
		all[3].Local != netip.MustParseAddrPort("[::1]:3000") {
		t.Fatalf("got %+v", all)
	}
	for address, want := range map[string]int{"127.0.0.1:80": 1, "[::1]:80": 0, "127.0.0.1:3000": 0, "[::1]:3000": 1,
		"127.0.0.2:8080": 0} {
		if got := len(host.Taking(all, netip.MustParseAddrPort(address))); got != want {
			t.Errorf("%d sockets take connections to %s, want %d", got, address, want)
		}
	}
}

// TestParseSocketsWaiting: of a socket that listens, rx_queue is the connections that wait to be accepted.
func TestParseSocketsWaiting(t *testing.T) {
	const queued = "   0: 0100007F:0BB8 00000000:0000 0A 00000000:00000011 00:00000000 00000000 0 0 21034 1 f 100 0\n"
	for text, want := range map[string]uint64{queued: 17, procTCP: 0, strings.Replace(queued, "11", "zz", 1): 0} {
		if all := host.ParseSockets(text); len(all) == 0 || all[0].Waiting != want {
			t.Errorf("%q: %+v, want %d waiting", text, all, want)
		}
	}
}

func FuzzParseSockets(f *testing.F) {
	f.Add(procTCP)
	f.Add(procTCP6)
	f.Add("0: 0100007F:0BB8 :0 0A 1 2 3 4 5 6 7\n")
	f.Fuzz(func(t *testing.T, text string) {
		for _, s := range host.ParseSockets(text) {
			if !s.Local.IsValid() || !s.Remote.IsValid() {
				t.Errorf("%q: %+v", text, s)
			}
		}
	})
}

func TestBackendOfTheOtherFamily(t *testing.T) {
	h := provisioned(t)
	h.web.backends["127.0.0.1:3000"] = false
	h.write("/proc/net/tcp", procTCP)
	h.write("/proc/net/tcp6", procTCP6)
	if d := h.ask(badGateway, logRefused); d.Code != cause.BackendIPv6Only ||
		!strings.Contains(d.Cause, "[::1]:3000") {
		t.Errorf("got %s, want %s", d, cause.BackendIPv6Only)
	}
}

func TestPortsExhaustedCounts(t *testing.T) {
	h := provisioned(t)
	h.write("/proc/net/tcp", procTCP)
	if d := h.ask(badGateway, logPorts); d.Code == cause.PortsExhausted {
		t.Errorf("one connection of 28232 ports: %s", d)
	}
	h.write("/proc/sys/net/ipv4/ip_local_port_range", "60000\t60000\n")
	d := h.ask(badGateway, logPorts)
	if strings.Contains(d.Mend.String(), "ip_local_port_range") ||
		!strings.Contains(d.Mend.String(), "tcp_tw_reuse=1 >/etc/sysctl.d/") {
		t.Errorf("mend: %s", d.Mend)
	}
	if evidence := strings.Join(d.Evidence, "\n"); !strings.Contains(evidence,
		"1 connections to port 3000, 1 of them in TIME_WAIT") || !strings.Contains(evidence, "60000 60000") {
		t.Errorf("evidence:\n%s", evidence)
	}
}

func TestExplainDial(t *testing.T) {
	dial := func(number syscall.Errno) error {
		return &handshake.DialError{Address: "x", Errno: number, Err: number}
	}
	tests := []struct {
		name string
		make func(h *fakeHost)
		err  error
		want cause.Code
	}{
		{"nothing wrong to be found", func(h *fakeHost) {}, dial(syscall.ECONNREFUSED), cause.Unexplained},
		{"no nginx", func(h *fakeHost) {
			h.must(os.RemoveAll(h.path(fmt.Sprintf("/proc/%d", h.web.master))))
		}, dial(syscall.ECONNREFUSED), cause.NginxNotRunning},
		{"filtered", func(h *fakeHost) {}, dial(syscall.EHOSTUNREACH), cause.AddressUnreachable},
		{"no route", func(h *fakeHost) {}, dial(syscall.ENETUNREACH), cause.AddressUnreachable},
		{"own ports", func(h *fakeHost) {
			h.write("/proc/sys/net/ipv4/ip_local_port_range", "")
		}, dial(syscall.EADDRNOTAVAIL), cause.PortsExhausted},
		{"a broken file of somebody's, and no nginx", func(h *fakeHost) {
			h.write(host.ConfDir+"/a.conf", "bogus_directive on;\n")
			h.must(os.RemoveAll(h.path(fmt.Sprintf("/proc/%d", h.web.master))))
		}, dial(syscall.ECONNREFUSED), cause.NginxConfigInvalid},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h := provisioned(t)
			tt.make(h)
			if d := h.ask(tt.err); d.Code != tt.want {
				t.Errorf("got %s, want %s", d, tt.want)
			}
		})
	}
}

// With hidepid= a user sees no process of others: that nginx runs is systemd's to know, and no advice is to start it.
func TestHiddenProcesses(t *testing.T) {
	for _, euid := range []int{0, 1000} {
		h, c := provisioned(t), basic(t)
		h.euid = euid
		h.must(os.RemoveAll(h.path(fmt.Sprintf("/proc/%d", h.web.master))))
		s := facts.Symptom{Site: &c.Sites[0], Location: &c.Sites[0].Locations[0], Check: "upgrade",
			Target: verify.Reach(c.Sites[0], c.Sites[0].Locations[0], c.Sites[0].Listen[0])}
		s.Err = &handshake.StatusError{Code: 500, Line: "500"}
		d := diagnose.Explain(t.Context(), h.host(Listener{}), c, s)
		evidence := strings.Join(d.Evidence, "\n")
		// Something answered: that nginx is not running is no cause of that.
		if root := euid == 0; d.Code != cause.Unexplained || root == strings.Contains(evidence, "hidepid") {
			t.Errorf("as %d: %s\n%s", euid, d, evidence)
		}
	}
}
