package nginx

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// fakeProc writes processes as /proc shows them.
func fakeProc(t *testing.T, processes map[int][2]string) Nginx {
	t.Helper()
	n := Nginx{Root: t.TempDir(), Proc: t.TempDir()}
	for pid, p := range processes {
		dir := filepath.Join(n.Proc, fmt.Sprint(pid))
		err := errors.Join(os.MkdirAll(dir, 0o755), os.WriteFile(dir+"/stat", []byte(p[0]), 0o644),
			os.WriteFile(dir+"/cmdline", []byte(p[1]), 0o644))
		if err != nil {
			t.Fatal(err)
		}
	}
	return n
}

func statLine(pid, parent, start int) string {
	return fmt.Sprintf("%d (nginx (x) y) S %d %d 1 0 -1 4194368 90 0 0 0 0 0 0 0 20 0 1 0 %d 11000 300\n", pid, parent,
		pid, start)
}

// TestMasterControlGroup: the workers are looked for in the master's control group, and among all processes where that
// is of no use.
func TestMasterControlGroup(t *testing.T) {
	for _, tt := range []struct {
		name, cgroup, procs, list string
		want                      []int
	}{
		{"version 2", "0::/system.slice/nginx.service\n", "/sys/fs/cgroup/system.slice/nginx.service", "10\n11\n",
			[]int{11}},
		{"version 1", "2:cpu,cpuacct:/\n1:name=systemd:/system.slice/nginx.service\n",
			"/sys/fs/cgroup/systemd/system.slice/nginx.service", "11\n10\n11\n", []int{11}},
		{"both", "1:name=systemd:/nginx\n0::/nginx\n", "/sys/fs/cgroup/systemd/nginx", "10\n11\n", []int{11}},
		{"one has ended", "0::/nginx\n", "/sys/fs/cgroup/nginx", "10\n11\n13\n", []int{11}},
		{"not the master's", "0::/nginx\n", "/sys/fs/cgroup/nginx", "11\n0\n", []int{11, 12}},
		{"not mounted", "0::/nginx\n", "/elsewhere", "10\n11\n", []int{11, 12}},
		{"another system's name", "4:name=other:/nginx\nx\n\n", "/sys/fs/cgroup/nginx", "10\n11\n", []int{11, 12}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			n := fakeProc(t, map[int][2]string{
				10: {statLine(10, 1, 100), "nginx: master process /usr/sbin/nginx\x00"},
				11: {statLine(11, 10, 110), "nginx: worker process\x00"},
				12: {statLine(12, 10, 120), "nginx: worker process\x00"}, // which shows where was looked
			})
			err := errors.Join(os.WriteFile(n.Proc+"/10/cgroup", []byte(tt.cgroup), 0o644),
				os.MkdirAll(n.Root+tt.procs, 0o755),
				os.WriteFile(n.Root+tt.procs+"/cgroup.procs", []byte(tt.list), 0o644))
			if err != nil {
				t.Fatal(err)
			}
			m, err := n.Master(t.Context(), 10)
			var got []int
			for _, w := range m.Workers {
				got = append(got, w.PID)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" || err != nil {
				t.Errorf("%v\n%s", err, diff)
			}
		})
	}
}

func TestMaster(t *testing.T) {
	zombie := strings.Replace(statLine(15, 10, 9), ") S ", ") Z ", 1)
	n := fakeProc(t, map[int][2]string{
		10: {statLine(10, 1, 100), "nginx: master process /usr/sbin/nginx\x00"},
		11: {statLine(11, 10, 110), "nginx: worker process\x00\x00\x00"},
		12: {statLine(12, 10, 120), "nginx: worker process is shutting down"},
		13: {statLine(13, 10, 130), "nginx: cache manager process"},
		14: {statLine(14, 99, 140), "nginx: worker process"},
		15: {zombie, ""},
		16: {statLine(16, 1, 160), "sleep\x0010\x00"},
	})
	want := Master{PID: 10, Start: 100, Workers: []Worker{{11, 110, false}, {12, 120, true}}}
	got, err := n.Master(t.Context(), 10)
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v\n%s", err, diff)
	}
	if Draining(got) != 1 {
		t.Errorf("draining: %d", Draining(got))
	}
	for _, pid := range []int{16, 17, 11} {
		if _, err := n.Master(t.Context(), pid); !errors.Is(err, ErrNotRunning) {
			t.Errorf("%d: %v", pid, err)
		}
	}
	for content, running := range map[string]bool{"10\n": true, "10": true, "": false, "x": false, "16": false,
		"99999": false, "-10": false} {
		if err := errors.Join(os.MkdirAll(n.Root+"/run", 0o755),
			os.WriteFile(n.Root+"/run/nginx.pid", []byte(content), 0o644)); err != nil {
			t.Fatal(err)
		}
		if m, err := n.Master(t.Context(), 0); running != (err == nil && m.PID == 10) || !running &&
			!errors.Is(err, ErrNotRunning) {
			t.Errorf("pid file %q: %v %v", content, m, err)
		}
	}
	if err := os.Remove(n.Root + "/run/nginx.pid"); err != nil {
		t.Fatal(err)
	}
	if _, err := n.Master(t.Context(), 0); !errors.Is(err, ErrNotRunning) {
		t.Errorf("no pid file: %v", err)
	}
}

func TestStarted(t *testing.T) {
	n := Nginx{}
	self, err := n.table().stat(t.Context(), os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	at, err := n.Started(self.start)
	if ago := time.Since(at); err != nil || ago < -2*time.Second || ago > 10*time.Minute {
		t.Errorf("this process began %s ago: %v", ago, err)
	}
}

func FuzzStat(f *testing.F) {
	f.Add(statLine(10, 1, 100))
	f.Add("1 (x) S 1")
	f.Add(") S 1 ) 2")
	f.Fuzz(func(t *testing.T, line string) {
		s, err := parseStat(line)
		if err == nil && (s.parent < 0 || s.state == 0) {
			t.Errorf("%+v", s)
		}
		if err != nil && !strings.Contains(err.Error(), "is not understood") {
			t.Errorf("%v", err)
		}
	})
}

func FuzzTitle(f *testing.F) {
	f.Add([]byte("nginx: worker process\x00\x00"))
	f.Fuzz(func(t *testing.T, cmdline []byte) {
		if title := parseTitle(cmdline); strings.ContainsRune(title, 0) || title != strings.TrimSpace(title) {
			t.Errorf("%q", title)
		}
	})
}
