package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"wsprovision/packaging/acceptance/vm"
)

// outcome is a command that prints what a finished run leaves: nginx's files, SELinux's store, packages and what is
// wrong with their files, what the ledger knows for a revert, and whatever an interrupted run may have left over. What
// is not enabled runs or not, as the last boot had it. In its own directory the agent leaves a staged file for its next
// write.
const outcome = `cd /etc/nginx/conf.d
for f in *.conf; do test ! -e $f || { stat -c '%n %a %U %C' $f; cat $f; }; done
cat /var/lib/selinux/default/active/*.local
getsebool httpd_can_network_connect
systemctl is-enabled nginx && systemctl is-active nginx && ps -eo label,comm | awk '$2 == "nginx" { print $1 }' | ` +
	`cut -d: -f3 | sort -u
rpm -qa | sort
rpm -V epel-release nginx nginx-filesystem policycoreutils-python
restorecon -nRv /etc/nginx /etc/yum.repos.d /etc/systemd/system /var/lib/nginx /var/log/nginx
find /etc /usr/share /usr/lib/systemd /run -xdev -name '*.wsprovision-new'
find /run/wsprovision -name reload-owed
test ! -e /var/lib/wsprovision/ledger.json || python3 -c '
import json
for e in json.load(open("/var/lib/wsprovision/ledger.json"))["entries"]:
    if e["kind"] != "unit-active": # after a power cut it is the boot that starts nginx
        print("ledger:", e["kind"], e["name"], e["before"], "->", e["left"])
' | sort
exit 0`

// upgrade is a command that succeeds where nginx answers 101.
func upgrade(path string) string {
	return "{ " + vm.Handshake("127.0.0.1", "ws.example.com", path) + "; } | grep -qx 101"
}

// judge saves the machine, interrupts the run in one way or in both, and brings the machine back.
func (t *telling) judge(at place, points []string, cut bool) error {
	if err := t.m.Save(here); err != nil {
		return err
	}
	if cut {
		t.verdict(powerCut, points[:1], func() error { return t.powerCut(at) })
		if err := t.m.Restore(here); err != nil {
			return err
		}
	}
	t.verdict("killed", points, func() error { return t.kill(at) })
	return t.m.Restore(here)
}

const powerCut = "power cut"

// verdict prints how the points went.
func (t *telling) verdict(how string, points []string, try func() error) {
	begun := time.Now()
	err := try()
	t.mu.Lock()
	defer t.mu.Unlock()
	t.judged += len(points)
	if how == powerCut {
		t.cuts++
	}
	verdict := "converged"
	if err != nil {
		t.broken += len(points)
		verdict = "BROKEN: " + err.Error()
	}
	fmt.Printf("%s (%d points), %s at %s: %s, %.0f s\n", t.name, len(t.points), how, strings.Join(points, " = "),
		verdict, time.Since(begun).Seconds())
}

func (t *telling) kill(at place) error {
	checks := []string{"cd /run/crash; kill -9 $(cat pid); for i in $(seq 50); do test -s status && break; sleep " +
		"0.1; done; grep -x 137 status"}
	checks = append(checks, sound...)
	sameMaster := "true"
	if at.master != "" {
		sameMaster = "systemctl is-active nginx && test $(cat /run/nginx.pid) = " + at.master
		checks = append(checks, sameMaster)
	}
	if at.answered {
		checks = append(checks, answers)
	}
	return t.rerun(append(checks, t.command, t.done, t.command+" --detailed-exitcode", sameMaster))
}

// powerCut cuts the power where nginx ran or did not: after the boot it runs if it is enabled, for the run may have
// been taking it from the boot, and answers if its site is there.
func (t *telling) powerCut(at place) error {
	if err := t.reboot(); err != nil {
		return err
	}
	checks := slices.Clone(sound)
	if at.master != "" {
		checks = append(checks, ifEnabled+"systemctl is-active nginx")
	}
	if at.answered {
		checks = append(checks, ifEnabled+ifThere+answers)
	}
	return t.rerun(append(checks, t.command, t.done, t.command+" --detailed-exitcode"))
}

// afterTheEnd cuts the power when the agent has just said that all is done: nobody runs it again after the boot.
func (t *telling) afterTheEnd() error {
	if err := t.reboot(); err != nil {
		return err
	}
	return t.rerun(append(slices.Clone(sound), t.done, t.command+" --detailed-exitcode"))
}

const (
	ifEnabled = "! systemctl -q is-enabled nginx || "
	// ifThere: a revert takes the site away, and a boot is a reload.
	ifThere = "! test -e /etc/nginx/conf.d/websocket.conf || "
)

// answers is what holds where nginx serves the old site or the new one.
var answers = "{ " + upgrade("/ws/") + " || " + upgrade("/socket/") + "; }"

// sound is what holds at every instant.
var sound = []string{
	"test $(cat /sys/fs/selinux/enforce) = 1",
	"! command -v nginx || unshare -m sh -c 'mount -t tmpfs none /run && nginx -t'",
}

// reboot cuts the power and waits until the boot is over.
func (t *telling) reboot() error {
	t.m.Kill()
	if err := t.m.Boot(); err != nil {
		return err
	}
	_, err := must(t.m, "timeout 120 systemctl is-system-running --wait; for i in $(seq 60); do ss -Hltn | grep -q "+
		":3000 && exit 0; sleep 1; done; systemctl status --no-pager ws-backend; exit 1")
	return err
}

// rerun makes the checks, one after the other in one session, and compares what is left with what an undisturbed run
// leaves.
func (t *telling) rerun(checks []string) error {
	var script strings.Builder
	for _, check := range checks {
		fmt.Fprintf(&script, "(\n%s\n) >/run/judged 2>&1 || { echo %s; cat /run/judged; exit 1; }\n", check,
			vm.Quote("failed: "+check))
	}
	if r := t.m.Try(script.String(), nil); r.Status != 0 {
		return fmt.Errorf("exit status %d: %s", r.Status, r.Output)
	}
	got, err := must(t.m, outcome)
	if err == nil && got != t.want {
		err = fmt.Errorf("the run ends elsewhere:\n%s", diff(t.want, got))
	}
	return err
}

// diff names the lines that one of two outcomes lacks.
func diff(want, got string) string {
	var lines []string
	for _, side := range []struct{ sign, has, lacks string }{{"-", want, got}, {"+", got, want}} {
		for line := range strings.SplitSeq(side.has, "\n") {
			if !strings.Contains("\n"+side.lacks+"\n", "\n"+line+"\n") {
				lines = append(lines, side.sign+line)
			}
		}
	}
	return strings.Join(lines, "\n")
}
