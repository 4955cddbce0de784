package config

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const shipped = "../../packaging/wsprovision.yaml"

func TestShippedFileIsTheDefaults(t *testing.T) {
	got, err := Load(Input{File: shipped})
	want := defaults()
	want.Source = shipped
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v\n-want +got\n%s", err, diff)
	}
}

// What the shipped file teaches in comments must be right as well: uncomment one example after the other.
func TestShippedExamples(t *testing.T) {
	content, err := os.ReadFile(shipped)
	if err != nil {
		t.Fatal(err)
	}
	sites, rest, found := strings.Cut(string(content), "\n# Where nginx comes from")
	if !found {
		t.Fatal("the shipped file has no part that begins with: # Where nginx comes from")
	}
	sites = regexp.MustCompile(`(?m)^#( .*)?$`).ReplaceAllStringFunc(sites[strings.Index(sites, "\nsites:"):], func(line string) string { return line[1:] })
	if c, err := load(sites); err != nil || len(c.Sites) != 2 || len(c.Sites[0].Locations) != 2 || c.Sites[1].TLS == nil {
		t.Errorf("sites: %+v, %v", c.Sites, err)
	}
	for _, source := range []string{EPELMirror, EPELPackage, EPELNone} {
		block := "epel:\n"
		inside := false
		for line := range strings.Lines(rest) {
			line, commented := strings.CutPrefix(line, "#")
			if !commented || strings.TrimSpace(line) == "" {
				inside = false
			}
			inside = inside || strings.Contains(line, "source: "+source)
			if inside || commented && strings.HasPrefix(line, "  fingerprint:") && source != EPELNone {
				block += line
			}
		}
		if c, err := load(block); err != nil || c.EPEL.Source != source || (source != EPELNone) != (c.EPEL.GPGKey != "") {
			t.Errorf("%s: %+v, %v\n%s", source, c.EPEL, err, block)
		}
	}
	if c, err := load("worker_shutdown_timeout: 8h\n"); err != nil || !strings.Contains(rest, "\n#worker_shutdown_timeout: 8h\n") || c.WorkerShutdownTimeout == 0 {
		t.Errorf("worker_shutdown_timeout: %v", err)
	}
}
