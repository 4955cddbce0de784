// Command bench measures the agent against the tutorial's own commands as a script (tutorial.sh), from the same snapshot of the same
// machine, in turn, and prints medians and their ratios. Absolute times are an emulated machine's and mean nothing elsewhere.
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
	runs  = 5
	apply = "wsprovision apply --server-name ws.example.com --backend 127.0.0.1:3000 --path /ws/"
	bare  = "bench"
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
	script, err := os.ReadFile("packaging/acceptance/tutorial.sh")
	if err != nil {
		return err
	}
	if err := m.Put("/root/tutorial.sh", script, 0o755); err != nil {
		return err
	}
	return m.Save(bare)
}

// figures are seconds, but for the memory, which is in MB (2^20 bytes). Others is what of agent was yum and semanage, below which no agent
// comes.
type figures struct{ agent, others, script, agentAgain, scriptAgain, memory, memoryAgain []float64 }

// round is one run of each, first and again, from the bare host.
func (f *figures) round(m *vm.Machine) error {
	if err := f.half(m, apply, &f.agent, &f.agentAgain); err != nil {
		return err
	}
	out, err := m.Get("/run/first.out")
	if err != nil {
		return err
	}
	others, err := others(string(out))
	if err != nil {
		return err
	}
	f.others = append(f.others, others)
	peak, err := memory(m, apply)
	if err != nil {
		return err
	}
	f.memoryAgain = append(f.memoryAgain, peak)
	if err := f.half(m, "/root/tutorial.sh", &f.script, &f.scriptAgain); err != nil {
		return err
	}
	if err := m.Restore(bare); err != nil {
		return err
	}
	peak, err = memory(m, apply)
	f.memory = append(f.memory, peak)
	return err
}

func (f *figures) half(m *vm.Machine, command string, first, again *[]float64) error {
	if err := m.Restore(bare); err != nil {
		return err
	}
	for _, run := range []struct {
		name string
		to   *[]float64
	}{{"first", first}, {"again", again}} {
		took, err := timed(m, command, "/run/"+run.name+".out")
		if err != nil {
			return err
		}
		*run.to = append(*run.to, took.Seconds())
	}
	return nil
}

// others adds up the seconds of the programs that an apply ran to change the host, from what it logged of them.
func others(log string) (float64, error) {
	sum := 0.0
	for line := range strings.Lines(log) {
		if !strings.HasPrefix(line, "wsprovision: run ") {
			continue
		}
		seconds, err := time.ParseDuration(strings.TrimSpace(line[strings.LastIndexByte(line, ',')+1:]))
		if err != nil {
			return 0, fmt.Errorf("%q: %w", line, err)
		}
		sum += seconds.Seconds()
	}
	return sum, nil
}

// timed runs a command; the time is the guest's own.
func timed(m *vm.Machine, command, log string) (time.Duration, error) {
	r := m.Try("s=$(date +%s%N); "+command+" >"+log+" 2>&1 </dev/null; x=$?; echo $(( $(date +%s%N) - s )); exit $x", nil)
	if r.Status != 0 {
		out, _ := m.Run("tail -20 " + log)
		return 0, fmt.Errorf("%s: exit status %d: %s", command, r.Status, out)
	}
	ns, err := strconv.ParseInt(strings.TrimSpace(r.Stdout), 10, 64)
	return time.Duration(ns), err
}

// memory is the peak resident size of the agent itself, in MB: VmHWM of proc(5), looked at twenty times a second. What wait4(2) tells
// would be the largest of its children, which is yum.
func memory(m *vm.Machine, command string) (float64, error) {
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
		return 0, fmt.Errorf("%s: exit status %d: %s", command, r.Status, r.Output)
	}
	kb, err := strconv.ParseFloat(strings.TrimSpace(r.Stdout), 64)
	return kb / 1024, err
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)/2]
}

func (f *figures) print() {
	fmt.Printf("medians of %d, agent against script, in one run:\n", runs)
	fmt.Printf("first apply      %6.2f s against %6.2f s: ratio %.2f (at most 0.80)\n", median(f.agent), median(f.script), median(f.agent)/median(f.script))
	fmt.Printf("  yum, semanage  %6.2f s of it:                ratio %.2f, whatever the agent does\n", median(f.others), median(f.others)/median(f.script))
	fmt.Printf("unchanged apply  %6.2f s against %6.2f s: ratio 1/%.0f (at most 1/25)\n", median(f.agentAgain), median(f.scriptAgain), median(f.scriptAgain)/median(f.agentAgain))
	fmt.Printf("peak memory      %6.1f MB first, %.1f MB unchanged (at most 25)\n", median(f.memory), median(f.memoryAgain))
}

func printSizes() error {
	rpm, err := vm.Package("dist")
	if err != nil {
		return err
	}
	for _, file := range []struct{ path, what string }{{rpm, "RPM (at most 4 MB)"}, {"dist/wsprovision", "executable (at most 12 MB)"}} {
		info, err := os.Stat(file.path)
		if err != nil {
			return err
		}
		fmt.Printf("%-27s %6.2f MB\n", file.what, float64(info.Size())/(1<<20))
	}
	return nil
}
