package main

import (
	"os"
	"strings"
	"testing"
)

// TestFromPlan: in a tree that stands for an installer's chroot, a bare host's plan is applied as it was shown, and is
// refused where anything is not as it was.
func TestFromPlan(t *testing.T) {
	needRoot(t)
	tr := newTree(t, executables(t))
	tr.must(os.MkdirAll(tr.path("/root"), 0o700))
	tr.write("/etc/machine-id", "0123456789abcdef0123456789abcdef\n")
	plan := []string{"plan", "--offline", "--server-name", "ws.example.com", "--backend", "127.0.0.1:3000", "--out",
		"/root/plan.json"}
	apply := []string{"apply", "--offline", "--from-plan", "/root/plan.json"}
	run := func(want int, says string, args ...string) {
		t.Helper()
		stdout, stderr, status := tr.agent(args...)
		if text := stdout + stderr; status != want || !strings.Contains(text, says) {
			t.Errorf("%q: exit status %d, want %d and %q\n%s", args, status, want, says, text)
		}
	}
	run(exitOK,
		"the plan is in /root/plan.json: wsprovision apply --from-plan /root/plan.json does that, or nothing", plan...)
	if fi, err := os.Stat(tr.path("/root/plan.json")); err != nil || fi.Mode() != 0o600 {
		t.Fatalf("%v, %v", fi, err)
	}
	made, err := os.ReadFile(tr.path("/root/plan.json"))
	tr.must(err)

	// the file
	tr.must(os.Chmod(tr.path("/root/plan.json"), 0o602))
	run(exitConfig, "somebody else than root could have written it", apply...)
	tr.must(os.WriteFile(tr.path("/root/plan.json"), []byte(strings.Replace(string(made), ":3000", ":3001", 1)), 0o600))
	tr.must(os.Chmod(tr.path("/root/plan.json"), 0o600))
	run(exitConfig, "was edited since it was made", apply...)
	tr.must(os.WriteFile(tr.path("/root/plan.json"), made, 0o600))

	// what is asked for, by a file that was not there
	tr.write("/etc/wsprovision/wsprovision.yaml", "on_drift: keep\n")
	run(exitConfig, "what is asked for is not what it was", apply...)
	tr.remove("/etc/wsprovision/wsprovision.yaml")

	// the host
	tr.write("/etc/machine-id", "f123456789abcdef0123456789abcdef\n")
	run(exitConfig, "it is of another host", apply...)
	tr.write("/etc/machine-id", "0123456789abcdef0123456789abcdef\n")
	tr.write("/etc/nginx/conf.d/websocket.conf", "# somebody else's\n")
	run(exitFailed, "is not the agent's", apply...)
	if tr.exists("/etc/wsprovision/sites.d/websocket.yaml") || tr.exists("/var/lib/wsprovision/ledger.json") {
		t.Error("a refused plan has changed something")
	}
	tr.remove("/etc/nginx/conf.d/websocket.conf")

	// as it was shown, and then it is used up; a variable beside it does not count
	tr.environ = []string{"WSPROVISION_BACKEND=127.0.0.1:4000"}
	run(exitOK, "apply: deferred", apply...)
	if text := readGolden(t, tr.path("/etc/nginx/conf.d/websocket.conf")); !strings.Contains(text, "127.0.0.1:3000") {
		t.Errorf("%s", text)
	}
	run(exitFailed, "the plan has, and it is so no more: package nginx", apply...)
}

// A plan that has failed is not written.
func TestFailedPlanIsNone(t *testing.T) {
	needRoot(t)
	tr := newTree(t, executables(t))
	tr.write("/etc/nginx/conf.d/websocket.conf", "# somebody else's\n")
	_, stderr, status := tr.agent("plan", "--offline", "--server-name", "ws.example.com", "--backend", "127.0.0.1:3000",
		"--out", "/plan.json")
	if status != exitFailed || !strings.Contains(stderr, "no plan is written to /plan.json") ||
		tr.exists("/plan.json") {
		t.Errorf("exit status %d: %s", status, stderr)
	}
}
