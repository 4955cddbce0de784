package cmdline

import (
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"wsprovision/provision/config"
)

// CompleteValues has a shell offer the words that an option takes, files where it takes a file, and nothing otherwise:
// what lies around is no duration and no host.
func CompleteValues(root *cobra.Command) {
	words := map[string][]string{}
	for _, f := range config.Flags() {
		words[f.Name] = f.Words
	}
	completeCommand(root, words)
}

func completeCommand(cmd *cobra.Command, words map[string][]string) {
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if _, has := cmd.GetFlagCompletionFunc(f.Name); has || f.NoOptDefVal == "true" || takesFile(f) {
			return
		}
		_ = cmd.RegisterFlagCompletionFunc(f.Name, cobra.FixedCompletions(words[f.Name],
			cobra.ShellCompDirectiveNoFileComp))
	})
	if cmd.ValidArgsFunction == nil && !strings.Contains(cmd.Use, "FILE") {
		cmd.ValidArgsFunction = cobra.NoFileCompletions
	}
	for _, c := range cmd.Commands() {
		completeCommand(c, words)
	}
}

// takesFile tells by the name that an option's usage has for its value.
func takesFile(f *pflag.Flag) bool {
	value, _ := pflag.UnquoteUsage(f)
	return strings.Contains(value, "file")
}
