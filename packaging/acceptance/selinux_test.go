//go:build acceptance

package acceptance

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"wsprovision/packaging/acceptance/vm"
)

// ports are the cases that a backend's port can be in, and the local record of http_port_t that it ends with.
var ports = []struct {
	name, prepare string // a line of semanage import
	port          int
	record        string
}{
	{"not defined", "", 4000, "4000"},
	{"inside a policy range of another type", "", 3000, "3000"},
	{"defined exactly with another type", "", 8080, "8080"},
	{"right by policy", "", 8443, ""},
	{"right locally", "port -a -t http_port_t -p tcp 4100", 4100, "4100"},
	{"inside a local range of the same type", "port -a -t http_port_t -p tcp 4505-4515", 4511, "4505-4515"},
	{"local record of another type", "port -a -t ntop_port_t -p tcp 4200", 4200, "4200"},
}

// Every case is in one host, and its labels in one transaction, judged by semanage. A local range of another type is
// known beforehand.
func TestPorts(t *testing.T) {
	t.Parallel()
	m := start(t, packaged)
	prepare, sites := []string{"port -a -t ntop_port_t -p tcp 4605-4615"},
		"sites:\n  - name: websocket\n    server_name: ws.example.com\n    locations:\n"
	var records []string
	for _, c := range ports {
		sites += fmt.Sprintf("      - path: /%d/\n        backend: 127.0.0.1:%[1]d\n", c.port)
		if c.prepare != "" {
			prepare = append(prepare, c.prepare)
		}
		if c.record != "" {
			records = append(records, c.record)
		}
	}
	m.must(t, "semanage import <<'END'\n"+strings.Join(prepare, "\n")+"\nEND")
	check := m.untouched(t, fingerprint)
	r, res := m.agent(t, "apply --server-name ws.example.com --backend 127.0.0.1:4611")
	if _, text := r.step("selinux"); res.status != 1 || !strings.Contains(text, "4605-4615") {
		t.Errorf("inside a local range of another type: exit status %d, and selinux does not name the range: %s",
			res.status, text)
	}
	check()

	m.put(t, "/etc/wsprovision/wsprovision.yaml", []byte(sites), 0o644)
	check = m.untouched(t, fingerprint)
	r, res = m.agent(t, "apply")
	if _, text := r.step("selinux"); res.status != 1 ||
		!strings.Contains(text, "tcp/4200 has the local label ntop_port_t") {
		t.Errorf("a local label of another type: exit status %d, and selinux does not name it: %s", res.status, text)
	}
	check()
	if _, res = m.agent(t, "apply --adopt"); res.status != 0 {
		t.Fatalf("exit status %d:\n%s", res.status, res.output)
	}
	if n := strings.Count(res.stderr, "run semanage import"); n != 1 {
		t.Errorf("%d transactions, want one:\n%s", n, res.stderr)
	}
	got := strings.FieldsFunc(m.must(t, "semanage port -l -C | awk '$1 == \"http_port_t\" { $1 = $2 = \"\"; print }'"),
		func(r rune) bool {
			return r == ',' || r == ' ' || r == '\n'
		})
	slices.Sort(got)
	slices.Sort(records)
	if !slices.Equal(got, records) {
		t.Errorf("local records of http_port_t: %q, want %q", got, records)
	}
	if _, again := m.agent(t, "apply --detailed-exitcode"); again.status != 0 {
		t.Errorf("second run: exit status %d, want 0:\n%s", again.status, again.output)
	}
}

// The boolean's running and persistent values are read, reported and repaired apart.
func TestBoolean(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, prepare, changed, other string }{
		{"on now and not at boot", "setsebool httpd_can_network_connect on && sed -i d " +
			"/var/lib/selinux/default/active/booleans.local && semodule -B && setsebool httpd_can_network_connect on",
			"(persistent)", "(running)"},
		{"on at boot and not now", "setsebool httpd_can_network_connect off", "(running)", "(persistent)"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := start(t, provisioned)
			m.must(t, c.prepare)
			r, res := m.apply(t, 0, "")
			var changed []string
			for _, s := range r.Steps {
				for _, change := range s.Changes {
					changed = append(changed, change.Object)
				}
			}
			if text := strings.Join(changed, " "); !strings.Contains(text, c.changed) ||
				strings.Contains(text, c.other) {
				t.Errorf("changed: %q, want %s and not %s\n%s", text, c.changed, c.other, res.output)
			}
			m.judgeProvisioned(t)
		})
	}
}

