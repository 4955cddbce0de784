package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"wsprovision/cmd/wsprovision/cmdline"
	"wsprovision/cmd/wsprovision/outfile"
	"wsprovision/cmd/wsprovision/screen"
	"wsprovision/cmd/wsprovision/show"
	"wsprovision/provision"
	"wsprovision/provision/config"
	"wsprovision/provision/host"
	"wsprovision/provision/status"
	"wsprovision/provision/support"
)

// supportDir is where an archive goes that nobody has named a place for.
const supportDir = "/var/tmp"

func (a *app) supportCommand() *cobra.Command {
	var out string
	cmd := &cobra.Command{
		Use:   "support",
		Short: "Gather in one archive what somebody else needs to help",
		Long: `Gather in one archive what somebody else needs to help: reports, configuration,
what nginx reads and says of it, labels, what SELinux has denied, units, versions.
What may be a secret is left out, and so are keys, nginx's logs and the contents
of others' files; look into it all the same before you hand it on. It is a tar.gz
for root alone (0600), in /var/tmp unless --out names a file. Parts that could
not be had are named, and keep no other from being gathered: the host may be
broken. Takes two minutes at most, changes nothing, and needs root.

Exit status:
  0   the archive was written
  1   it could not be written
  64  usage
  77  not permitted: root is needed`,
		Example: `  wsprovision support
  wsprovision support --out /root/web1.tar.gz --output json`,
		Args: cmdline.NoArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.support(cmd.Context(), out) },
	}
	cmd.Flags().StringVar(&out, "out", "", "write the archive to this `file` (default a new one in /var/tmp)")
	return cmd
}

func (a *app) support(ctx context.Context, path string) error {
	if os.Geteuid() != 0 {
		return provision.ErrNotRoot
	}
	where, err := a.where()
	if err != nil {
		a.say("warning: " + err.Error())
	}
	log := func(line string, _ bool) {
		if a.verbose {
			a.say(line)
		}
	}
	h := host.New(where, log, nil, a.seam)
	g := &support.Gatherer{Host: h, Agent: version, Build: thisBuild(),
		Input: config.Input{File: a.configFile, DefaultFile: defaultConfig, SitesDir: sitesDir, Environ: a.environ},
		Status: func(ctx context.Context) status.Report {
			s := status.Of(ctx, h, version)
			s.Now = a.now(ctx, h, s)
			return s
		}}
	archive := g.Gather(ctx, time.Now())
	content, err := archive.Pack()
	if err != nil {
		return err
	}
	if archive.Path = path; path == "" {
		archive.Path, err = outfile.WriteNew(a.seam, supportDir, "wsprovision-support-*.tar.gz", content)
	} else {
		err = outfile.Write(a.seam, path, content)
	}
	if err != nil {
		return fmt.Errorf("the archive was not written: %w", err)
	}
	archive.Bytes = len(content)
	return a.writeSupport(archive)
}

func (a *app) writeSupport(archive *support.Archive) error {
	switch {
	case a.output == "json":
		return show.JSON(a.stdout, archive)
	case a.quiet:
		return nil
	}
	for _, p := range archive.Parts {
		if p.Bytes > 0 {
			a.stdout.Put([]screen.Span{screen.Styled(screen.Plainly, fmt.Sprintf("  %-36s %8d  ", p.Name, p.Bytes))},
				strings.Repeat(" ", 48),
				screen.Plainly, p.What)
		}
	}
	for _, p := range archive.Lacking() {
		a.stdout.Item(2, screen.Yellow, fmt.Sprintf("%s: lacking: %s", p.Name, p.Lacking))
	}
	a.stdout.Put(nil, "  ", screen.Bold,
		fmt.Sprintf("%s holds %d bytes; what may be a secret was left out in %d places: look into it before you hand "+
			"it on", archive.Path, archive.Bytes, archive.Hidden()))
	return a.stdout.Err
}
