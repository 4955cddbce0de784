package main

import (
	"fmt"
	"runtime"

	"wsprovision/cmd/wsprovision/cmdline"
	"wsprovision/cmd/wsprovision/screen"
	"wsprovision/cmd/wsprovision/show"

	"github.com/spf13/cobra"
)

// Set when the agent is linked (-X main.version=… -X main.commit=…).
var version, commit = "unreleased", "unknown"

// build is what this agent is made of.
type build struct {
	Version  string `json:"version"`
	Commit   string `json:"commit"`
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

func thisBuild() build {
	return build{Version: version, Commit: commit, Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
}

func (b build) String() string {
	return fmt.Sprintf("wsprovision version %s (commit %s, %s, %s)", b.Version, b.Commit, b.Go, b.Platform)
}

func (a *app) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "Say which version this is, and of what it was built",
		Long:    "Say which version this is, from which commit and by which Go it was built.",
		Example: "  wsprovision version --output json",
		Args:    cmdline.NoArguments,
		RunE:    func(*cobra.Command, []string) error { return a.sayVersion() },
	}
}

func (a *app) sayVersion() error {
	if a.output == "json" {
		return show.JSON(a.stdout, thisBuild())
	}
	a.stdout.Line(screen.Styled(screen.Plainly, thisBuild().String()))
	return a.stdout.Err
}
