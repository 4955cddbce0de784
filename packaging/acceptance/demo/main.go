// Command demo shows the main job on a machine of its own: the plan, the apply, the WebSocket that goes through, and
// the second apply that finds nothing to do. It prints what an administrator would see at the host's own console.
package main

import (
	"fmt"
	"os"
	"strings"

	"wsprovision/packaging/acceptance/vm"
)

const site = " --server-name ws.example.com --backend 127.0.0.1:3000 --path /ws/"

// whoAnswers says what stands in for EPEL 7.
const whoAnswers = `It reaches nobody: it answers for EPEL 7's mirrors itself, with packages of a key of its own, which
wsprovision.yaml names.
`

// scene is a command of the transcript and what it shows.
type scene struct{ says, command, want string }

var scenes = []scene{
	{"A bare host in RHEL 7's layout, SELinux enforcing, no nginx, no semanage.",
		"cat /etc/redhat-release; getenforce; rpm -q nginx policycoreutils-python epel-release || :", "Enforcing"},
	{"What would be done:", "wsprovision plan" + site, "planned"},
	{"Do it:", "wsprovision apply" + site, "apply: changed"},
	{"A WebSocket goes through nginx, by curl:",
		"curl -s" + vm.Upgrade("ws.example.com") + " http://127.0.0.1/ws/ || :", "101 Switching Protocols"},
	{"What the host's own tools say:", "getsebool httpd_can_network_connect; semanage port -l -C; systemctl " +
		"is-enabled nginx; systemctl is-active nginx; ps -eo label,args | grep '[n]ginx:'", "http_port_t"},
	{"Again. Nothing is to do, and nothing is touched:", "wsprovision apply" + site, "apply: unchanged"},
}

func main() {
	if err := vm.OnBareHost("packaging/acceptance", play); err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

func play(m *vm.Machine) error {
	if err := m.Install("dist"); err != nil {
		return err
	}
	if err := m.Configured(); err != nil {
		return err
	}
	fmt.Printf("\n%s%s", vm.NotRHEL, whoAnswers)
	for _, s := range scenes {
		fmt.Printf("\n# %s\n[root@host ~]# %s\n", s.says, s.command)
		r := m.Try(s.command, nil)
		fmt.Print(r.Output)
		if r.Status != 0 || !strings.Contains(r.Output, s.want) {
			return fmt.Errorf("%s: exit status %d, and %q was expected in its output", s.command, r.Status, s.want)
		}
	}
	return nil
}
