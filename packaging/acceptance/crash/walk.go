package main

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"wsprovision/packaging/acceptance/vm"
)

const (
	start = "start" // the snapshot that a story starts from
	here  = "here"  // the snapshot of the point that is judged
)

// telling is a story that is being told on one machine.
type telling struct {
	story
	*matrix
	m      *vm.Machine
	share  int
	turns  int      // points that came up for judgement
	points []string // of a run that nothing interrupts
	want   string   // what that run leaves
}

// tell makes the story's snapshot, learns its points and its end from a run that is not interrupted, and walks through
// them.
func (t *telling) tell() error {
	if err := t.m.Restore(vm.Booted); err != nil {
		return err
	}
	if err := t.m.Configured(); err != nil {
		return err
	}
	if err := t.m.Put(agent, t.binary, 0o755); err != nil {
		return err
	}
	if _, err := must(t.m, t.prepare+" && mkdir /run/crash && sync"); err != nil {
		return err
	}
	if err := t.m.Save(start); err != nil {
		return err
	}
	points, err := must(t.m, "CRASH_LOG=/run/crash/points "+t.command+" >&2 && cat /run/crash/points")
	if err != nil {
		return err
	}
	t.points = strings.Split(strings.TrimSpace(points), "\n")
	if t.want, err = must(t.m, outcome); err != nil {
		return err
	}
	fmt.Printf("%s: %d points\n", t.name, len(t.points))
	if err := t.m.Restore(start); err != nil {
		return err
	}
	return t.walk()
}

// walk starts the run for good and stops at each of its points.
func (t *telling) walk() error {
	_, err := must(t.m, "CRASH_LOG=/run/crash/points CRASH_STOP=1 setsid -f sh -c "+
		vm.Quote(t.command+" & echo $! >/run/crash/pid; wait $!; echo $? >/run/crash/status")+
		" >/run/crash/out 2>&1 </dev/null")
	if err != nil {
		return err
	}
	for n, point := range t.points {
		at, err := t.next(n + 1)
		if err != nil {
			return err
		}
		if at.point != point {
			return fmt.Errorf("the run comes to %q, and came to %q when nothing stopped it", at.point, point)
		}
		if err := t.at(n, at); err != nil {
			return err
		}
		if _, err := must(t.m, "kill -CONT $(cat /run/crash/pid)"); err != nil {
			return err
		}
	}
	at, err := t.next(len(t.points) + 1)
	if err != nil {
		return err
	}
	if at.point != "ended 0" {
		return fmt.Errorf("after its last point the run: %s, want ended 0", at.point)
	}
	if t.chosen("the end") && t.ours() {
		t.verdict("power cut", []string{"the end"}, t.afterTheEnd)
	}
	return nil
}

// at judges a point. One that is about to change the host is judged with the one before it, which has just changed it:
// between the two the agent only reads (provision/seam_test.go), so that they leave the same host. The earlier of the
// two has less on its disk.
func (t *telling) at(n int, at place) error {
	if n > 0 && isBefore(t.points[n]) && !isBefore(t.points[n-1]) {
		return nil
	}
	points := t.points[n : n+1]
	if n+1 < len(t.points) && isBefore(t.points[n+1]) && !isBefore(t.points[n]) {
		points = t.points[n : n+2]
	}
	if !t.chosen(points...) || !t.ours() {
		return nil
	}
	return t.judge(at, points, t.cutAt(n))
}

// ours tells whether the next point to be judged is this machine's.
func (t *telling) ours() bool {
	t.turns++
	return t.turns%t.sharers == t.share
}

func isBefore(point string) bool { return strings.Contains(point, " before ") }

// chosen tells whether one of the points is to be judged.
func (t *telling) chosen(points ...string) bool {
	return slices.ContainsFunc(points, func(p string) bool {
		return !slices.ContainsFunc(t.only, func(part string) bool { return !strings.Contains(t.name+": "+p, part) })
	})
}

// place is where the run stands still, and what nginx does there.
type place struct {
	point    string
	master   string // nginx's, "" where it does not run
	answered bool
}

// next waits until the run stands at its n-th point or has ended.
func (t *telling) next(n int) (place, error) {
	out, err := must(t.m, fmt.Sprintf(`cd /run/crash
for i in $(seq 1000); do
	if test -s status; then echo ended $(cat status); break; fi
	if test -e points && test $(wc -l <points) -ge %d && grep -q '^State:.T' /proc/$(cat pid)/status; then sed -n `+
		`%[1]dp points; break; fi
	sleep 0.2
done
systemctl -q is-active nginx && echo master $(cat /run/nginx.pid)
{ %s || %s; } && echo answers
exit 0`, n, upgrade("/ws/"), upgrade("/socket/")))
	if err != nil {
		return place{}, err
	}
	point, more, _ := strings.Cut(out, "\n")
	if !isPoint.MatchString(point) && !strings.HasPrefix(point, "ended ") {
		log, _ := must(t.m, "cat /run/crash/out")
		return place{}, fmt.Errorf("wait for point %d: %q\n%s", n, out, log)
	}
	p := place{point: point, answered: strings.Contains(more, "answers")}
	if _, after, runs := strings.Cut(more, "master "); runs {
		p.master = strings.Fields(after)[0]
	}
	return p, nil
}

var isPoint = regexp.MustCompile(`^\d+ (before|after) `)

// changing are the points at which something of the host has changed; the agent's own memory is sampled.
var changing = regexp.MustCompile(`^\d+ after (run|systemd:|install /etc/|remove /etc/)`)

// cutAt tells whether the power is cut at a point too.
func (t *telling) cutAt(n int) bool {
	return changing.MatchString(t.points[n]) || strings.Contains(t.points[n], " after ") && n%12 == 1
}

func must(m *vm.Machine, command string) (string, error) {
	r := m.Try(command, nil)
	if r.Status != 0 {
		return r.Output, fmt.Errorf("%s: exit status %d after %s:\n%s", command, r.Status,
			r.Duration.Round(time.Millisecond), r.Output)
	}
	return r.Stdout, nil
}
