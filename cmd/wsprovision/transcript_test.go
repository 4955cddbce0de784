package main

import (
	"bytes"
	"regexp"
	"strings"
	"testing"

	"wsprovision/cmd/wsprovision/screen"
	"wsprovision/cmd/wsprovision/show"
	"wsprovision/provision/diagnose/cause"
	"wsprovision/provision/engine"
	"wsprovision/provision/verify"
)

// settled takes what differs from run to run out of a transcript.
func settled(text string) string {
	return regexp.MustCompile(`[0-9]+\.[0-9]s`).ReplaceAllString(text, "0.0s")
}

// fits fails for a line of more than 80 columns that could have been broken at a blank.
func fits(t *testing.T, text string) {
	t.Helper()
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		if screen.Width(line) > 80 && strings.Contains(strings.TrimSpace(line), " ") {
			t.Errorf("%d columns: %s", screen.Width(line), line)
		}
	}
}

// TestTranscripts runs plan, a failing apply, the apply that then succeeds, status and a failing verify in a tree that
// stands for an installer's chroot, on 80 columns.
func TestTranscripts(t *testing.T) {
	needRoot(t)
	tr := newTree(t, executables(t))
	tr.environ = append(tr.environ, "COLUMNS=80")
	site := []string{"--offline", "--server-name", "ws.example.com", "--backend", "127.0.0.1:3000"}
	run := func(name string, want int, args ...string) {
		stdout, stderr, status := tr.agent(args...)
		if status != want {
			t.Errorf("%s: exit status %d, want %d\n%s%s", name, status, want, stdout, stderr)
		}
		fits(t, stdout)
		golden(t, "transcript/"+name+".txt", settled(stdout))
	}
	run("plan", exitOK, append([]string{"plan"}, site...)...)
	tr.write("/nopackage", "")
	run("apply-fails", exitFailed, append([]string{"apply"}, site...)...)
	tr.remove("/nopackage")
	run("apply", exitOK, append([]string{"apply"}, site...)...)
	run("apply-again-quiet", exitOK, append([]string{"apply", "--quiet"}, site...)...)
}

// TestVerifyTranscript: what verify shows of a failure, on 80 columns, and what of it can be pasted.
func TestVerifyTranscript(t *testing.T) {
	for name, mend := range map[string]string{
		"verify-command": "wsprovision apply --server-name=ws.example.com --backend='127.0.0.1:3000' --path=/ws/chat " +
			"--listen='80,[::]:80' && systemctl start nginx # and look at its log",
		"verify-words": "give the backend's host the name, or name an address in the URL that this host has, such as " +
			"'10.0.0.1', and look at /etc/hosts",
	} {
		var b bytes.Buffer
		s := &screen.Screen{W: &b, Columns: 80}
		show.Target(s, verify.TargetReport{URL: "ws://ws.example.com/ws/", Address: "127.0.0.1:80", Result: "failed",
			Checks: []verify.CheckReport{
				{Name: "tcp", Result: verify.OK, Millis: 0.25, Detail: "127.0.0.1:4 to 127.0.0.1:80"},
				{Name: "upgrade", Result: verify.Failed, Millis: 12, Error: "not upgraded: HTTP/1.1 502 Bad " +
					"Gateway from nginx/1.20.1, after what the backend at 127.0.0.1:3000 has said, which was nothing"},
				{Name: "another-name-not-upgraded", Result: verify.Skipped, Why: "no other server block is there"},
			},
			Diagnosis: &cause.Diagnosis{Code: cause.BackendNotRunning,
				Cause: "nothing listens on 127.0.0.1:3000, to which location /ws/ of " +
					"/etc/nginx/conf.d/websocket.conf passes",
				Evidence: []string{"/var/log/nginx/error.log: 2026/11/30 10:00:00 [error] 12#12: *1 connect() failed " +
					"(111: Connection refused) while connecting to upstream"}, Mend: mendOf(t, mend)},
		})
		_ = show.Verdict(s, &verify.Report{Result: "failed", Millis: 1234,
			Targets: []verify.TargetReport{{Result: "failed"}}})
		fits(t, b.String())
		golden(t, "transcript/"+name+".txt", b.String())
	}
}

// The failure of a long run is on its last screen, once, with what to do, and what was skipped is one line.
func TestFailureEndsWithItself(t *testing.T) {
	r := exampleReport()
	r.Steps = append(r.Steps, engine.StepReport{Name: "more", Status: engine.Skipped,
		Why: "it needs \"proof\", which was skipped"})
	var steps, end bytes.Buffer
	for i, s := range r.Steps {
		show.Step(&screen.Screen{W: &steps, Columns: 80}, i+1, len(r.Steps), s)
	}
	_ = show.End(&screen.Screen{W: &end, Columns: 80}, r)
	if strings.Contains(steps.String(), "refused") || strings.Contains(steps.String(), "skipped") {
		t.Errorf("told before the end:\n%s", steps.String())
	}
	for _, want := range []string{"service: error: reload nginx.service: refused", "the previous configuration serves",
		"next: mend that", "journalctl -u nginx"} {
		if strings.Count(end.String(), want) != 1 {
			t.Errorf("%q does not say %q once", end.String(), want)
		}
	}
	if lines := strings.Count(end.String(), "skipped"); lines != 2 { // the summary's count, and the names
		t.Errorf("%d lines of what was skipped:\n%s", lines, end.String())
	}
}
