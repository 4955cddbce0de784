package main

import (
	"os"
	"strings"
	"testing"
)

// TestFlagsAreRemembered: what apply was told by options every later command knows.
func TestFlagsAreRemembered(t *testing.T) {
	needRoot(t)
	tr := newTree(t, executables(t))
	const file, second = "/etc/wsprovision/sites.d/websocket.yaml", "/etc/wsprovision/sites.d/chat.yaml"
	run := func(want int, says string, args ...string) {
		t.Helper()
		stdout, stderr, status := tr.agent(append([]string{args[0], "--offline"}, args[1:]...)...)
		if status != want || !strings.Contains(stdout+stderr, says) {
			t.Errorf("%q: exit status %d, want %d and %q\n%s%s", args, status, want, says, stdout, stderr)
		}
	}
	tr.environ = nil // a variable is an option
	first := []string{"--server-name", "ws.example.com", "--backend", "127.0.0.1:3000", "--path", "/ws/",
		"--epel-source", "repository"}
	tr.write("/nopackage", "")
	run(exitFailed, "skipped", append([]string{"apply"}, first...)...)
	if tr.exists(file) {
		t.Error("a run that was refused left the file")
	}
	tr.remove("/nopackage")
	run(exitOK, file+": absent → written", append([]string{"plan"}, first...)...)
	run(exitConfig, "no site is configured", "plan")
	run(exitOK, file+": absent → written", append([]string{"apply"}, first...)...)
	if info, err := os.Stat(tr.path(file)); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
	run(exitOK, "3 deferred, 7 unchanged", "plan")
	run(exitOK, "backend of /ws/: 127.0.0.1:3000 → 127.0.0.1:3001", "plan", "--backend", "127.0.0.1:3001")
	run(exitOK, "site websocket, path: /ws/ → /chat/", "apply", "--path", "/chat/")
	run(exitOK, second, "apply", "--name", "chat", "--server-name", "chat.example.com", "--backend", "127.0.0.1:3000")
	run(exitOK, "3 deferred, 7 unchanged", "apply")
	for _, name := range []string{"/etc/nginx/conf.d/websocket.conf", "/etc/nginx/conf.d/chat.conf"} {
		if !tr.exists(name) {
			t.Errorf("there is no %s", name)
		}
	}
	tr.remove(second)
	run(exitOK, "file /etc/nginx/conf.d/chat.conf: there → removed", "apply")
	// Nothing is written beside a file that was named.
	tr.write("/etc/other.yaml", "sites: [{name: websocket, server_name: w.c, locations: [{path: /, backend: "+
		"'a:1'}]}]\n")
	run(exitOK, "", "apply", "--config", "/etc/other.yaml", "--backend", "127.0.0.1:9")
	if text := readGolden(t, tr.path(file)); strings.Contains(text, ":9") || !strings.Contains(text, "path: /chat/") {
		t.Errorf("%s", text)
	}
	// A file there that is an administrator's own is not written over.
	// What 1.0.0's options made stands in nginx's files alone.
	tr.remove(file)
	run(exitConfig, "on this host the site websocket is the agent's", "plan")
	tr.write("/etc/wsprovision/sites.d/theirs.yaml", "sites: [{name: theirs, server_name: c.c, locations: [{path: /, "+
		"backend: '127.0.0.1:3000'}]}]\n")
	run(exitFailed, "say in the file itself what the options say", "apply", "--name", "theirs", "--path", "/x/")
	tr.remove("/etc/wsprovision/sites.d/theirs.yaml")
	run(exitOK, file+": absent → written", append([]string{"apply"}, first...)...)
	tr.write("/reverting", "")
	run(exitOK, "file "+file+": there → removed", "revert", "--plan")
	// What somebody has edited there is left, and said.
	tr.write(file, readGolden(t, tr.path(file))+"# mine\n")
	run(exitOK, file+" is no longer asked for, but was edited since", "revert", "--plan")
}
