package main

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
)

// TestReportsAreKept: the reports of runs that changed something or failed are there afterwards, the last twenty.
func TestReportsAreKept(t *testing.T) {
	needRoot(t)
	tr := newTree(t, executables(t))
	list := func() (all []summaryOf) {
		t.Helper()
		stdout, stderr, status := tr.agent("report", "--list", "-o", "json")
		if err := json.Unmarshal([]byte(stdout), &all); err != nil || status != exitOK {
			t.Fatalf("%v: exit status %d\n%s%s", err, status, stdout, stderr)
		}
		return all
	}
	tr.must(os.MkdirAll(tr.path("/var/log"), 0o755))
	if all := list(); len(all) != 0 {
		t.Errorf("%v", all)
	}
	if _, stderr, status := tr.agent("report"); status != exitFailed || !strings.Contains(stderr, "no run is kept") {
		t.Errorf("exit status %d: %s", status, stderr)
	}
	tr.write("/nopackage", "")
	tr.agent(applyArgs...)
	tr.remove("/nopackage")
	for range 2 { // the second changes nothing
		if stdout, stderr, status := tr.agent(applyArgs...); status != exitOK {
			t.Fatalf("exit status %d\n%s%s", status, stdout, stderr)
		}
	}
	tr.agent(append([]string{"plan"}, applyArgs[1:]...)...)
	all := list()
	if len(all) != 2 || all[0].Result != "failed" || all[1].Result != "deferred" || all[0].Command != "apply" {
		t.Fatalf("%+v", all)
	}
	stdout, _, status := tr.agent("report", all[0].ID)
	if status != exitOK || !strings.Contains(stdout, "packages: error: ") || !strings.Contains(stdout,
		"apply: failed") {
		t.Errorf("exit status %d\n%s", status, stdout)
	}
	if stdout, _, _ := tr.agent("report", "-o", "json"); !strings.Contains(stdout, `"result": "deferred"`) {
		t.Errorf("the last one: %s", stdout)
	}
	for _, id := range []string{"nosuch", "../../etc/passwd", "", ".."} {
		if _, stderr, status := tr.agent("report", id); status != exitFailed || !strings.Contains(stderr,
			"is kept; wsprovision") {
			t.Errorf("%q: exit status %d: %s", id, status, stderr)
		}
	}
	for i := range 25 {
		tr.write("/var/log/wsprovision/2000010"+string(rune('a'+i))+".json", "{}")
	}
	tr.agent(append(applyArgs, "--path", "/other/")...)
	if all := list(); len(all) != 20 || all[19].Result != "deferred" {
		t.Errorf("%d are kept", len(all))
	}
}
