package selinux

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"wsprovision/provision/running"
	"wsprovision/selinux/policydb"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
)

func TestCommit(t *testing.T) {
	http := func(low, high int) policydb.Port {
		return policydb.Port{Proto: "tcp", Low: low, High: high, Type: "http_port_t"}
	}
	tests := map[string]struct {
		files map[string]string
		edits []Edit
		load  bool
		want  string
	}{
		"one transaction, boolean first": {nil,
			[]Edit{AddPort(http(3000, 3000)), SetBoolean("httpd_can_network_connect", true)}, true,
			"boolean -m --on httpd_can_network_connect\nport -a -t http_port_t -p tcp 3000\n"},
		"-N on every line": {nil, []Edit{SetBoolean("a", false), ModifyPort(http(8080, 8080)),
			AddPort(http(4000, 4001))}, false,
			"boolean -m -N --off a\nport -a -N -t http_port_t -p tcp 4000-4001\nport -m -N -t http_port_t -p tcp " +
				"8080\n"},
		"the same twice": {nil, []Edit{AddPort(http(3000, 3000)), AddPort(http(3000, 3000))}, true,
			"port -a -t http_port_t -p tcp 3000\n"},
		"delete a port": {map[string]string{portsLocal: "portcon tcp 4000 system_u:object_r:http_port_t:s0\n"},
			[]Edit{DeletePort(http(4000, 4000))}, true, "port -d -p tcp 4000\n"},
		"delete the only record": {map[string]string{"etc/selinux/targeted/active/booleans.local": "a=1\n"},
			[]Edit{DeleteBoolean("a")}, false, "boolean -D -N\n"},
		"delete one record of three": {map[string]string{"etc/selinux/targeted/active/" +
			"booleans.local": "c=1\na=1\nb=0\n"},
			[]Edit{AddPort(http(3000, 3000)), DeleteBoolean("a")}, true,
			"boolean -D\nboolean -m --off b\nboolean -m --on c\nport -a -t http_port_t -p tcp 3000\n"},
		"one record is set, another deleted": {map[string]string{"etc/selinux/targeted/active/" +
			"booleans.local": "c=1\na=1\nb=0\n"},
			[]Edit{SetBoolean("b", true), DeleteBoolean("a")}, true,
			"boolean -D\nboolean -m --on c\nboolean -m --on b\n"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			h, s := withSemanage(t, tt.files)
			h.Offline = true // so that no running value counts
			must(t, h.Commit(context.Background(), tt.edits, tt.load))
			if diff := cmp.Diff([]string{tt.want}, s.runs); diff != "" {
				t.Errorf("input (-want +got):\n%s", diff)
			}
			argv := []string{"semanage", "import"}
			if !tt.load {
				argv = append(argv, "-N")
			}
			if diff := cmp.Diff([][]string{argv}, s.argv); diff != "" {
				t.Errorf("argv (-want +got):\n%s", diff)
			}
		})
	}
}

func TestCommitNothing(t *testing.T) {
	h := rhel7(t, nil) // fails the test if a program runs
	must(t, h.Commit(context.Background(), nil, true))
	must(t, h.Commit(context.Background(), []Edit{DeleteBoolean("not_recorded")}, true))
}

// Recording another boolean again would also set its running value, which is somebody's decision.
func TestCommitLeavesOtherBooleansAlone(t *testing.T) {
	h := rhel7(t, map[string]string{
		"etc/selinux/targeted/active/booleans.local":        "a=1\nhttpd_can_network_connect=1\n",
		"sys/fs/selinux/booleans/httpd_can_network_connect": "0 0",
	})
	err := h.Commit(context.Background(), []Edit{DeleteBoolean("a")}, true)
	if !errors.Is(err, errOtherBoolean) {
		t.Errorf("Commit() = %v, want errOtherBoolean", err)
	}
}

func TestCommitRefusesWords(t *testing.T) {
	bad := []Edit{
		SetBoolean("a b", true), SetBoolean("-D", true), SetBoolean("a\nport", true), SetBoolean("", true),
		DeleteBoolean("x;y"), SetBoolean(`a"b`, true),
		AddPort(policydb.Port{Proto: "tcp", Low: 3000, High: 3000, Type: "http_port_t -p udp"}),
		AddPort(policydb.Port{Proto: "tcp", Low: 3000, High: 3000, Type: ""}),
		AddPort(policydb.Port{Proto: "tcp 1", Low: 3000, High: 3000, Type: "t"}),
		AddPort(policydb.Port{Proto: "tcp", Low: 0, High: 0, Type: "t"}),
		AddPort(policydb.Port{Proto: "tcp", Low: 2, High: 1, Type: "t"}),
		ModifyPort(policydb.Port{Proto: "tcp", Low: 1, High: 65536, Type: "t"}),
		DeletePort(policydb.Port{Proto: "sctp", Low: 1, High: 1, Type: ""}),
	}
	for _, e := range bad {
		if err := rhel7(t, nil).Commit(context.Background(), []Edit{SetBoolean("fine", true), e}, true); err == nil {
			t.Errorf("%q was accepted", e.words(true))
		}
	}
}

