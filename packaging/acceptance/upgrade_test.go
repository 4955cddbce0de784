//go:build acceptance

package acceptance

import (
	"bytes"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// released is a host that 1.0.0 has provisioned, by flags.
var released = &state{name: "released", from: booted, make: func(t testing.TB, m *machine) {
	const on = "/root/wsprovision-1.0.0.rpm"
	m.put(t, on, readFile(t, previousRPM(t)), 0o644)
	m.must(t, "rpm -Uvh "+on)
	m.beginSampling(t)
	m.must(t, applyCommand)
}}

// previousRPM is the package of 1.0.0, built if need be.
func previousRPM(t testing.TB) string {
	t.Helper()
	var path bytes.Buffer
	build := exec.Command("./previous.sh")
	build.Stdout, build.Stderr = &path, os.Stderr
	if err := build.Run(); err != nil {
		t.Fatalf("the package of 1.0.0: previous.sh: %v", err)
	}
	return strings.TrimSpace(path.String())
}

// bareTraces are traces on a host that has no semanage, less what is in its packages and in comments of its store.
const bareTraces = "rpm -qa | grep -v ^wsprovision- | sort; getsebool -a; grep -hv '^#\\|^$' " +
	"/var/lib/selinux/default/active/*.local 2>/dev/null; systemctl list-unit-files --no-legend | grep -v -e " +
	"transient -e wsprovision-firstboot; find /etc/nginx /etc/yum.repos.d /etc/pki/rpm-gpg -type f 2>/dev/null | " +
	"sort | xargs sha256sum"

// What the plan says after the upgrade: of each difference, and why.
var (
	upgradeSays = []string{
		"only websocket is passed on by now", "+    websocket websocket;",
		"-        proxy_set_header Upgrade $http_upgrade;", "it names on_drift by now",
		"nginx.service: an older configuration → reloaded", "plan: planned",
	}
	// By flags, the file that they are written down in is planned besides.
	byFlags, byFile = ": 3 planned, 6 unchanged", ": 2 planned, 6 unchanged"
	nowFail         = "on_drift is fail, the default, which was replace in 1.0.0"
	keepReplace     = "on_drift is replace, which was the default of 1.0.0 and an active line of its wsprovision.yaml"
)

// TestUpgradeFrom100RPM: a host that 1.0.0 provisioned goes on after rpm -U. The plan names what differs and why, an
// apply reloads nginx once and cuts nobody's WebSocket, the next has nothing to do, and a revert brings back the host
// from before 1.0.0.
func TestUpgradeFrom100RPM(t *testing.T) {
	t.Parallel()
	previousRPM(t) // before a machine waits for it
	m := start(t, booted)
	before := m.untouched(t, bareTraces)
	m.enter(t, released)
	m.upgradeByFlags(t)
	m.addsFeatures(t)
	m.must(t, "wsprovision revert --packages")
	before()

	m.enter(t, released)
	m.upgradeByFile(t)
}

// upgradeByFlags is for a host whose wsprovision.yaml nobody has touched: rpm puts the new one there.
func (m *machine) upgradeByFlags(t *testing.T) {
	t.Helper()
	m.holdCrowd(t)
	processes := m.untouched(t, nginxProcesses)
	installOurs(t, m)
	m.plans(t, siteFlags, nowFail, byFlags)
	processes()
	m.reloadsOnce(t, siteFlags)
}

// upgradeByFile is for one that 1.0.0 applied from its wsprovision.yaml with a site added, which rpm keeps.
func (m *machine) upgradeByFile(t *testing.T) {
	t.Helper()
	const file = "/etc/wsprovision/wsprovision.yaml"
	m.must(t, "sed -i '/^sites:/a\\  - {name: websocket, server_name: ws.example.com, locations: [{path: /ws/, "+
		"backend: \"127.0.0.1:3000\"}]}' "+file+" && wsprovision apply --detailed-exitcode")
	m.holdCrowd(t)
	kept := m.untouched(t, "sha256sum "+file)
	m.upgradeFromRepository(t)
	kept()
	m.plans(t, "", keepReplace, byFile)
	m.reloadsOnce(t, "")
	kept()
	if out := m.must(t, "wsprovision plan"); strings.Contains(out, "on_drift") {
		t.Errorf("the plan after an apply that said it says once more that a default has changed:\n%s", out)
	}
}

// upgradeFromRepository has yum bring our package from what "make repo" makes, by its .repo file alone. yum here is
// dnf: it takes no metadata that was changed after it was signed.
func (m *machine) upgradeFromRepository(t *testing.T) {
	t.Helper()
	const served = "/srv/mirror/wsprovision"
	repository := t.TempDir() + "/repo"
	onHost(t, "../repo.sh trial http://127.0.0.1:8600/wsprovision "+repository)
	packed := onHost(t, "tar -C "+repository+" -cz . | base64")
	unpack := "mkdir -p " + served + " && base64 -d | tar -xz -C " + served + " && cp " + served +
		"/wsprovision.repo /etc/yum.repos.d/"
	if r := m.try(unpack, strings.NewReader(packed)); r.status != 0 {
		t.Fatalf("exit status %d: %s", r.status, r.output)
	}
	const upgrade, metadata = "yum -y upgrade wsprovision", served + "/repodata/repomd.xml"
	m.must(t, "cp "+metadata+" /root/ && echo '<!-- -->' >>"+metadata)
	if out, status := m.run(upgrade); status == 0 || !strings.Contains(out, "signature") {
		t.Errorf("with metadata that nobody signed: exit status %d:\n%s", status, out)
	}
	m.must(t, "rpm -q wsprovision-1.0.0; cp /root/repomd.xml "+metadata+" && yum clean all && "+upgrade)
	m.prints(t, map[string]string{
		"rpm -q wsprovision | grep -c 1.0.0 || :":                     "0",
		"rpm -q --qf '%{SUMMARY}\n' gpg-pubkey | grep -c wsprovision": "1",
		"rpm -V wsprovision | grep -v wsprovision.yaml || :":          "",
	})
}

// plans requires the plan to say what differs and why, and which default has changed, once; and to change nothing.
func (m *machine) plans(t *testing.T, flags string, says ...string) {
	t.Helper()
	check := m.untouched(t, fingerprint+record)
	out := m.must(t, "wsprovision plan "+flags)
	check()
	for _, want := range slices.Concat(upgradeSays, says) {
		if strings.Count(out, want) != 1 {
			t.Errorf("the plan does not say %q once:\n%s", want, out)
		}
	}
}

// reloadsOnce applies twice: nginx is reloaded once, keeps its master, and every WebSocket goes on.
func (m *machine) reloadsOnce(t *testing.T, flags string) {
	t.Helper()
	const reloads = "journalctl -u nginx -o cat | grep -c '^Reloaded' || :"
	if n := m.must(t, reloads); n != "0" {
		t.Fatalf("nginx was reloaded %s times before", n)
	}
	master := m.untouched(t, "cat /run/nginx.pid")
	m.must(t, "wsprovision apply "+flags)
	unchanged := m.untouched(t, fingerprint+record)
	if out, status := m.run("wsprovision apply --detailed-exitcode " + flags); status != 0 {
		t.Errorf("a second apply: exit status %d, want 0:\n%s", status, out)
	}
	unchanged()
	master()
	m.crowdAnswers(t, "200")
	m.upgraded(t)
	if n := m.must(t, reloads); n != "1" {
		t.Errorf("nginx was reloaded %s times, want once", n)
	}
}
