package facts

import (
	"cmp"
	"fmt"
	"strings"

	"wsprovision/provision/host"
	"wsprovision/selinux"
)

// Confinement is what is known of who may have refused nginx something with 13, where neither file modes nor a denial
// of SELinux's say so.
func Confinement(e *Evidence) []string {
	all := []string{"SELinux: " + modeOf(e), modules(e)}
	if len(e.Master.Workers) == 0 {
		return all
	}
	pid := e.Master.Workers[0].PID
	if lines := host.ReadProc(e.Host, fmt.Sprintf("/proc/%d/attr/current", pid)); len(lines) > 0 {
		all = append(all, fmt.Sprintf("nginx's worker %d runs as %s", pid, strings.Trim(lines[0], "\x00 ")))
	}
	return all
}

func modeOf(e *Evidence) string {
	status, err := e.SELinux.Status()
	if err != nil {
		return "cannot be asked: " + err.Error()
	}
	return strings.ToLower(string(cmp.Or(status.Mode, selinux.Disabled)))
}

// modules are the kernel's security modules, which kernels since 4.11 list (Documentation/admin-guide/LSM/index.rst).
func modules(e *Evidence) string {
	const file = "/sys/kernel/security/lsm"
	lines := host.ReadProc(e.Host, file)
	if len(lines) == 0 || lines[0] == "" {
		return "which security modules the kernel has cannot be told: " + file +
			" is not there, as in containers and " +
			"with kernels before 4.11"
	}
	return "the kernel's security modules are " + lines[0] + " (" + file + ")"
}
