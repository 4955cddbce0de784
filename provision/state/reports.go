package state

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"wsprovision/provision/engine"
	"wsprovision/provision/host"
)

// ReportsDir holds the reports of the last runs that changed something or failed, each under its ID. They are a log:
// no run reads them, and a revert leaves them.
const ReportsDir = "/var/log/wsprovision"

// mostReports is how many are kept.
const mostReports = 20

const reportSuffix = ".json"

// ReportID is when the run began, in UTC, to the millisecond. The attempts of a first boot are one run.
func ReportID(r *engine.Report) string { return r.Started.UTC().Format("20060102T150405.000Z") }

// KeepReport writes the report, and removes what is too old. A tree without /var/log keeps none.
func KeepReport(files *host.Files, r *engine.Report) error {
	if _, err := os.Stat(files.Root + filepath.Dir(ReportsDir)); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err := files.MakeDir(ReportsDir, 0o700); err != nil {
		return err
	}
	if err := tidyReports(files); err != nil {
		return err
	}
	text, err := ReportText(r)
	if err != nil {
		return fmt.Errorf("keep the report: %w", err)
	}
	if err := files.Write(ReportsDir+"/"+ReportID(r)+reportSuffix, text, 0o600); err != nil {
		return err
	}
	ids, err := ReportIDs(files.Root)
	for _, id := range ids[:max(0, len(ids)-mostReports)] {
		err = errors.Join(err, files.Unlink(ReportsDir+"/"+id+reportSuffix))
	}
	return err
}

// ReportText is the report as JSON. Where it is too long, its longest texts and lists are cut.
func ReportText(r *engine.Report) ([]byte, error) {
	return bounded(func(c *cutter) any {
		if c == nil {
			return r
		}
		return c.report(r)
	})
}

// ReportIDs are those that are kept, the oldest first.
func ReportIDs(root string) ([]string, error) {
	entries, err := os.ReadDir(root + ReportsDir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var ids []string
	for _, e := range entries {
		if id, ok := strings.CutSuffix(e.Name(), reportSuffix); ok && e.Type().IsRegular() && id != "" && id[0] != '.' {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids, err
}

// ReadReport reads one that is kept. An ID that is none of ReportIDs is fs.ErrNotExist.
func ReadReport(files *host.Files, id string) (*engine.Report, error) {
	if strings.ContainsAny(id, "/\x00") {
		return nil, fs.ErrNotExist
	}
	path := ReportsDir + "/" + id + reportSuffix
	have, err := files.Read(path)
	if err != nil {
		return nil, err
	}
	if have.Content == nil {
		return nil, fs.ErrNotExist
	}
	r := &engine.Report{}
	if err := json.Unmarshal(have.Content, r); err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	return r, nil
}

// tidyReports removes what a run that died has staged there. Each report has a name of its own, so that no later one
// takes its place.
func tidyReports(files *host.Files) error {
	entries, err := os.ReadDir(files.Root + ReportsDir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	for _, e := range entries {
		if host.IsStaged(e.Name()) {
			err = errors.Join(err, files.Unlink(ReportsDir+"/"+e.Name()))
		}
	}
	return err
}
