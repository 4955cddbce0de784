package support

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"wsprovision/provision/config"
	"wsprovision/provision/engine"
	"wsprovision/provision/host"
	"wsprovision/provision/hostfile"
	"wsprovision/provision/secret"
	"wsprovision/provision/state"
)

// questions are asked in this order: what is cheap and tells most comes first.
func (g *Gatherer) questions() []question {
	all := []question{
		{"version.json", "which wsprovision this is", func(context.Context) (string, error) { return asJSON(g.Build) }},
		{"os-release", "which system this is", g.file("/etc/os-release")},
		{"kernel", "which kernel runs", g.file("/proc/version")},
		{"configuration/wsprovision.yaml", "what is asked for", g.configuration("/etc/wsprovision/wsprovision.yaml")},
	}
	sites, _ := filepath.Glob(g.Root + g.Input.SitesDir + "/*.yaml")
	for _, path := range sites[:min(len(sites), 200)] {
		all = append(all, question{"configuration/sites.d/" + filepath.Base(path), "what is asked for",
			g.configuration(strings.TrimPrefix(path, g.Root))})
	}
	all = append(all, question{"configuration/effective.yaml", "what is asked for, with defaults and sources",
		g.effective},
		question{"state/deferred.yaml", "what is left to the first boot", g.configuration(state.DeferredPath)},
		question{"state/ledger.json", "what the agent has changed, without contents of files", g.ledger},
		question{"state/report.json", "the reports of the installation and of the last run", g.history})
	ids, _ := state.ReportIDs(g.Root)
	for _, id := range ids[max(0, len(ids)-20):] {
		all = append(all, question{"reports/" + id + ".json", "what a run did", func(context.Context) (string, error) {
			r, err := state.ReadReport(g.Files, id)
			if err != nil {
				return "", err
			}
			return asJSON(r.Map(secret.Scrub))
		}})
	}
	all = append(all, g.nginxQuestions()...)
	all = append(all, g.hostQuestions()...)
	// last, because on a host that does not answer it takes longest
	return append(all, question{"status.json", "what wsprovision status says", g.status})
}

func asJSON(of any) (string, error) {
	text, err := json.MarshalIndent(of, "", "  ")
	return string(text) + "\n", err
}

// file is a file of text, which may be behind a link, scrubbed.
func (g *Gatherer) file(path string) func(context.Context) (string, error) {
	return g.scrubbed(path, secret.Scrub)
}

// configuration is a file of ours, which may hold what a probe sends.
func (g *Gatherer) configuration(path string) func(context.Context) (string, error) {
	return g.scrubbed(path, secret.Configuration)
}

func (g *Gatherer) scrubbed(path string, scrub func(string) string) func(context.Context) (string, error) {
	return func(ctx context.Context) (string, error) {
		content, err := hostfile.ReadLinked(ctx, g.Root+path, mostPart)
		if errors.Is(err, fs.ErrNotExist) {
			return "", errNone
		}
		return scrub(strings.ToValidUTF8(string(content), "\ufffd")), err
	}
}

func (g *Gatherer) effective(context.Context) (string, error) {
	text, err := config.Explain(g.Input)
	return secret.Configuration(string(text)), err
}

// ledger is without contents: they are files of somebody else's.
func (g *Gatherer) ledger(context.Context) (string, error) {
	l, err := state.ReadLedger(g.Files)
	if err != nil {
		return "", err
	}
	for i := range l.Entries {
		e := &l.Entries[i]
		if e.Bytes = nil; e.Kind == state.KindLine {
			e.Before, e.Left = secret.Scrub(e.Before), secret.Scrub(e.Left)
		}
	}
	return asJSON(l)
}

func (g *Gatherer) history(context.Context) (string, error) {
	h, err := state.ReadHistory(g.Files, 0)
	if err != nil {
		return "", err
	}
	scrubbed := func(r *engine.Report) *engine.Report {
		if r == nil {
			return nil
		}
		return r.Map(secret.Scrub)
	}
	h.Install, h.Last = scrubbed(h.Install), scrubbed(h.Last)
	return asJSON(h)
}

func (g *Gatherer) status(ctx context.Context) (string, error) {
	s := g.Status(ctx)
	s.Now.Steps = (&engine.Report{Steps: s.Now.Steps}).Map(secret.Scrub).Steps
	if s.Report != nil {
		s.Report = s.Report.Map(secret.Scrub)
	}
	text, err := asJSON(s)
	return secret.Hide(text), err
}

// program runs one that only reads, and takes what it says whatever its status.
func (g *Gatherer) program(ctx context.Context, argv ...string) (string, error) {
	stdout, stderr, status, err := g.Nginx.Read(ctx, "", argv...)
	text := stdout + stderr
	if err == nil && status != 0 {
		err = fmt.Errorf("exit status %d", status)
	}
	return secret.Scrub(text), err
}

// hostQuestions are about the system around nginx.
func (g *Gatherer) hostQuestions() []question {
	units := func(name string) question {
		return question{"units/" + name + ".json", "how systemd has it", func(ctx context.Context) (string, error) {
			defer host.Disconnect(g.Host)
			units, err := host.Systemd(ctx, g.Host)
			if err != nil {
				return "", err
			}
			s, err := units.State(ctx, name)
			if err != nil {
				return "", err
			}
			return asJSON(s)
		}}
	}
	return []question{
		{"selinux/denials", "what SELinux has denied lately", g.denials},
		{"selinux/labels", "mode, owner and label of files, and the policy's label where it is another", g.labels},
		{"selinux/settings", "booleans and ports of nginx's", g.settings},
		units(host.NginxUnit), units(host.FirstBootUnit),
		{"units/journal", "what the units and the agent have logged lately", func(ctx context.Context) (string, error) {
			return g.program(ctx, "journalctl", "--no-pager", "-q", "-o", "short-iso", "-n", "1000",
				"_SYSTEMD_UNIT="+host.NginxUnit, "+", "UNIT="+host.NginxUnit, "+", "_SYSTEMD_UNIT="+host.FirstBootUnit,
				"+", "UNIT="+host.FirstBootUnit, "+", "SYSLOG_IDENTIFIER=wsprovision")
		}},
		{"packages", "which packages are installed", func(ctx context.Context) (string, error) {
			stdout, stderr, status, err := g.Nginx.Read(ctx, "", "rpm", "-qa", "--nodigest", "--nosignature")
			if err == nil && status != 0 {
				err = fmt.Errorf("exit status %d: %s", status, stderr)
			}
			return stdout, err
		}},
	}
}

// isThere is for a path that may be anything.
func isThere(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}
