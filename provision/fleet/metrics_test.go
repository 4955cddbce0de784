package fleet

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"wsprovision/provision/config"
	"wsprovision/provision/engine"
	"wsprovision/provision/host"
	"wsprovision/provision/site"
)

const textfilePath = "/var/lib/collector/wsprovision.prom"

// newMetrics writes into a tree of its own, for a site with a certificate and one whose certificate is not there.
func newMetrics(t *testing.T) Metrics {
	t.Helper()
	root := t.TempDir()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	leaf := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Date(2027, 1, 2, 3, 4, 5, 0, time.UTC)}
	der, err := x509.CreateCertificate(rand.Reader, leaf, leaf, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	content := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	if err := errors.Join(os.MkdirAll(root+filepath.Dir(textfilePath), 0o755), os.WriteFile(root+"/a.pem", content,
		0o600)); err != nil {
		t.Fatal(err)
	}
	return Metrics{Files: &host.Files{Root: root, Seam: &host.Seam{}}, Now: time.Unix(1790000000, 0),
		Config: config.Config{MetricsFile: textfilePath, Sites: []config.Site{
			{Name: "chat", TLS: &site.TLS{Certificate: "/a.pem"}},
			{Name: "gone", TLS: &site.TLS{Certificate: "/b.pem"}}, {Name: "plain"}}}}
}

func (m Metrics) text(t *testing.T) string {
	t.Helper()
	path := m.Files.Root + textfilePath
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if fi, err := os.Stat(path); err != nil || fi.Mode() != 0o644 {
		t.Errorf("mode %v, %v", fi.Mode(), err)
	}
	return string(text)
}

func applied() *engine.Report {
	changes := []engine.Change{{Object: "a"}, {Object: "b"}}
	return &engine.Report{Command: "apply", Agent: "1.1.0", Started: time.UnixMilli(1780000000123), Millis: 12600,
		Result: engine.Changed, Steps: []engine.StepReport{{Name: "packages", Status: engine.Changed, Changes: changes},
			{Name: "proof", Status: engine.Unchanged}}}
}

func TestMetrics(t *testing.T) {
	m := newMetrics(t)
	if err := m.Run(t.Context(), applied()); err != nil {
		t.Fatal(err)
	}
	const version = `# HELP wsprovision_info The agent's version.
# TYPE wsprovision_info gauge
wsprovision_info{version="1.1.0"} 1
`
	const lacks = `# HELP wsprovision_drift Differences between the host and its configuration, and steps that failed.
# TYPE wsprovision_drift gauge
wsprovision_drift DRIFT
# HELP wsprovision_drift_timestamp_seconds When the host was last compared with its configuration.
# TYPE wsprovision_drift_timestamp_seconds gauge
wsprovision_drift_timestamp_seconds 1790000000
`
	const certificates = `# HELP wsprovision_certificate_readable Whether the certificate of a site could be read.
# TYPE wsprovision_certificate_readable gauge
wsprovision_certificate_readable{site="chat",path="/a.pem"} 1
wsprovision_certificate_readable{site="gone",path="/b.pem"} 0
# HELP wsprovision_certificate_not_after_seconds When the certificate of a site ends.
# TYPE wsprovision_certificate_not_after_seconds gauge
wsprovision_certificate_not_after_seconds{site="chat",path="/a.pem"} 1798859045
`
	const last = `# HELP wsprovision_last_run_info Which command it was.
# TYPE wsprovision_last_run_info gauge
wsprovision_last_run_info{command="apply"} 1
# HELP wsprovision_last_run_timestamp_seconds When the last run began.
# TYPE wsprovision_last_run_timestamp_seconds gauge
wsprovision_last_run_timestamp_seconds 1780000000.123
# HELP wsprovision_last_run_duration_seconds How long it took.
# TYPE wsprovision_last_run_duration_seconds gauge
wsprovision_last_run_duration_seconds 12.6
# HELP wsprovision_last_run_result What it came to: 1 for its result, 0 for the others.
# TYPE wsprovision_last_run_result gauge
wsprovision_last_run_result{result="unchanged"} 0
wsprovision_last_run_result{result="changed"} 1
wsprovision_last_run_result{result="deferred"} 0
wsprovision_last_run_result{result="failed"} 0
# HELP wsprovision_last_run_changes How many changes each of its steps made.
# TYPE wsprovision_last_run_changes gauge
wsprovision_last_run_changes{step="packages"} 2
wsprovision_last_run_changes{step="proof"} 0
`
	drifted := func(n string) string { return strings.Replace(lacks, "DRIFT", n, 1) }
	if got, want := m.text(t), metricsHead+last+version+drifted("0")+certificates; got != want {
		t.Errorf("after an apply:\n%s\nwant:\n%s", got, want)
	}
	plan := &engine.Report{Command: "plan", Agent: "1.1.0", Result: engine.Failed, Steps: []engine.StepReport{
		{Name: "selinux", Status: engine.Planned, Changes: []engine.Change{{Object: "a"}, {Object: "b"}}},
		{Name: "site", Status: engine.Failed}}}
	if err := m.Run(t.Context(), plan); err != nil {
		t.Fatal(err)
	}
	if got, want := m.text(t), metricsHead+last+version+drifted("3")+certificates; got != want {
		t.Errorf("after a plan:\n%s\nwant:\n%s", got, want)
	}
	m.Now = m.Now.Add(time.Hour)
	if err := m.Run(t.Context(), &engine.Report{Command: "renew-hook", Agent: "1.1.0"}); err != nil {
		t.Fatal(err)
	}
	// The hook has not compared the host with its configuration.
	if got, want := m.text(t), metricsHead+last+drifted("3")+version+certificates; got != want {
		t.Errorf("after a renewal:\n%s\nwant:\n%s", got, want)
	}
	reverted := applied()
	reverted.Command = "revert"
	if err := m.Run(t.Context(), reverted); err != nil {
		t.Fatal(err)
	}
	if got, want := m.text(t), metricsHead+strings.Replace(last, `"apply"`, `"revert"`, 1)+version; got != want {
		t.Errorf("after a revert:\n%s\nwant:\n%s", got, want)
	}
}

