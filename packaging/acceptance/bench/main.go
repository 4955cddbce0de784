// Command bench measures the agent against the tutorial's own commands as a script (tutorial.sh), from the same
// snapshot of the same machine, in turn, and prints medians and their ratios. Absolute times are an emulated machine's
// and mean nothing elsewhere.
package main

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"wsprovision/packaging/acceptance/vm"
)

const (
	runs   = 5
	apply  = "wsprovision apply --server-name ws.example.com --backend 127.0.0.1:3000 --path /ws/"
	script = "/root/tutorial.sh"
	least  = script + " one-transaction"
	bare   = "bench"
)

func main() {
	if err := vm.OnBareHost("packaging/acceptance", measure); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func measure(m *vm.Machine) error {
	if err := prepare(m); err != nil {
		return err
	}
	var f figures
	for range runs {
		if err := f.round(m); err != nil {
			return err
		}
	}
	f.print()
	return printSizes()
}

// prepare makes the snapshot that both start from.
func prepare(m *vm.Machine) error {
	if err := m.Install("dist"); err != nil {
		return err
	}
	text, err := os.ReadFile("packaging/acceptance/tutorial.sh")
	if err != nil {
		return err
	}
	if err := m.Put(script, text, 0o755); err != nil {
		return err
	}
	return m.Save(bare)
}

// figures are seconds, but for the memory, which is in MB (2^20 bytes). Least is the script with its two changes of
// SELinux in one transaction: what an agent would take that only ran the programs it has to run.
type figures struct{ agent, least, script, agentAgain, scriptAgain, memory, memoryAgain []float64 }

// round is one run of each from the bare host, and a second one where that is asked for.
func (f *figures) round(m *vm.Machine) error {
	if err := first(m, apply, &f.agent); err != nil {
		return err
	}
	if err := timed(m, apply, &f.agentAgain); err != nil {
		return err
	}
	if err := memory(m, apply, &f.memoryAgain); err != nil {
		return err
	}
	if err := first(m, least, &f.least); err != nil {
		return err
	}
	if err := first(m, script, &f.script); err != nil {
		return err
	}
	if err := timed(m, script, &f.scriptAgain); err != nil {
		return err
	}
	if err := m.Restore(bare); err != nil {
		return err
	}
	return memory(m, apply, &f.memory)
}

// first is timed, from the bare host.
func first(m *vm.Machine, command string, to *[]float64) error {
	if err := m.Restore(bare); err != nil {
		return err
	}
	return timed(m, command, to)
}

// timed runs a command; the time is the guest's own.
func timed(m *vm.Machine, command string, to *[]float64) error {
	r := m.Try("s=$(date +%s%N); "+command+" >/run/out 2>&1 </dev/null; x=$?; echo $(( $(date +%s%N) - s )); exit $x",
		nil)
	if r.Status != 0 {
		out, _ := m.Run("tail -20 /run/out")
		return fmt.Errorf("%s: exit status %d: %s", command, r.Status, out)
	}
	ns, err := strconv.ParseInt(strings.TrimSpace(r.Stdout), 10, 64)
	*to = append(*to, time.Duration(ns).Seconds())
	return err
}

// memory is the peak resident size of the agent itself, in MB: VmHWM of proc(5), looked at twenty times a second. What
// wait4(2) tells would be the largest of its children, which is yum.
func memory(m *vm.Machine, command string, to *[]float64) error {
	r := m.Try(`python3 -c 'import os,re,sys,time
pid = os.posix_spawnp(sys.argv[1], sys.argv[1:], os.environ, file_actions=[(os.POSIX_SPAWN_OPEN, 1, "/dev/null", os.O_WRONLY, 0), (os.POSIX_SPAWN_DUP2, 1, 2)])
peak = 0
while True:
    found = re.search("VmHWM:[^0-9]*([0-9]+)", open("/proc/%d/status" % pid).read())
    peak = max(peak, int(found.group(1)) if found else 0)
    ended, status = os.waitpid(pid, os.WNOHANG)
    if ended: break
    time.sleep(0.05)
print(peak); sys.exit(os.waitstatus_to_exitcode(status))' `+command, nil)
	if r.Status != 0 {
		return fmt.Errorf("%s: exit status %d: %s", command, r.Status, r.Output)
	}
	kb, err := strconv.ParseFloat(strings.TrimSpace(r.Stdout), 64)
	*to = append(*to, kb/1024)
	return err
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)/2]
}

func (f *figures) print() {
	fmt.Printf("medians of %d, agent against script, in one run:\n", runs)
	fmt.Printf("first apply      %6.2f s against %6.2f s: ratio %.2f (at most 0.80)\n", median(f.agent),
		median(f.script), median(f.agent)/median(f.script))
	fmt.Printf("  its programs   %6.2f s, without the agent:   ratio %.2f\n", median(f.least),
		median(f.least)/median(f.script))
	fmt.Printf("unchanged apply  %6.2f s against %6.2f s: ratio 1/%.0f (at most 1/25)\n", median(f.agentAgain),
		median(f.scriptAgain), median(f.scriptAgain)/median(f.agentAgain))
	fmt.Printf("peak memory      %6.1f MB first, %.1f MB unchanged (at most 25)\n", median(f.memory),
		median(f.memoryAgain))
}

func printSizes() error {
	rpm, err := vm.Package("dist")
	if err != nil {
		return err
	}
	for _, file := range []struct{ path, what string }{{rpm, "RPM (at most 4 MB)"},
		{"dist/wsprovision", "executable (at most 12 MB)"}} {
		info, err := os.Stat(file.path)
		if err != nil {
			return err
		}
		fmt.Printf("%-27s %6.2f MB\n", file.what, float64(info.Size())/(1<<20))
	}
	return nil
}
