//go:build acceptance

package acceptance

import (
	"strconv"
	"testing"
	"time"
)

// moments signals the agent at moments that lie close together, each time with a site under another path, and requires
// that what is on the disk is what nginx serves, or that the mark says that it is not yet.
var moments = `failed=0
for after in 0.02 0.1 0.2 0.3 0.5 0.7 0.9 1.2 1.5 2.0; do
	path=/at-$after/
	wsprovision apply --server-name ws.example.com --backend 127.0.0.1:3000 --path $path >/dev/null 2>&1 & agent=$!
	sleep $after
	kill -$SIGNAL $agent 2>/dev/null
	wait $agent
	status=$?
	served=$(` + handshake("ws.example.com", "$path") + `)
	written=no; grep -qF "location $path " ` + siteFile + ` && written=yes
	owed=no; [ -e /run/wsprovision/reload-owed ] && owed=yes
	echo "SIG$SIGNAL after $after s: exit status $status, written $written, handshake $served, owed $owed" >&2
	case "$status $written $served $owed" in
	"143 no 404 no") ;; # it had not begun
	"0 yes 101 no" | "1 yes 101 no" | "1 yes "*" yes" | "1 no 404 no" | "1 no 404 yes") ;;
	*) failed=1 ;;
	esac
done
exit $failed`

// hangUp ends the ssh session of a run on a terminal, in the middle of its reload, and waits for the run's end.
func hangUp(t testing.TB, m *machine) result {
	t.Helper()
	m.beginOnTerminal(t, "exec "+agentFile)
	m.must(t, "until pgrep -P 1 -x sleep; do sleep 0.1; done")
	m.HangUp()
	return m.try("for i in $(seq 300); do pgrep -x wsprovision >/dev/null || break; sleep 0.1; done; grep -q "+
		"'location /socket/' "+siteFile, nil)
}

// powerCutAfterSignal looks whether what an interrupted run says it did is on the disk, whatever happens next.
func powerCutAfterSignal(t testing.TB, m *machine) result {
	t.Helper()
	res := m.try(during("semanage")+"kill -TERM $agent; wait $agent", nil)
	m.powerCut(t)
	m.must(t, "semanage port -l -C | grep -w 3001; "+secondEcho)
	return res
}

const interrupted = `"interrupted": "caught `

// signalFaults end the agent, or whom it speaks to.
var signalFaults = []fault{
	{name: "SIGTERM while yum runs", make: noSemanage, run: during("yum") + "sleep 1; kill -TERM $agent; wait $agent",
		also:   "rpm -q policycoreutils-python",
		status: 1, step: "", says: []string{interrupted + "terminated"}, varies: true},
	{name: "^C while yum runs", long: true, make: noSemanage, run: "set -m; " + during("yum") +
		"sleep 1; kill -INT -- -$agent; wait $agent", also: "rpm -q policycoreutils-python",
		status: 1, step: "", says: []string{interrupted + "interrupt"}, varies: true},
	{name: "SIGTERM while semanage runs", long: true, flags: otherPort, make: secondEcho, run: during("semanage") +
		"sleep 1; kill -TERM $agent; wait $agent",
		also: "semanage port -l -C | grep -w 3001", status: 1, says: []string{interrupted + "terminated"},
		varies: true},
	{name: "SIGTERM while semanage runs, power cut after its end", long: true, flags: otherPort, make: secondEcho,
		strike: powerCutAfterSignal, reboots: true,
		status: 1, says: []string{interrupted + "terminated"}, varies: true},
	{name: "SIGTERM in the middle of the reload", make: slowReload(3, 90), run: atReload +
		"kill -TERM $agent; wait $agent", unmake: quickReload,
		status: 1, step: "", says: []string{interrupted + "terminated"}, varies: true},
	{name: "SIGINT in the middle of the reload", long: true, make: slowReload(3, 90), run: atReload +
		"kill -INT $agent; wait $agent", unmake: quickReload,
		status: 1, step: "", says: []string{interrupted + "interrupt"}, varies: true},
	{name: "SIGTERM at ten moments of as many runs", run: "SIGNAL=TERM\n" + moments, status: 0, varies: true},
	{name: "SIGINT at ten moments of as many runs", long: true, run: "SIGNAL=INT\n" + moments, status: 0, varies: true},
	{name: "SIGHUP, the ssh session dies in the middle of the reload", make: slowReload(5, 90), strike: hangUp,
		unmake: quickReload, status: 0},
	{name: "stdout closed by its reader (EPIPE)", long: true, run: "set -o pipefail; " + agentFile + " | :", status: 0},
	{name: "stdout and stderr closed by their reader (EPIPE)", run: "set -o pipefail; " + agentFile + " 2>&1 | :",
		status: 0},
	{name: "stdout, stderr and stdin not open at all", long: true, run: agentFile + " <&- >&- 2>&-", status: 0},
	{name: "clock set back by two days", make: "date -s '2 days ago' >/dev/null",
		unmake: "date -s '2 days' >/dev/null", status: 0},
	{name: "clock set back by a day in the middle of the reload", long: true, make: slowReload(3, 90), run: atReload +
		"date -s '1 day ago' >/dev/null; wait $agent",
		unmake: "date -s '1 day' >/dev/null; " + quickReload, status: 0},
	{name: "clock at 2001, yum has a package to bring", long: true, make: noSemanage +
		"date -s 2001-01-01 >/dev/null; yum clean all >/dev/null", unmake: "date -s @" + now() + " >/dev/null",
		status: 0},
}

func now() string { return strconv.FormatInt(time.Now().Unix(), 10) }