// Permissive is reported and left; the store is written all the same.
func TestPermissive(t *testing.T) {
	t.Parallel()
	m := start(t, packaged)
	m.permissive(t)
	r, _ := m.apply(t, 0, "")
	if _, text := r.step("selinux"); !strings.Contains(text, "permissive") {
		t.Errorf("selinux does not say permissive: %s", text)
	}
	if mode := m.must(t, "getenforce"); mode != "Permissive" {
		t.Errorf("mode afterwards: %s", mode)
	}
	m.must(t, "setenforce 1")
	m.upgraded(t)
	m.judgeProvisioned(t)
}

// Where the kernel has no SELinux the store is written all the same, for the day when it is enabled, and nothing else
// is asked of it.
func TestDisabled(t *testing.T) {
	t.Parallel()
	m := startCold(t, vm.Hardware{Kernel: "lsm=lockdown"})
	installOurs(t, m)
	if mode := m.must(t, "getenforce"); mode != "Disabled" {
		t.Fatalf("the machine's mode is %s: nothing is proved", mode)
	}
	r, res := m.apply(t, 0, "")
	if status, text := r.step("selinux"); status != "changed" ||
		!strings.Contains(text, "SELinux is disabled: the store is written all the same") {
		t.Errorf("selinux is %s: %s", status, text)
	}
	if strings.Contains(res.output, "(running)") {
		t.Errorf("a running policy is spoken of:\n%s", res.output)
	}
	m.upgraded(t)
	store := m.must(t, "cat /var/lib/selinux/default/active/booleans.local /var/lib/selinux/default/active/ports.local")
	for _, want := range []string{"httpd_can_network_connect=1", "portcon tcp 3000 system_u:object_r:http_port_t:s0"} {
		if !strings.Contains(store, want) {
			t.Errorf("the store lacks %q:\n%s", want, store)
		}
	}
	if again := m.try(applyCommand+" --detailed-exitcode", nil); again.status != 0 {
		t.Errorf("second run: exit status %d, want 0:\n%s", again.status, again.output)
	}
}

// A port that nginx may not listen on is found before anything changes, and labelled where that is asked for.
func TestListenPort(t *testing.T) {
	t.Parallel()
	m := start(t, provisioned)
	check := m.untouched(t, fingerprint)
	r, _ := m.apply(t, 1, "--listen 8765")
	check()
	if _, text := r.step("selinux"); !strings.Contains(text, "8765") || !strings.Contains(text, "label_listen_ports") {
		t.Errorf("selinux does not say what to do: %s", text)
	}
	m.apply(t, 0, "--listen 8765 --label-listen-ports")
	if code := m.must(t, strings.Replace(handshake("ws.example.com", "/ws/"), "127.0.0.1/", "127.0.0.1:8765/",
		1)); code != "101" {
		t.Errorf("handshake on port 8765: %s, want 101", code)
	}
}

// storeLabelled requires that semanage has labelled the port, and has left no file of the policy store mislabelled:
// where a unit runs it, the policy has no transition for its files.
func (m *machine) storeLabelled(t testing.TB, port string) {
	t.Helper()
	m.must(t, "semanage port -l -C | grep -w http_port_t | grep -w "+port)
	if out := m.must(t, "restorecon -nRv /etc/selinux /var/lib/selinux"); out != "" {
		t.Errorf("files of the policy store are mislabelled:\n%s", out)
	}
}

// A file that cannot be labelled on a host that runs is named, with what to do; the host is not labelled as a whole and
// rebooted. The step is for a host that was installed in two phases, before it is finished.
func TestImmutableFile(t *testing.T) {
	t.Parallel()
	m := start(t, provisioned)
	const program, deferred = "/usr/sbin/nginx", "/var/lib/wsprovision/deferred.yaml"
	m.put(t, deferred, []byte("sites: [{name: websocket, server_name: ws.example.com, locations: [{path: /ws/, "+
		"backend: \"127.0.0.1:3000\"}]}]\n"), 0o600)
	m.must(t, "chcon -t bin_t "+program+" && chattr +i "+program)
	check := m.untouched(t, "ls -Z "+program+"; ls -A /; cat /proc/sys/kernel/random/boot_id /run/nginx.pid")
	r, res := m.apply(t, 1, "")
	check()
	status, text := r.step("labels")
	mend := "chattr -i -a " + program + "; restorecon -F -v " + program
	for _, want := range []string{program + " keeps the label", mend} {
		if status != "failed" || !strings.Contains(text, want) {
			t.Errorf("labels is %s and does not say %q:\n%s", status, want, res.output)
		}
	}
	if strings.Contains(res.output, "next_boot") || strings.Contains(res.output, "autorelabel") {
		t.Errorf("something is left to the next boot:\n%s", res.output)
	}
	m.upgraded(t)
	m.must(t, "chattr -i "+program)
	m.apply(t, 0, "")
	m.judgeProvisioned(t)
	m.must(t, "restorecon -nRv "+program+" | grep . && exit 1; test ! -e "+deferred)
}
