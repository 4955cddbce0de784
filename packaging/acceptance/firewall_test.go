//go:build acceptance

package acceptance

import "testing"

// outside is a client on the other end of a wire: a network namespace, whose packets come in by an interface that
// firewalld's default zone has.
const outside = "ip netns add outside && ip link add inner type veth peer name outer netns outside && ip addr add " +
	"192.0.2.1/24 dev inner && ip link set inner up && ip -n outside addr add 192.0.2.2/24 dev outer && ip -n " +
	"outside link set outer up && "

// fromOutside prints what a client there gets: 101, or 000 where nobody answers.
const fromOutside = "ip netns exec outside curl -s -o /dev/null -m 3 -w '%{http_code}' " +
	"-H 'Host: ws.example.com' -H 'Upgrade: websocket' -H 'Connection: Upgrade' -H 'Sec-WebSocket-Version: 13' " +
	"-H 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==' http://192.0.2.1/ws/ || :"

// With firewall: open a client outside reaches the site after the apply, and not before, nor after the revert; what
// others opened for the running firewall alone is still there, because firewalld is never reloaded.
func TestFirewall(t *testing.T) {
	t.Parallel()
	m := start(t, provisioned)
	m.must(t, "systemctl unmask firewalld 2>/dev/null; systemctl enable firewalld && systemctl start firewalld && "+
		"firewall-cmd --add-service=ssh && "+outside+"firewall-cmd --add-port=9999/tcp")
	reaches := func(when, want string) {
		t.Helper()
		if got := m.must(t, fromOutside); got != want {
			t.Errorf("%s: from outside the answer is %s, want %s", when, got, want)
		}
	}
	lets := func(permanent, running string) {
		t.Helper()
		m.prints(t, map[string]string{"firewall-cmd --permanent --query-port=80/tcp || :": permanent,
			"firewall-cmd --query-port=80/tcp || :": running, "firewall-cmd --query-port=9999/tcp": "yes"})
	}
	reaches("before", "000")
	r, _ := m.apply(t, 0, "--firewall open")
	if status, text := r.step("firewall"); status != "changed" {
		t.Errorf("the step firewall: %s %s", status, text)
	}
	reaches("opened", "101")
	m.apply(t, 0, "--firewall open --detailed-exitcode")
	lets("yes", "yes")

	// Where it does not run, its files are changed.
	m.must(t, "systemctl stop firewalld")
	m.apply(t, 0, "--firewall leave")
	m.prints(t, map[string]string{"firewall-offline-cmd --query-port=80/tcp || :": "no"})
	m.apply(t, 0, "--firewall open")
	m.must(t, "systemctl start firewalld; firewall-cmd --add-service=ssh && firewall-cmd --add-port=9999/tcp")
	reaches("opened while it did not run", "101")

	m.must(t, "wsprovision revert && systemctl is-active nginx") // which serves what it served
	reaches("reverted", "000")
	lets("no", "no")
}
