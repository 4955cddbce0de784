//go:build acceptance

package acceptance

import (
	"strconv"
	"strings"
	"testing"

	"wsprovision/packaging/acceptance/vm"
)

// The main job: a bare host, one command, and a WebSocket goes through. EPEL 7's hosts answer, so that one run of yum
// brings what the tutorial has two for, and leaves what they leave.
func TestBareHost(t *testing.T) {
	t.Parallel()
	m := start(t, packaged)
	tutorials := m.untouched(t, packagesAndSources)
	m.enter(t, installed)
	m.answer(t, vm.EPEL{Mirrors: vm.Answers, Archive: vm.Refuses})
	if out, status := m.run("rpm -q nginx policycoreutils-python epel-release; command -v nginx " +
		"semanage"); status == 0 {
		t.Fatalf("the machine is not bare:\n%s", out)
	}
	flags := signedEPEL(t)
	says(t, "plan", m.must(t, "wsprovision plan "+siteFlags+" "+flags), "package epel-release: absent",
		"to be contacted: mirrors.fedoraproject.org")
	_, res := m.apply(t, 2, "--detailed-exitcode --verbose "+flags)
	t.Logf("first apply: %v\n%s", res.duration, res.stderr)
	if yums := installs(res.stderr); len(yums) != 1 ||
		!strings.Contains(yums[0], " install epel-release nginx policycoreutils-python:") {
		t.Errorf("runs of yum: %q, want one that brings all three", yums)
	}
	m.upgraded(t)
	m.judgeProvisioned(t)
	tutorials()
}

// labelOfPid prints the type of nginx's pid file. Debian's file contexts have none for it, and restorecon would say so;
// only a file that nginx itself made has this one.
const labelOfPid = "stat -c %C /run/nginx.pid | cut -d: -f3"

// judgeProvisioned asks the machine's own tools for everything that the agent promises.
func (m *machine) judgeProvisioned(t testing.TB) {
	t.Helper()
	m.prints(t, map[string]string{
		"getenforce":                          "Enforcing",
		"getsebool httpd_can_network_connect": "httpd_can_network_connect --> on",
		"grep -h httpd_can_network_connect " +
			"/var/lib/selinux/default/active/booleans.local": "httpd_can_network_connect=1",
		"semanage port -l | awk '$1 == \"http_port_t\" && $2 == \"tcp\"' | grep -cw 3000": "1",
		"systemctl is-enabled nginx": "enabled",
		"systemctl is-active nginx":  "active",
		"ps -eo label,comm | awk '$2 == \"nginx\" {print $1}' | cut -d: -f3 | sort -u": "httpd_t",
		"stat -c '%a %U %C' /etc/nginx/conf.d/websocket.conf | cut -d: -f1-3": "644 root " +
			"system_u:object_r:httpd_config_t",
		"rpm -V nginx nginx-filesystem policycoreutils-python epel-release wsprovision":        "",
		"restorecon -nRv /etc/nginx /var/log/nginx /etc/systemd/system /var/lib/nginx":         "",
		"restorecon -nRv /etc/yum.repos.d /etc/pki/rpm-gpg":                                    "",
		"find /etc/nginx /var/lib/wsprovision -name '.*new*'; ls /run/wsprovision 2>/dev/null": "",
		"stat -c '%a %U' /var/lib/wsprovision /var/lib/wsprovision/ledger.json":                "700 root\n600 root",
		"nginx -t 2>&1 | grep -c warn || :":                                                    "0",
		labelOfPid:                                                                             "httpd_runtime_t",
	})
}

// A second run changes nothing, touches nothing, and starts one program.
func TestUnchanged(t *testing.T) {
	t.Parallel()
	m := start(t, provisioned)
	check := m.untouched(t, fingerprint+record)
	r, res := m.apply(t, 0, "--verbose --detailed-exitcode")
	check()
	for _, s := range r.Steps {
		if s.Status != "unchanged" {
			t.Errorf("step %s: %s, want unchanged: %v", s.Name, s.Status, s.Changes)
		}
	}
	if n := strings.Count(res.stderr, "wsprovision: run "); n > 1 {
		t.Errorf("%d programs were run, want at most 1:\n%s", n, res.stderr)
	}
	trace := m.must(t, "strace -f -e trace=execve -o /run/trace "+applyCommand+
		" >/dev/null && grep -c -e 'execve(.*= 0' -e 'execve resumed>.*= 0' /run/trace")
	if trace != "2" {
		t.Errorf("%s programs were executed with the agent itself, want 2:\n%s", trace, m.must(t, "cat /run/trace"))
	}
	m.readsLittle(t)
	t.Logf("unchanged apply: %v", res.duration)
	m.statusSeesNow(t)
}

