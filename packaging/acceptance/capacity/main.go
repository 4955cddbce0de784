// Command capacity shows that as many WebSockets as are asked for get through, on a machine of its own with more
// memory: first what the stock nginx.conf holds, then 20 000 after one apply, all open at a time, and each answering.
package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"wsprovision/packaging/acceptance/vm"
)

const (
	asked  = 20000
	stock  = 2000 // more than the stock file holds
	memory = 4096 // MiB
	limit  = 15 * time.Minute
	site   = " --server-name ws.example.com --backend 127.0.0.1:3000 --path /ws/ --listen 80 --epel-source repository"
)

func main() {
	if err := show(); err != nil {
		fmt.Fprintln(os.Stderr, "capacity:", err)
		os.Exit(1)
	}
}

func show() (err error) {
	begun := time.Now()
	img, err := vm.Build("packaging/acceptance")
	if err != nil {
		return err
	}
	m, err := vm.New(img, vm.Hardware{Memory: memory})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, m.Remove()) }()
	if err := m.Boot(); err != nil {
		return err
	}
	c := &machine{m}
	defer func() {
		if err != nil {
			c.evidence()
		}
	}()
	if err := c.prepare(); err != nil {
		return err
	}
	few, err := c.hold("stock", stock)
	if err != nil {
		return err
	}
	fmt.Printf("with the stock nginx.conf: %d of %d WebSockets get through\n", few["held"], stock)
	_, err = c.must("systemctl stop hold-stock; wsprovision apply" + site + " --connections " + strconv.Itoa(asked))
	if err != nil {
		return err
	}
	if err := c.many(); err != nil {
		return err
	}
	took := time.Since(begun).Round(time.Second)
	fmt.Printf("in %s, on an emulated machine\n", took)
	if few["held"] >= stock || took > limit {
		return fmt.Errorf("%d got through before, in %s: this shows nothing, or takes too long", few["held"], took)
	}
	return nil
}

type machine struct{ *vm.Machine }

// evidence shows what may have held connections back: nginx's own words, the kernel's, and what it counts.
func (m *machine) evidence() {
	for _, command := range []string{
		"tail -n 20 /var/log/nginx/error.log", "dmesg | tail -n 20", "cat /proc/net/sockstat /proc/net/softnet_stat",
		// the names and the values of TcpExt, without those that are zero
		"awk '/^(Tcp|TcpExt):/ {if ($1 in names) {split(names[$1], n); for (i = 2; i <= NF; i++) if ($i > 0) printf " +
			"\"%s=%s \", n[i], $i; print \"\"} else names[$1] = $0}' /proc/net/snmp /proc/net/netstat",
		"sysctl net.ipv4.tcp_mem net.core.somaxconn net.netfilter.nf_conntrack_max fs.file-nr",
		"free -m; uptime; ps -C nginx,crowd -o pid,rss,time,args",
	} {
		out, _ := m.Run(command + " 2>&1")
		fmt.Fprintf(os.Stderr, "$ %s\n%s\n", command, out)
	}
}

func (m *machine) must(command string) (string, error) {
	r := m.Try(command, nil)
	if r.Status != 0 {
		return "", fmt.Errorf("%s: exit status %d: %s", command, r.Status, r.Output)
	}
	return strings.TrimSpace(r.Stdout), nil
}

// prepare has the agent, the site, and crowd as the backend.
func (m *machine) prepare() error {
	if err := m.Install("dist"); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "wsprovision-crowd-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	program := filepath.Join(dir, "crowd")
	build := exec.Command("go", "build", "-ldflags=-s -w", "-o", program, "./packaging/acceptance/crowd")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("build crowd: %w: %s", err, out)
	}
	content, err := os.ReadFile(program)
	if err != nil {
		return err
	}
	if err := m.Put("/usr/bin/crowd", content, 0o755); err != nil {
		return err
	}
	_, err = m.must("restorecon /usr/bin/crowd; systemctl stop ws-backend; systemd-run -q --unit crowd-backend -p " +
		"LimitNOFILE=200000 crowd serve 127.0.0.1:3000; wsprovision apply" + site)
	return err
}

// hold opens so many at a time, and tells how they fare.
func (m *machine) hold(name string, n int) (map[string]int, error) {
	_, err := m.must(fmt.Sprintf("systemd-run -q --unit hold-%[1]s -p LimitNOFILE=200000 crowd hold /run/crowd-%[1]s "+
		"%[2]d 127.0.0.1:80", name, n))
	if err != nil {
		return nil, err
	}
	return m.wait(name, func(s map[string]int) bool { return s["done"] == 1 })
}

func (m *machine) wait(name string, until func(map[string]int) bool) (map[string]int, error) {
	for end := time.Now().Add(limit); ; time.Sleep(2 * time.Second) {
		text, err := m.must("cat /run/crowd-" + name + "/state || sleep 1")
		state := map[string]int{}
		for _, word := range strings.Fields(text) {
			key, value, _ := strings.Cut(word, "=")
			if n, err := strconv.Atoi(value); err == nil {
				state[key] = n
			}
		}
		switch {
		case err == nil && until(state):
			return state, nil
		case time.Now().After(end):
			return state, errors.Join(fmt.Errorf("the crowd %s: %s", name, text), err)
		}
	}
}

// many opens all that were asked for, has each answer, and tells what they take.
func (m *machine) many() error {
	before, err := m.takes()
	if err != nil {
		return err
	}
	s, err := m.hold("many", asked)
	if err != nil {
		return err
	}
	after, err := m.takes()
	if err != nil {
		return err
	}
	if s["held"] != asked || s["failed"] != 0 || s["cut"] != 0 {
		return fmt.Errorf("of %d WebSockets: %v", asked, s)
	}
	if _, err := m.must("systemctl kill -s USR1 hold-many"); err != nil {
		return err
	}
	all := func(s map[string]int) bool { return s["back"] == asked && s["cut"] == 0 }
	if _, err := m.wait("many", all); err != nil {
		return fmt.Errorf("not all of them answer: %w", err)
	}
	mode, err := m.must("getenforce; getsebool httpd_setrlimit")
	if err != nil || !strings.Contains(mode, "Enforcing") || !strings.Contains(mode, "off") {
		return errors.Join(err, fmt.Errorf("SELinux: %s", mode))
	}
	fmt.Printf("after wsprovision apply --connections %d: %d WebSockets are open, and each answers\n", asked, s["held"])
	fmt.Printf("memory for each: %.1f KiB of nginx's workers; %.1f KiB of the machine, clients and backend included\n",
		float64(after.workers-before.workers)/asked, float64(before.free-after.free)/asked)
	return nil
}

// takes is memory in KiB: what nginx's workers have, and what the machine has left.
type takes struct{ workers, free int }

func (m *machine) takes() (t takes, err error) {
	text, err := m.must("for p in $(pgrep -P $(cat /run/nginx.pid)); do awk '/^VmRSS/ {print $2}' /proc/$p/status; " +
		"done | awk '{n += $1} END {print n}'; awk '/^MemAvailable/ {print $2}' /proc/meminfo")
	if err != nil {
		return t, err
	}
	_, err = fmt.Sscan(text, &t.workers, &t.free)
	return t, err
}
