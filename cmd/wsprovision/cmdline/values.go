package cmdline

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
		reading.DidYouMean(text, c.words))
}

// AddChoice registers a flag that takes one of the words; the first is the default.
func AddChoice(cmd *cobra.Command, flags *pflag.FlagSet, at *string, name, short, usage string, words ...string) {
	*at = words[0]
	flags.VarP(choice{at, words}, name, short, usage)
	_ = cmd.RegisterFlagCompletionFunc(name, cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp))
}

// Duration is the value of a flag that takes a time with its unit, as the configuration does.
type Duration struct {
	At      *time.Duration
	Forever bool // the word forever is no end
}

func (d Duration) String() string {
	if d.At == nil {
		return "0s"
	}
	return plaintext.Duration(*d.At)
}

func (d Duration) Type() string { return "duration" }

func (d Duration) Set(text string) error {
	if d.Forever && text == "forever" {
		*d.At = -1
		return nil
	}
	parsed, err := kinds.Duration(text)
	if d.Forever && err != nil && strings.HasPrefix(text, "-") {
		return fmt.Errorf("%w; forever has no end", err)
	}
	if err == nil {
		*d.At = parsed
	}
	return err
}

// AddDuration registers a flag that takes a duration.
func AddDuration(flags *pflag.FlagSet, at *time.Duration, name string, standard time.Duration, usage string) {
	*at = standard
	flags.Var(Duration{At: at}, name, usage)
}

// AddWait registers how long another run is waited for.
func AddWait(flags *pflag.FlagSet, at *time.Duration) {
	AddDuration(flags, at, "wait", 0, "wait this `duration` for another run to end")
}
