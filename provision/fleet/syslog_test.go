package fleet

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"wsprovision/provision/engine"
)

const inNamespace = "WSPROVISION_TEST_SYSLOG"

// TestSyslog: where there is no journal, a syslog daemon gets each entry as one line, with its priority and fields.
func TestSyslog(t *testing.T) {
	if os.Getenv(inNamespace) != "" {
		if err := logThere(); err != nil {
			t.Fatal(err)
		}
		return
	}
	if os.Geteuid() != 0 {
		t.Skip("a mount namespace needs root")
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestSyslog$")
	cmd.Env = append(os.Environ(), inNamespace+"=yes")
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, want := range []string{ // the facility is daemon (3), the severity 6 for information and 3 for an error
		`(?m)^<30>.* wsprovision\[\d+\]: apply began run=ID command=apply agent=1\.1\.0$`,
		`(?m)^<27>.* wsprovision\[\d+\]: 4/8 selinux failed error: no run=ID command=apply step=selinux ` +
			`status=failed duration_ms=0 changes=0 agent=1\.1\.0$`,
		`(?m)^<27>.* wsprovision\[\d+\]: apply: failed run=ID command=apply status=failed duration_ms=12600 ` +
			`changes=2 agent=1\.1\.0$`,
	} {
		if !regexp.MustCompile(want).Match(out) {
			t.Errorf("syslog has got no %s:\n%s", want, out)
		}
	}
}

// logThere has a /dev and a /run of its own, in which nothing but a syslog socket is.
func logThere() error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return err
	}
	for _, dir := range []string{"/dev", "/run"} {
		if err := unix.Mount("none", dir, "tmpfs", 0, "size=1m"); err != nil {
			return fmt.Errorf("%s: %w", dir, err)
		}
	}
	if HostLog() != nil {
		return fmt.Errorf("there is a log before there is one")
	}
	syslogd, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: "/dev/log", Net: "unixgram"})
	if err != nil {
		return err
	}
	defer syslogd.Close()
	r := applied()
	r.Result = engine.Failed
	j := NewJournal(HostLog(), "1.1.0")
	j.Began("apply", "ID")
	j.Step(engine.StepReport{Name: "selinux", Status: engine.Failed, Error: "no"}, "4/8 selinux failed\n")
	j.Ended(r, "apply: failed\n")
	buffer := make([]byte, 4096)
	for range 3 {
		if err := syslogd.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
			return err
		}
		n, err := syslogd.Read(buffer)
		if err != nil {
			return err
		}
		fmt.Println(strings.TrimSuffix(string(buffer[:n]), "\n"))
	}
	return nil
}
