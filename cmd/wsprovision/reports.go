package main

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"wsprovision/cmd/wsprovision/cmdline"
	"wsprovision/cmd/wsprovision/screen"
	"wsprovision/cmd/wsprovision/show"
	"wsprovision/provision"
	"wsprovision/provision/config/reading"
	"wsprovision/provision/engine"
	"wsprovision/provision/host"
	"wsprovision/provision/state"
)

func (a *app) reportCommand() *cobra.Command {
	var list bool
	cmd := &cobra.Command{
		Use:   "report [ID]",
		Short: "Show what an earlier run did, or which runs are kept",
		Long: `Show the report of a run: of the last one, or of the one with this ID. The last
twenty runs that changed something or failed are kept in /var/log/wsprovision,
also those of a revert. Changes nothing. Needs root.

Exit status:
  0   it is shown
  1   there is none
  64  usage
  77  not permitted: root is needed`,
		Example: `  wsprovision report --list
  wsprovision report 20261130T170000.123Z --output json`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 || list && len(args) > 0 {
				return cmdline.Misused(errors.New("report takes one ID, or --list"))
			}
			return nil
		},
		RunE: func(_ *cobra.Command, args []string) error {
			files := a.reportFiles()
			if list {
				return a.listReports(files)
			}
			return a.showReport(files, args)
		},
	}
	cmd.ValidArgsFunction = func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		ids, _ := reportIDs(a.reportFiles())
		return ids, cobra.ShellCompDirectiveNoFileComp
	}
	cmd.Flags().BoolVar(&list, "list", false, "say which runs are kept, the last one last")
	return cmd
}

func (a *app) reportFiles() *host.Files { return &host.Files{Seam: a.seam} }

// reportIDs are those that are kept; only root may read them.
func reportIDs(files *host.Files) ([]string, error) {
	ids, err := state.ReportIDs(files.Root)
	if errors.Is(err, fs.ErrPermission) {
		err = fmt.Errorf("%w (%w)", provision.ErrNotRoot, err)
	}
	return ids, err
}

// summaryOf is one line of --list.
type summaryOf struct {
	ID      string        `json:"id"`
	Command string        `json:"command"`
	Started time.Time     `json:"started"`
	Millis  int64         `json:"duration_ms"`
	Result  engine.Status `json:"result"`
}

func (a *app) listReports(files *host.Files) error {
	ids, err := reportIDs(files)
	if err != nil {
		return err
	}
	all := []summaryOf{}
	for _, id := range ids {
		r, err := state.ReadReport(files, id)
		switch {
		case errors.Is(err, fs.ErrNotExist): // removed meanwhile
		case err != nil:
			a.say("warning: " + err.Error())
		default:
			all = append(all, summaryOf{id, r.Command, r.Started, r.Millis, r.Result})
		}
	}
	if a.output == "json" {
		return show.JSON(a.stdout, all)
	}
	for _, s := range all {
		a.stdout.Line(screen.Styled(screen.Plainly, fmt.Sprintf("%s  %-12s ", s.ID, s.Command)),
			screen.Styled(show.Styles[s.Result], fmt.Sprintf("%-9s", s.Result)),
			screen.Styled(screen.Plainly, fmt.Sprintf(" %6.1fs", float64(s.Millis)/1000)))
	}
	if len(all) == 0 {
		a.stdout.Line(screen.Styled(screen.Plainly, "no run is kept: none has changed this host, or failed"))
	}
	return a.stdout.Err
}

func (a *app) showReport(files *host.Files, args []string) error {
	ids, err := reportIDs(files)
	switch {
	case err != nil:
		return err
	case len(ids) == 0:
		return errors.New("no run is kept: none has changed this host, or failed")
	}
	id := ids[len(ids)-1]
	if len(args) == 1 {
		id = args[0]
	}
	r, err := state.ReadReport(files, id)
	if errors.Is(err, fs.ErrNotExist) || !slices.Contains(ids, id) {
		return fmt.Errorf("no run %s is kept%s; wsprovision report --list shows them", id,
			strings.TrimSuffix(reading.DidYouMean(id, ids), "?"))
	}
	if err != nil {
		return err
	}
	if a.output == "json" {
		return show.JSON(a.stdout, r)
	}
	show.Run(a.stdout, r)
	return a.stdout.Err
}