func TestCommitQuotesSemanage(t *testing.T) {
	h := rhel7(t, nil)
	h.Change = says("", "Traceback (most recent call last):\n  File \"x\"\n\nValueError: Boolean no_such is not "+
		"defined\n", 1)
	err := h.Commit(context.Background(), []Edit{SetBoolean("no_such", true)}, true)
	want := `semanage import: exit status 1: Traceback (most recent call last): / File "x" / ValueError: Boolean ` +
		`no_such is not defined`
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	for _, full := range []string{"OSError: [Errno 28] No space left on device\n",
		"libsemanage.semanage_make_sandbox: Could not copy files to sandbox /var/lib/selinux/default/tmp. " +
			"(Input/output error).\nOSError: [Errno 5] Input/output error\n"} {
		h.Change = says("", full, 1)
		if err := h.Commit(context.Background(), []Edit{SetBoolean("a", true)}, true); err == nil ||
			!strings.Contains(err.Error(), "free space") {
			t.Errorf("disk full: %v, want what to do", err)
		}
	}
	h.Change = func(context.Context, string, ...string) (string, string, int, error) {
		return "", "", -1, context.DeadlineExceeded
	}
	if err := h.Commit(context.Background(), []Edit{SetBoolean("a", true)}, true); !errors.Is(err,
		context.DeadlineExceeded) {
		t.Errorf("killed: %v, want DeadlineExceeded", err)
	}
}

// locked fails n times as semanage does while another holds its lock.
func locked(t *testing.T, n int) running.Run {
	return func(context.Context, string, ...string) (string, string, int, error) {
		if n--; n >= 0 {
			return "", testdata(t, "rhel7-1.semanage-import-locked.stderr"), 1, nil
		}
		return "", "", 0, nil
	}
}

func TestCommitWaitsForLock(t *testing.T) {
	h := rhel7(t, map[string]string{"proc/4711/comm": "semodule\n"})
	must(t, os.WriteFile(h.system().path("proc/locks"), []byte(locksLine(t, h)), 0o644))
	h.Change, h.LockWait = locked(t, 3), time.Minute
	var pauses []time.Duration
	h.Sleep = func(_ context.Context, d time.Duration) error { pauses = append(pauses, d); return nil }
	var notices []string
	h.Notice = func(s string) { notices = append(notices, s) }
	must(t, h.Commit(context.Background(), []Edit{SetBoolean("a", true)}, true))
	if diff := cmp.Diff([]time.Duration{time.Second, 2 * time.Second, 4 * time.Second}, pauses); diff != "" {
		t.Errorf("pauses (-want +got):\n%s", diff)
	}
	if want := "waiting for pid 4711 (semodule) to release " +
		"/etc/selinux/targeted/semanage.trans.LOCK"; len(notices) != 3 || notices[0] != want {
		t.Errorf("notices %q, want three times %q", notices, want)
	}
}

func TestCommitGivesUp(t *testing.T) {
	h := rhel7(t, nil)
	h.Change = locked(t, 1000)
	h.LockWait = 10 * time.Second
	var slept time.Duration
	h.Sleep = func(_ context.Context, d time.Duration) error { slept += d; return nil }
	err := h.Commit(context.Background(), []Edit{SetBoolean("a", true)}, true)
	if err == nil || !strings.Contains(err.Error(), "semanage.trans.LOCK is held by another process, waited 10s") {
		t.Errorf("got %v, want a bounded wait that names the lock", err)
	}
	if slept > 10*time.Second || slept < 9*time.Second {
		t.Errorf("slept %s, want 10s", slept)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	h.Sleep = func(ctx context.Context, _ time.Duration) error { return ctx.Err() }
	if err := h.Commit(ctx, []Edit{SetBoolean("a", true)}, true); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v, want Canceled", err)
	}
}

func TestLockHolderForReal(t *testing.T) {
	file := filepath.Join(t.TempDir(), "semanage.trans.LOCK")
	f, err := os.Create(file)
	must(t, err)
	defer f.Close()
	must(t, unix.Flock(int(f.Fd()), unix.LOCK_EX))
	if _, err := os.Stat("/proc/locks"); err != nil {
		cannot(t, "no /proc/locks")
	}
	got := Host{}.system().lockHolder(file)
	if !strings.HasPrefix(got, "pid ") {
		t.Errorf("lockHolder() = %q, want this process", got)
	}
}

// locksLine is a line of /proc/locks in which pid 4711 holds the store's lock, after one that waits for it.
func locksLine(t *testing.T, h Host) string {
	t.Helper()
	var st unix.Stat_t
	must(t, unix.Stat(h.system().path("etc/selinux/targeted/semanage.trans.LOCK"), &st))
	id := fileID(&st)
	return "1: -> FLOCK  ADVISORY  WRITE 99 " + id + " 0 EOF\n2: FLOCK  ADVISORY  WRITE 4711 " + id + " 0 EOF\n"
}
