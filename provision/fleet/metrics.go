package fleet

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"wsprovision/provision/certificate"
	"wsprovision/provision/config"
	"wsprovision/provision/engine"
	"wsprovision/provision/host"
)

// Metrics writes a file for node_exporter's textfile collector, in the text format of Prometheus.
type Metrics struct {
	Files  *host.Files
	Config config.Config
	Now    time.Time
}

const metricsHead = "# Written by wsprovision at each of its runs, and at each plan of root's.\n"

// These begin the names of what is told of the last run, which a plan keeps, and of what the host lacked then.
const (
	lastRun = "wsprovision_last_run_"
	drift   = "wsprovision_drift"
)

// mostMetrics bounds what is read of an earlier file.
const mostMetrics = 1 << 20

// Run writes what a run came to. A plan renews what there is to say of the host, and keeps what an earlier file told of
// the last run. The hook of a renewal looks at certificates alone. After a revert nothing is asked of the host.
func (m Metrics) Run(ctx context.Context, r *engine.Report) error {
	path := m.Config.MetricsFile
	if path == "" {
		return nil
	}
	text, err := m.content(ctx, r)
	if err != nil {
		return fmt.Errorf("metrics_file: %w", err)
	}
	if have, err := m.Files.Read(path); err == nil && string(have.Content) == text && have.Mode == 0o644 {
		return nil
	}
	if err := m.Files.Write(path, []byte(text), 0o644); err != nil {
		return fmt.Errorf("metrics_file: %w", err)
	}
	return nil
}

func (m Metrics) content(ctx context.Context, r *engine.Report) (string, error) {
	switch r.Command {
	case "plan":
		last, err := m.kept(lastRun)
		return metricsHead + last + info(r) + m.drift(r) + m.certificates(ctx), err
	case "renew-hook":
		last, err := m.kept(lastRun, drift)
		return metricsHead + last + info(r) + m.certificates(ctx), err
	case "revert":
		return metricsHead + lastRunOf(r) + info(r), nil
	}
	return metricsHead + lastRunOf(r) + info(r) + m.drift(r) + m.certificates(ctx), nil
}

// kept are the lines of an earlier file whose names begin so.
func (m Metrics) kept(names ...string) (string, error) {
	have, err := m.Files.Read(m.Config.MetricsFile)
	if err != nil || len(have.Content) > mostMetrics || !strings.HasPrefix(string(have.Content), metricsHead) {
		return "", err
	}
	var b strings.Builder
	for line := range strings.Lines(string(have.Content)) {
		name := strings.TrimPrefix(strings.TrimPrefix(line, "# HELP "), "# TYPE ")
		if strings.HasSuffix(line, "\n") && slices.ContainsFunc(names, func(s string) bool {
			return strings.HasPrefix(name, s)
		}) {
			b.WriteString(line)
		}
	}
	return b.String(), nil
}

// results are those that a run can have.
var results = []engine.Status{engine.Unchanged, engine.Changed, engine.Deferred, engine.Failed}

func lastRunOf(r *engine.Report) string {
	w := &series{}
	w.family(lastRun+"info", "Which command it was.")
	w.value(label("command", r.Command), "1")
	w.family(lastRun+"timestamp_seconds", "When the last run began.")
	w.value("", seconds(r.Started))
	w.family(lastRun+"duration_seconds", "How long it took.")
	w.value("", strconv.FormatFloat(float64(r.Millis)/1000, 'f', -1, 64))
	w.family(lastRun+"result", "What it came to: 1 for its result, 0 for the others.")
	for _, result := range results {
		w.value(label("result", string(result)), truth(r.Result == result))
	}
	w.family(lastRun+"changes", "How many changes each of its steps made.")
	for _, s := range r.Steps {
		w.value(label("step", s.Name), strconv.Itoa(made(s)))
	}
	return w.String()
}

// made is how many changes a step has made. A step that failed may have made some of its own; they are not counted.
func made(s engine.StepReport) int {
	if s.Status != engine.Changed && s.Status != engine.Deferred {
		return 0
	}
	return len(engine.Outstanding(s.Changes))
}

// Drift is how much of the host is not as asked after a run, or was found by a plan not to be: each change that was not
// made, and each step that failed.
func Drift(r *engine.Report) (n int) {
	for _, s := range r.Steps {
		switch s.Status {
		case engine.Planned, engine.Skipped:
			n += len(s.Changes)
		case engine.Failed:
			n += max(1, len(s.Changes))
		case engine.Deferred:
			n += len(s.Changes) - len(engine.Outstanding(s.Changes))
		}
	}
	return n
}

func info(r *engine.Report) string {
	w := &series{}
	w.family("wsprovision_info", "The agent's version.")
	w.value(label("version", r.Agent), "1")
	return w.String()
}

func (m Metrics) drift(r *engine.Report) string {
	w := &series{}
	w.family(drift, "Differences between the host and its configuration, and steps that failed.")
	w.value("", strconv.Itoa(Drift(r)))
	w.family(drift+"_timestamp_seconds", "When the host was last compared with its configuration.")
	w.value("", seconds(m.Now))
	return w.String()
}

// certificates are those that the sites have now.
func (m Metrics) certificates(ctx context.Context) string {
	w := &series{}
	w.family("wsprovision_certificate_readable", "Whether the certificate of a site could be read.")
	ends := &series{}
	ends.family("wsprovision_certificate_not_after_seconds", "When the certificate of a site ends.")
	for _, s := range m.Config.Sites {
		if s.TLS == nil {
			continue
		}
		labels := label("site", s.Name) + "," + label("path", s.TLS.Certificate)
		end, err := certificate.NotAfter(ctx, m.Files.Root+s.TLS.Certificate)
		w.value(labels, truth(err == nil))
		if err == nil {
			ends.value(labels, seconds(end))
		}
	}
	return w.String() + ends.String()
}

// series are lines of the text format of Prometheus.
type series struct {
	strings.Builder
	name, about string
}

// family begins the values of a name. One without values is not written.
func (w *series) family(name, about string) { w.name, w.about = name, about }

func (w *series) value(labels, value string) {
	if w.about != "" {
		fmt.Fprintf(w, "# HELP %s %s\n# TYPE %s gauge\n", w.name, w.about, w.name)
		w.about = ""
	}
	if labels != "" {
		labels = "{" + labels + "}"
	}
	fmt.Fprintf(w, "%s%s %s\n", w.name, labels, value)
}

func label(name, value string) string {
	value = strings.ToValidUTF8(value, "\ufffd")
	return name + `="` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(value) + `"`
}

func truth(is bool) string {
	if is {
		return "1"
	}
	return "0"
}

// seconds is a time as Prometheus has it, to the millisecond.
func seconds(t time.Time) string {
	return strconv.FormatFloat(float64(t.UnixMilli())/1000, 'f', -1, 64)
}
