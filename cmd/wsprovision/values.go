package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"wsprovision/provision/config/kinds"
	"wsprovision/provision/config/reading"
	"wsprovision/provision/plaintext"
)

// choice is the value of a flag that takes one of some words.
type choice struct {
	at    *string
	words []string
}

func (c choice) String() string { return *c.at }
func (c choice) Type() string   { return strings.Join(c.words, "|") }

func (c choice) Set(text string) error {
	for _, w := range c.words {
		if text == w {
			*c.at = text
			return nil
		}
	}
	last := len(c.words) - 1
	return fmt.Errorf("it is %s or %s%s", strings.Join(c.words[:last], ", "), c.words[last],
		didYouMean(text, c.words))
}

// didYouMean is a clause for the end of a message about a word.
func didYouMean(word string, candidates []string) string {
	if near := reading.Nearest(word, candidates); near != "" {
		return ": did you mean " + near + "?"
	}
	return ""
}

// addChoice registers a flag that takes one of the words; the first is the default.
func addChoice(cmd *cobra.Command, flags *pflag.FlagSet, at *string, name, short, usage string, words ...string) {
	*at = words[0]
	flags.VarP(choice{at, words}, name, short, usage)
	_ = cmd.RegisterFlagCompletionFunc(name, cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp))
}

// duration is the value of a flag that takes a time with its unit, as the configuration does.
type duration struct {
	at      *time.Duration
	forever bool // the word forever is no end
}

func (d duration) String() string {
	if d.at == nil {
		return "0s"
	}
	return plaintext.Duration(*d.at)
}

func (d duration) Type() string { return "duration" }

func (d duration) Set(text string) error {
	if d.forever && text == "forever" {
		*d.at = -1
		return nil
	}
	parsed, err := kinds.Duration(text)
	if d.forever && err != nil && strings.HasPrefix(text, "-") {
		return fmt.Errorf("%w; forever has no end", err)
	}
	if err == nil {
		*d.at = parsed
	}
	return err
}

// addDuration registers a flag that takes a duration.
func addDuration(flags *pflag.FlagSet, at *time.Duration, name string, standard time.Duration, usage string) {
	*at = standard
	flags.Var(duration{at: at}, name, usage)
}

// addWait registers how long another run is waited for.
func addWait(flags *pflag.FlagSet, at *time.Duration) {
	addDuration(flags, at, "wait", 0, "wait this `duration` for another run to end")
}
