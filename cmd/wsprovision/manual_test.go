package main

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// TestManualsAreSound has mandoc judge the pages. Its advice on style, such as shorter lines of source, is not
// followed.
func TestManualsAreSound(t *testing.T) {
	if _, err := exec.LookPath("mandoc"); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	for _, page := range []string{"wsprovision.8", "wsprovision.yaml.5"} {
		out, err := exec.Command("mandoc", "-T", "lint", "-W", "warning", filepath.Join("../../packaging", page)).
			CombinedOutput()
		if err != nil || len(out) > 0 {
			t.Errorf("%s: %v\n%s", page, err, out)
		}
	}
}

// TestManualHasEveryOption: wsprovision(8) speaks of every command and of every option that its help has.
func TestManualHasEveryOption(t *testing.T) {
	text, err := os.ReadFile("../../packaging/wsprovision.8")
	if err != nil {
		t.Fatal(err)
	}
	page := strings.ReplaceAll(string(text), `\-`, "-")
	var walk func(cmd *cobra.Command)
	walk = func(cmd *cobra.Command) {
		if cmd.HasParent() && !strings.Contains(page, ".SS "+cmd.CommandPath()+"\n") {
			t.Errorf("the manual has no subsection %q", cmd.CommandPath())
		}
		cmd.Flags().VisitAll(func(f *pflag.Flag) {
			if !f.Hidden && !strings.Contains(page, "--"+f.Name) {
				t.Errorf("the manual does not speak of --%s, which %s has", f.Name, cmd.Name())
			}
		})
		for _, c := range cmd.Commands() {
			if c.IsAvailableCommand() && cmd.Name() != "completion" {
				walk(c)
			}
		}
	}
	root := newApp(nil, io.Discard, io.Discard).command()
	for _, c := range root.Commands() {
		if c.Name() != "completion" && c.IsAvailableCommand() {
			walk(c)
		}
	}
}