// readsLittle is the budget of an unchanged apply, the rpm that it runs included. The agent may open a file before it
// holds its lock and once after that, and a file of a site also as nginx reads it.
func (m *machine) readsLittle(t testing.TB) {
	t.Helper()
	opened := m.must(t, "strace -f -e trace=open,openat -o /run/opened "+applyCommand+" >/dev/null && "+
		`sed -n 's/.*open[a-z]*([^"]*"\([^"]*\)".*/\1/p' /run/opened | sort | uniq -c | sort -rn`)
	for line := range strings.Lines(opened) {
		f := strings.Fields(line)
		if n, err := strconv.Atoi(f[0]); err != nil || n > 3 {
			t.Errorf("%s was opened %s times, want at most 3", f[len(f)-1], f[0])
		}
	}
	const most = 260
	if n := strings.Count(opened, "\n"); n < 50 || n > most {
		t.Errorf("%d files were opened, want at most %d:\n%s", n, most, opened)
	}
}

// statusSeesNow: what somebody undoes is seen, although the last run is complete, and so is that it is put right.
func (m *machine) statusSeesNow(t testing.TB) {
	t.Helper()
	const site, boolean = "/etc/nginx/conf.d/websocket.conf", "httpd_can_network_connect"
	for _, c := range []struct{ undo, mend, names string }{
		{"true", "true", "complete"},
		{"systemctl stop nginx", "systemctl start nginx", "nginx.service"},
		{"setsebool " + boolean + " off", "setsebool " + boolean + " on", boolean},
		{"mv " + site + " /root/site", "mv /root/site " + site, site},
	} {
		m.must(t, c.undo)
		want := 1
		if c.undo == "true" {
			want = 0
		}
		if out, status := m.run("wsprovision status"); status != want || !strings.Contains(out, c.names) {
			t.Errorf("status after %s: exit status %d, want %d and %s:\n%s", c.undo, status, want, c.names, out)
		}
		m.must(t, c.mend)
		if out, status := m.run("wsprovision status"); status != 0 {
			t.Errorf("status after %s: exit status %d:\n%s", c.mend, status, out)
		}
	}
}

// A host where somebody followed half of the tutorial: nginx answers 502 and SELinux denies. The agent mends it under
// the same master.
func TestDenialIsMended(t *testing.T) {
	t.Parallel()
	m := start(t, packaged)
	m.must(t, "sed -n '/^cat >/,/^END/p' <<'SCRIPT' | bash\n"+tutorial(t)+"\nSCRIPT")
	m.must(t, "systemctl start nginx")
	m.answers(t, "502")
	if out, _ := m.run("ausearch -m AVC -c nginx"); !strings.Contains(out, "{ name_connect }") {
		t.Fatalf("no denial of name_connect in the audit log:\n%s", out)
	}
	check := m.untouched(t, "cat /run/nginx.pid")
	m.apply(t, 0, "--adopt") // the tutorial's file is not the agent's
	check()
	m.upgraded(t)
}

// nginx is reloaded where its configuration changes, and keeps its master and its listening sockets.
func TestReloadOnlyOnChange(t *testing.T) {
	t.Parallel()
	m := start(t, provisioned)
	const workers = "pgrep -f '[n]ginx: worker' | sort"
	master := m.untouched(t, "cat /run/nginx.pid")
	before := m.must(t, workers)
	m.apply(t, 0, "")
	if after := m.must(t, workers); after != before {
		t.Errorf("workers after a run that changed nothing: %q, want %q", after, before)
	}
	r, _ := m.agent(t, "apply "+strings.Replace(siteFlags, "/ws/", "/socket/", 1))
	if status, text := r.step("service"); status != "changed" {
		t.Errorf("service: %s, want changed: %s", status, text)
	}
	if after := m.must(t, workers); after == before {
		t.Error("no new workers after a change of the configuration")
	}
	master()
	if code := m.must(t, handshake("ws.example.com", "/socket/")); code != "101" {
		t.Errorf("handshake on the new path: %s, want 101", code)
	}
	if code := m.must(t, handshake("ws.example.com", "/ws/")); code == "101" {
		t.Error("the old path still upgrades")
	}
}

