package main

import (
	"fmt"
	"strconv"
	"strings"

	"wsprovision/packaging/acceptance/vm"
)

// comparison is of the agent with the tutorial's script: seconds, and MB of memory. Least is the script with its two
// changes of SELinux in one transaction: the programs that the agent has to run, without the agent.
type comparison struct {
	agent, least, script           []float64
	agentAgain, scriptAgain, query []float64
	memory, memoryAgain            []float64
	did, didAgain                  work
}

// work is what an apply had done: runs of yum, by its log; loads of a policy, by the kernel; reloads, by systemd.
type work struct{ yum, policies, reloads int }

func (w work) String() string { return fmt.Sprintf("%d, %d, %d", w.yum, w.policies, w.reloads) }

// round is one run of each from the bare host, and a second one where that is asked for.
func (c *comparison) round(m *vm.Machine) (err error) {
	if err := c.agentsTurn(m); err != nil {
		return err
	}
	if err := first(m, least, &c.least); err != nil {
		return err
	}
	if err := first(m, script, &c.script); err != nil {
		return err
	}
	if err := timed(m, script, &c.scriptAgain); err != nil {
		return err
	}
	if err := m.Restore(bare); err != nil {
		return err
	}
	_, mb, err := memory(m, apply)
	c.memory = append(c.memory, mb)
	return err
}

func (c *comparison) agentsTurn(m *vm.Machine) error {
	if err := m.Restore(bare); err != nil {
		return err
	}
	for _, run := range []struct {
		to  *[]float64
		did *work
	}{{&c.agent, &c.did}, {&c.agentAgain, &c.didAgain}} {
		before, err := counted(m)
		if err != nil {
			return err
		}
		if err := timed(m, apply, run.to); err != nil {
			return err
		}
		after, err := counted(m)
		if err != nil {
			return err
		}
		*run.did = work{after.yum, after.policies - before.policies, after.reloads - before.reloads}
	}
	if err := timed(m, query, &c.query); err != nil {
		return err
	}
	_, mb, err := memory(m, apply)
	c.memoryAgain = append(c.memoryAgain, mb)
	return err
}

// counted is of the last apply for yum, and since the boot for the others.
func counted(m *vm.Machine) (w work, err error) {
	r := m.Try("grep -hs 'wsprovision: run yum ' /run/err | wc -l; ausearch -m MAC_POLICY_LOAD 2>/dev/null | grep -c "+
		"'^type=MAC_POLICY_LOAD'; journalctl -u nginx -o cat | grep -c '^Reloaded'; exit 0", nil)
	lines := strings.Fields(r.Stdout)
	if len(lines) != 3 {
		return w, fmt.Errorf("count what the apply had done: %s", r.Output)
	}
	for i, to := range []*int{&w.yum, &w.policies, &w.reloads} {
		if *to, err = strconv.Atoi(lines[i]); err != nil {
			return w, fmt.Errorf("count what the apply had done: %w", err)
		}
	}
	return w, nil
}

func (c *comparison) print() {
	agent, least, script := median(c.agent), median(c.least), median(c.script)
	again, query := median(c.agentAgain), median(c.query)
	show("first apply / the script", "", agent/script, 0.80, fmt.Sprintf("%.2f s, %.2f s", agent, script))
	show("  its programs without the agent / the script", "", least/script, 0.80, fmt.Sprintf("%.2f s", least))
	show("  the agent's own share", "%", 100*(agent-least)/agent, 5, "")
	showPart("unchanged apply / the script again", again/median(c.scriptAgain), 40,
		fmt.Sprintf("%.2f s, %.2f s", again, median(c.scriptAgain)))
	show("unchanged apply / rpm -q", "", again/query, 1.3, fmt.Sprintf("%.2f s", query))
	show("peak memory, first", "MB", median(c.memory), 20, "")
	show("peak memory, unchanged", "MB", median(c.memoryAgain), 16, "")
	fmt.Printf("%-44s %8s     at most 1, 1, 0\n", "yum runs, policy rebuilds, reloads, first", c.did)
	fmt.Printf("%-44s %8s     at most 0, 0, 0\n", "yum runs, policy rebuilds, reloads, again", c.didAgain)
}
