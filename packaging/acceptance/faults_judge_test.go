//go:build acceptance

package acceptance

import (
	"strings"
	"testing"
)

// standing is what no fault may take from the host, by the machine's own tools.
type standing struct {
	mode   string // of SELinux
	master string // nginx's, "" while it does not run
	valid  string // whether nginx -t passes
	serves string // the answer to a handshake at the path that the file on the disk has
}

// standingCommand tests in a mount namespace of its own: nginx -t would leave a pid file and logs. A configuration that
// is on the disk and not yet reloaded counts as served where the mark says so, because the next run settles it.
const standingCommand = `getenforce
pgrep -x -P 1 nginx || echo
if unshare -m sh -c 'mount -t tmpfs tmpfs /run && mount -t tmpfs tmpfs /var/log/nginx && exec timeout 10 nginx ` +
	`-t' >/dev/null 2>&1; then echo valid; else echo invalid; fi
path=$(test -f ` + siteFile + ` && sed -n 's/^ *location \(.*\) {$/\1/p' ` + siteFile + ` 2>/dev/null | head -n 1)
if [ -e /run/wsprovision/reload-owed ]; then path=$(cat /dev/shm/served); fi
echo "$path" >/dev/shm/served
`

func (m *machine) standing(t testing.TB) standing {
	t.Helper()
	lines := strings.Split(m.must(t, standingCommand+handshake("ws.example.com", `"$path"`)), "\n")
	if len(lines) != 4 {
		t.Fatalf("how the host stands: %q", lines)
	}
	return standing{lines[0], lines[1], lines[2], lines[3]}
}

// standsAs requires that the host stands as before. What did not run or serve before may do so now.
func (m *machine) standsAs(t testing.TB, before standing, when string) {
	t.Helper()
	now := m.standing(t)
	same := now.mode == before.mode && now.mode == "Enforcing" &&
		(before.master == "" || now.master == before.master) &&
		(before.valid == "invalid" || now.valid == before.valid) &&
		(before.serves != "101" || now.serves == before.serves)
	if !same {
		t.Errorf("after the run, %s: %+v, before it %+v", when, now, before)
	}
}

// noLitter looks for staged files wherever the agent writes.
func (m *machine) noLitter(t testing.TB) {
	t.Helper()
	if left := m.must(t, "find /etc /var/lib /run /tmp /var/tmp -xdev -name '*wsprovision-new*'"); left != "" {
		t.Errorf("the run left %s", left)
	}
}

// converges requires that apply does it now, and that the one after it has nothing to do.
func (m *machine) converges(t testing.TB, flags string) {
	t.Helper()
	for _, extra := range []string{"", " --detailed-exitcode"} {
		if res := m.try("wsprovision --output json apply "+flags+extra, nil); res.status != 0 {
			failed, text := failures(res)
			t.Fatalf("with the fault gone, apply%s: exit status %d: %s: %s\n%s", extra, res.status, failed, text,
				res.stderr)
		}
	}
	now := m.standing(t)
	if want := (standing{"Enforcing", now.master, "valid", "101"}); now != want || now.master == "" {
		t.Errorf("with the fault gone and applied again: %+v, want %+v", now, want)
	}
	m.must(t, "test ! -e /run/wsprovision/reload-owed")
}