// TestHostileMetrics: what stands in the file's place is neither followed nor believed, and no run is failed by it.
func TestHostileMetrics(t *testing.T) {
	for name, tt := range map[string]struct {
		make func(path string) error
		want string // part of the error
	}{
		"a link": {func(path string) error { return os.Symlink("/etc/passwd", path) }, ""},
		"somebody else's file": {func(path string) error {
			return os.WriteFile(path, []byte("wsprovision_last_run_x 1\n"), 0o644)
		}, ""},
		"half a line": {func(path string) error {
			return os.WriteFile(path, []byte(metricsHead+"wsprovision_last_run_x 1"), 0o644)
		}, ""},
		"a directory": {func(path string) error { return os.Mkdir(path, 0o755) }, "metrics_file: "},
		"no directory": {func(path string) error {
			return os.RemoveAll(filepath.Dir(path))
		}, "metrics_file: "},
		"everybody's directory": {func(path string) error {
			return os.Chmod(filepath.Dir(path), 0o777)
		}, "everyone"},
		"a link for a directory": {linkedDir, "not a directory"},
		"a certificate of /dev":  {func(string) error { return nil }, ""},
		"too many lines to keep": {func(path string) error { return os.WriteFile(path, manyLines(), 0o644) }, ""},
		"an empty file":          {func(path string) error { return os.WriteFile(path, nil, 0o600) }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			m := newMetrics(t)
			if err := tt.make(m.Files.Root + textfilePath); err != nil {
				t.Fatal(err)
			}
			m.Config.Sites[0].TLS.Certificate = "/../../../../../../../dev/zero"
			for _, command := range []string{"plan", "apply"} {
				r := applied()
				r.Command = command
				err := m.Run(t.Context(), r)
				if tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
					t.Errorf("%s: %v, want %q", command, err, tt.want)
				}
				if err != nil {
					continue
				}
				if text := m.text(t); strings.Contains(text, "run_x") || strings.Contains(text, "root:") ||
					!strings.HasPrefix(text, metricsHead) {
					t.Errorf("%s: %s", command, text)
				}
			}
		})
	}
	passwd, err := os.ReadFile("/etc/passwd")
	if err != nil || strings.Contains(string(passwd), "wsprovision_") {
		t.Errorf("the link was followed: %v", err)
	}
}

func linkedDir(path string) error {
	dir := filepath.Dir(path)
	return errors.Join(os.Rename(dir, dir+"2"), os.Symlink(dir+"2", dir))
}

func manyLines() []byte {
	return []byte(metricsHead + strings.Repeat("wsprovision_last_run_x 1\n", mostMetrics/10))
}

func TestHostileLabels(t *testing.T) {
	if got := label("path", "/a\"b\\c\nd\xff"); got != `path="/a\"b\\c\nd`+"\ufffd\"" {
		t.Errorf("%s", got)
	}
}
