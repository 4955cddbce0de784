package main

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"wsprovision/cmd/wsprovision/cmdline"
	"wsprovision/provision/hosttest"
)

const samples = "../../packaging/samples/"

func sample(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(samples + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// takes fails unless the agent has the command and its options.
func takes(t *testing.T, from string, args []string) {
	t.Helper()
	cmd, rest, err := newApp(nil, io.Discard, io.Discard).command().Find(args)
	if err == nil {
		err = cmd.ParseFlags(rest)
	}
	if err == nil {
		err = cmdline.CheckFlags(cmd)
	}
	if err != nil || !cmd.HasParent() {
		t.Errorf("%s: wsprovision %s: %v", from, strings.Join(args, " "), err)
	}
}

// TestSamplesCallTheAgent: each command line in a sample is one that the agent takes, and there is one in each.
func TestSamplesCallTheAgent(t *testing.T) {
	call := regexp.MustCompile(`(?:ExecStart=/usr/sbin/|exec |name: |unless: |validate: |check_cmd: )wsprovision ` +
		`([a-z][^;\n]*)`)
	for name, want := range map[string]int{"ansible.yaml": 1, "salt.sls": 4, "satellite.erb": 4,
		"systemd/wsprovision-drift.service": 1} {
		found := call.FindAllStringSubmatch(sample(t, name), -1)
		if len(found) != want {
			t.Errorf("%s: %d calls, want %d", name, len(found), want)
		}
		for _, m := range found {
			takes(t, name, strings.Fields(m[1]))
		}
	}
	var tasks []struct {
		Command struct {
			Argv []string `yaml:"argv"`
		} `yaml:"ansible.builtin.command"`
	}
	if err := yaml.Unmarshal([]byte(sample(t, "ansible.yaml")), &tasks); err != nil || len(tasks) != 3 {
		t.Fatalf("%d tasks, %v", len(tasks), err)
	}
	argv := tasks[2].Command.Argv
	for _, command := range []string{"plan", "apply"} {
		takes(t, "ansible.yaml", append([]string{command}, argv[2:]...))
	}
	var states map[string]any
	if err := yaml.Unmarshal([]byte(sample(t, "salt.sls")), &states); err != nil || len(states) != 4 {
		t.Errorf("salt.sls: %d states, %v", len(states), err)
	}
}

// TestDocumentsCallTheAgent: each command line in a document is one that the agent takes.
func TestDocumentsCallTheAgent(t *testing.T) {
	call := regexp.MustCompile("(?m)(?:^ {4}|`)wsprovision ([a-z][^`#|&]*?)(?: *$|`|[#|&]| >)")
	for name, want := range map[string]int{"../../README.md": 8, "../../packaging/RECIPES.md": 1,
		"../../packaging/FLEET.md": 0, "../../CHANGELOG.md": 5, "../../packaging/samples/README.md": 0} {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		found := 0
		for _, m := range call.FindAllStringSubmatch(string(text), -1) {
			args := regexp.MustCompile(`[^\s"']+|"[^"]*"|'[^']*'`).FindAllString(m[1], -1)
			if strings.ContainsAny(m[1], "…[") { // a form, and no command
				continue
			}
			found++
			takes(t, name, args)
		}
		if found < want {
			t.Errorf("%s: %d commands, want %d or more", name, found, want)
		}
	}
}

// TestSatelliteSample: the header is YAML, and what is left of the template is a script that bash reads.
func TestSatelliteSample(t *testing.T) {
	text := sample(t, "satellite.erb")
	header, script, ok := strings.Cut(strings.TrimPrefix(text, "<%#\n"), "-%>\n")
	var job map[string]any
	if err := yaml.Unmarshal([]byte(header), &job); !ok || err != nil || job["kind"] != "job_template" {
		t.Errorf("the header: %v, %v", job, err)
	}
	for input, want := range map[string]bool{"plan": true, "x": true} {
		cmd := exec.Command("bash", "-n")
		cmd.Stdin = strings.NewReader(regexp.MustCompile(`<%=[^%]*%>`).ReplaceAllString(script, input))
		if out, err := cmd.CombinedOutput(); (err == nil) != want {
			t.Errorf("%s: %v: %s", input, err, out)
		}
	}
}

// TestSampleUnits has systemd judge the timer and its service. It wants the program to be there.
func TestSampleUnits(t *testing.T) {
	if _, err := exec.LookPath("systemd-analyze"); err != nil {
		hosttest.Unable(t, "%v", err)
	}
	dir := t.TempDir()
	for _, name := range []string{"wsprovision-drift.service", "wsprovision-drift.timer"} {
		text := strings.ReplaceAll(sample(t, "systemd/"+name), "/usr/sbin/wsprovision", "/bin/true")
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command("systemd-analyze", "verify", "--man=no", filepath.Join(dir, "wsprovision-drift.timer"))
	if out, err := cmd.CombinedOutput(); err != nil || strings.Contains(string(out), "wsprovision") {
		t.Errorf("%v: %s", err, out)
	}
}
