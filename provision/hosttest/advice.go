package hosttest

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// Pasteable requires that advice which begins with a program is a command line for bash, in which what else there is to
// say is a comment.
func Pasteable(t testing.TB, code, mend string) {
	t.Helper()
	program, _, _ := strings.Cut(mend, " ")
	if !slices.Contains([]string{"chmod", "df", "du", "echo", "firewall-cmd", "ip", "load_policy", "ls", "mkdir",
		"nginx",
		"openssl", "restorecon", "semanage", "setsebool", "ss", "sysctl", "systemctl", "wsprovision"}, program) {
		return
	}
	command, _, _ := strings.Cut(mend, " # ")
	if out, err := exec.Command("bash", "-n", "-c", mend).CombinedOutput(); err != nil ||
		strings.Contains(command, ", ") {
		t.Errorf("%s: cannot be pasted: %s\n%s", code, mend, out)
	}
}
