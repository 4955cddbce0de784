package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"strings"

	"wsprovision/packaging/acceptance/vm"
)

const ofAnsible = "unchanged apply / ansible-playbook"

// againstAnsible compares an unchanged apply with a playbook of the equal tasks on the same host, which finds nothing
// to do either. ansible-core is installed on the machine for this alone; where it cannot be had, the rest is measured.
func (c *comparison) againstAnsible(m *vm.Machine, runs int) error {
	if err := m.Restore(bare); err != nil {
		return err
	}
	var ignored, agent, ansible []float64
	if err := timed(m, apply, &ignored); err != nil {
		return err
	}
	if err := installAnsible(m); err != nil {
		fmt.Printf("%-44s could not be measured here: %v\n", ofAnsible, err)
		return nil
	}
	playbook, err := os.ReadFile("packaging/acceptance/bench/playbook.yaml")
	if err != nil {
		return err
	}
	if err := m.Put("/root/playbook.yaml", playbook, 0o644); err != nil {
		return err
	}
	for range runs {
		if err := timed(m, apply, &agent); err != nil {
			return err
		}
		if err := timed(m, "ansible-playbook /root/playbook.yaml", &ansible); err != nil {
			return err
		}
		if r := m.Try("grep -q 'changed=0 .*failed=0' /run/out", nil); r.Status != 0 {
			out, _ := m.Run("cat /run/out")
			return fmt.Errorf("the playbook found something to do:\n%s", out)
		}
	}
	showPart(ofAnsible, median(agent)/median(ansible), 60,
		fmt.Sprintf("%.2f s, %.2f s", median(agent), median(ansible)))
	return nil
}

// installAnsible takes Debian's packages, which ansible.sh downloads.
func installAnsible(m *vm.Machine) error {
	var dir bytes.Buffer
	download := exec.Command("packaging/acceptance/bench/ansible.sh")
	download.Stdout, download.Stderr = &dir, os.Stderr
	if err := download.Run(); err != nil {
		return fmt.Errorf("download ansible-core: ansible.sh: %w", err)
	}
	packed, err := exec.Command("tar", "-C", strings.TrimSpace(dir.String()), "-c", ".").Output()
	if err != nil {
		return fmt.Errorf("pack ansible-core: %w", err)
	}
	r := m.Try("mkdir /root/ansible && tar -xC /root/ansible && dpkg --force-depends -i /root/ansible/*.deb && "+
		"ansible-playbook --version", bytes.NewReader(packed))
	if r.Status != 0 {
		return fmt.Errorf("install ansible-core: exit status %d: %s", r.Status, r.Output)
	}
	return nil
}
