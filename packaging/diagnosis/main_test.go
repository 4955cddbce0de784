//go:build diagnosis

package diagnosis

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// What a process of this test is, where it is not the test itself.
const (
	role   = "DIAGNOSIS_ROLE"
	number = "DIAGNOSIS_ROW"
	agent  = "DIAGNOSIS_AGENT"
	source = "DIAGNOSIS_SOURCE"
	noIPv6 = "DIAGNOSIS_NO_IPV6"
	limit  = 30 * time.Second // of a case
)

var updateTable = flag.Bool("update-table", false, "write packaging/acceptance/DIAGNOSES.md anew")

func TestMain(m *testing.M) {
	switch os.Getenv(role) {
	case "init":
		runtime.LockOSThread() // capabilities and filters are a thread's
		status, err := beInit()
		if err != nil {
			fmt.Fprintln(os.Stderr, "room of a case:", err)
			status = 99
		}
		os.Exit(status)
	case "denied": // starts what its arguments say, which may connect to nothing
		runtime.LockOSThread()
		err := refuseConnect()
		if err == nil {
			err = syscall.Exec(os.Args[1], os.Args[1:], []string{"PATH=/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin"})
		}
		fmt.Fprintln(os.Stderr, os.Args, err)
		os.Exit(99)
	case "case":
		at, _ := strconv.Atoi(os.Getenv(number))
		_ = json.NewEncoder(os.Stdout).Encode(runCase(rows()[at], os.Getenv(agent)))
		os.Exit(0)
	}
	flag.Parse()
	os.Exit(m.Run())
}

func repository() string { return os.Getenv(source) }

func TestDiagnoses(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Fatal("namespaces take root")
	}
	program := buildAgent(t)
	all := rows()
	found := make([]finding, len(all))
	t.Run("row", func(t *testing.T) {
		for i, r := range all {
			t.Run(r.kind+"/"+r.situation, func(t *testing.T) {
				t.Parallel()
				found[i] = play(t, i, r, program)
				for _, p := range found[i].Problems {
					t.Error(p)
				}
				if t.Failed() {
					f := found[i]
					t.Logf("%s: %s\nmend: %s\n  %s", f.Code, f.Cause, f.Mend, strings.Join(f.Evidence, "\n  "))
				}
			})
		}
	})
	switch {
	case t.Failed():
	case *updateTable:
		writeTable(t, all, found)
	default:
		isCurrent(t, all)
	}
}

// buildAgent is the agent as it is shipped, but for its version.
func buildAgent(t *testing.T) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "wsprovision")
	build := exec.Command("go", "build", "-trimpath", "-o", program, "wsprovision/cmd/wsprovision")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return program
}

// play runs the row in a room of its own, which ends with its first process.
func play(t *testing.T, at int, r row, program string) (f finding) {
	t.Helper()
	here, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "/proc/self/exe")
	cmd.Env = []string{role + "=init", number + "=" + strconv.Itoa(at), agent + "=" + program, source + "=" + here}
	if r.noIPv6 {
		cmd.Env = append(cmd.Env, noIPv6+"=1")
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: namespaces, Pdeathsig: syscall.SIGKILL}
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr, cmd.WaitDelay = &stdout, &stderr, time.Second
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	timer := time.AfterFunc(limit, func() { _ = cmd.Process.Kill() })
	defer timer.Stop()
	if err := cmd.Wait(); err != nil {
		t.Fatalf("%v\n%s", err, stderr.String())
	}
	if err := json.Unmarshal(stdout.Bytes(), &f); err != nil {
		t.Fatalf("%v\n%s%s", err, stdout.String(), stderr.String())
	}
	return f
}
