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

// The file is %config(noreplace): a default on an active line would be an old host's for ever.
func TestShippedFileHasNoActiveLine(t *testing.T) {
	content, err := os.ReadFile(shipped)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(content)) {
		if line != "\n" && !strings.HasPrefix(line, "#") {
			t.Errorf("an active line: %q", line)
		}
	}
}

// What it says are the defaults must be them.
func TestShippedDefaults(t *testing.T) {
	content, err := os.ReadFile(shipped)
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(content), "\n# Where nginx comes from")
	for setting, text := range map[string]string{
		"epel.source":                "#epel:\n#  source: auto ",
		"selinux.connect":            "#selinux:\n#  connect: boolean\n",
		"selinux.label_listen_ports": "#  label_listen_ports: false\n",
		"nginx.stock_ipv6":           "#nginx:\n#  stock_ipv6: keep\n",
		"firewall":                   "#firewall: leave\n",
		"on_drift":                   "#on_drift: fail\n", "wait.yum_lock": "#wait:\n#  yum_lock: 10m\n",
		"wait.semanage_lock": "#  semanage_lock: 2m\n", "splay": "#splay: 0s\n",
	} {
		if !strings.Contains(rest, "\n"+text) {
			t.Errorf("%s: the file does not have %q", setting, text)
		}
	}
	uncommented := ""
	for line := range strings.Lines(rest) {
		example := regexp.MustCompile(`(repository|mirror|package|none)  `).MatchString(line) ||
			regexp.MustCompile(`^#( +(baseurl|gpgkey|package|fingerprint)|worker_shutdown_timeout|report_url|`+
				`metrics_file|connections):`).MatchString(line)
		if !example && regexp.MustCompile(`^#(  )?[a-z_0-9]+:`).MatchString(line) {
			uncommented += line[1:]
		}
	}
	got, err := load(uncommented)
	want := defaults()
	want.Source = got.Source
	if diff := cmp.Diff(want, got); err != nil || diff != "" || strings.Count(uncommented, "\n") != 13 {
		t.Errorf("%v\n-want +got\n%s\n%s", err, diff, uncommented)
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
	sites = uncommented(sites)
	if c, err := load(sites); err != nil || len(c.Sites) != 6 || len(c.Sites[0].Locations) != 2 ||
		c.Sites[1].TLS == nil {
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
		if c, err := load(block); err != nil || c.EPEL.Source != source ||
			(source != EPELNone) != (c.EPEL.GPGKey != "") {
			t.Errorf("%s: %+v, %v\n%s", source, c.EPEL, err, block)
		}
	}
	if c, err := load("worker_shutdown_timeout: 8h\n"); err != nil ||
		!strings.Contains(rest, "\n#worker_shutdown_timeout: 8h\n") || c.ShutdownTimeout == 0 {
		t.Errorf("worker_shutdown_timeout: %v", err)
	}
	fleet := regexp.MustCompile(`(?m)^#((?:report_url|metrics_file): .*)$`).FindAllStringSubmatch(rest, -1)
	if len(fleet) != 2 {
		t.Fatalf("examples of report_url and metrics_file: %q", fleet)
	}
	if c, err := load(fleet[0][1] + "\n" + fleet[1][1] + "\n"); err != nil || c.ReportURL == "" ||
		c.MetricsFile == "" {
		t.Errorf("%q: %v", fleet, err)
	}
}

// uncommented is the example of the sites.
func uncommented(text string) string {
	return regexp.MustCompile(`(?m)^#( .*|sites:)?$`).ReplaceAllStringFunc(text[strings.Index(text, "\n#sites:"):],
		func(line string) string { return line[1:] })
}