// plan shows everything and changes nothing, on a bare host and without root.
func TestPlanChangesNothing(t *testing.T) {
	t.Parallel()
	m := start(t, installed)
	check := m.untouched(t, fingerprint+record)
	for _, who := range []string{"", "setpriv --reuid 65534 --regid 65534 --clear-groups "} {
		res := m.try(who+"wsprovision plan --detailed-exitcode "+siteFlags, nil)
		if res.status != 2 {
			t.Fatalf("%splan: exit status %d, want 2:\n%s", who, res.status, res.output)
		}
		for _, want := range []string{"package nginx: absent", "+    server_name ws.example.com;", "planned"} {
			if !strings.Contains(res.stdout, want) {
				t.Errorf("%splan does not say %q:\n%s", who, want, res.stdout)
			}
		}
	}
	out := m.must(t, "wsprovision plan "+siteFlags)
	for _, want := range []string{"boolean httpd_can_network_connect (persistent): off → on",
		"boolean httpd_can_network_connect (running): off → on", "port tcp/3000: ntop_port_t → http_port_t"} {
		if !strings.Contains(out, want) {
			t.Errorf("plan does not say %q:\n%s", want, out)
		}
	}
	check()
}

// EPEL's nginx.conf up to 1.16 names a default_server; the site must not become a second one.
func TestOlderNginx(t *testing.T) {
	t.Parallel()
	m := start(t, unpackaged)
	m.must(t, "yum -y install epel-release && yum -y --enablerepo=older install nginx-1:1.16.1-3.el7")
	r, _ := m.apply(t, 0, "")
	if _, text := r.step("validate"); strings.Contains(text, "default server") {
		t.Errorf("validate says that the site is the default server: %s", text)
	}
	m.upgraded(t)
	if v := m.must(t, "rpm -q --qf '%{VERSION}' nginx"); v != "1.16.1" {
		t.Errorf("nginx was upgraded to %s, which nobody asked for", v)
	}
	if code := m.must(t, handshake("other.example.com", "/ws/")); code == "101" {
		t.Error("another name reaches the site although nginx.conf has a default_server")
	}
}

// Bad input ends with every problem and an untouched host; so do the other exit statuses.
func TestRefusals(t *testing.T) {
	t.Parallel()
	m := start(t, installed)
	check := m.untouched(t, fingerprint)
	for _, c := range []struct {
		command string
		status  int
		says    []string
	}{
		{"wsprovision apply --server-name 'a;b' --backend 127.0.0.1:65536 --path 'x y'", 78,
			[]string{"--server-name", "--backend", "--path"}},
		{"wsprovision apply", 78, []string{"no site is configured"}},
		{"wsprovision apply --nonsense", 64, []string{"--nonsense"}},
		{"wsprovision nonsense", 64, []string{"nonsense"}},
		{"wsprovision apply --output xml " + siteFlags, 64, []string{"text or json"}},
		{"setpriv --reuid 65534 --regid 65534 --clear-groups " + applyCommand, 77, []string{"root"}},
		{"sed -i 's/VERSION_ID=.*/VERSION_ID=8/' /etc/os-release; " + applyCommand, 1, []string{"--any-platform"}},
	} {
		out, status := m.run(c.command)
		if status != c.status {
			t.Errorf("%s: exit status %d, want %d:\n%s", c.command, status, c.status, out)
		}
		for _, want := range c.says {
			if !strings.Contains(out, want) {
				t.Errorf("%s does not say %q:\n%s", c.command, want, out)
			}
		}
	}
	check()
}

// A service is confined where an administrator is not: the nginx -t that it starts runs as httpd_t, and so does the
// first boot's.
func TestFromAService(t *testing.T) {
	t.Parallel()
	m := start(t, provisioned)
	m.must(t, secondEcho)
	const flags = "--server-name ws.example.com --backend 127.0.0.1:3001 --path /socket/" // 3001 has to be labelled
	if out, status := m.run("systemd-run -q --wait --unit manager wsprovision apply " + flags); status != 0 {
		journal, _ := m.run("journalctl -o cat -u manager")
		t.Errorf("apply from a service: exit status %d:\n%s\n%s", status, out, journal)
	}
	if code := m.must(t, handshake("ws.example.com", "/socket/")); code != "101" {
		t.Errorf("handshake at /socket/: %s, want 101", code)
	}
	m.storeLabelled(t, "3001")
}
