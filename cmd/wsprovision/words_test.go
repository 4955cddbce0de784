package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"wsprovision/cmd/wsprovision/cmdline"
	"wsprovision/cmd/wsprovision/screen"
	"wsprovision/cmd/wsprovision/show"
	"wsprovision/provision/engine"
	"wsprovision/provision/status"
	"wsprovision/provision/websocket"
)

// A time has its unit, and is not below 0; where there may be no end, the word is one.
func TestDurationFlag(t *testing.T) {
	for _, tt := range []struct {
		text    string
		forever bool
		want    time.Duration
		fails   bool
	}{
		{"90s", false, 90 * time.Second, false}, {"90", false, 7, true}, {"-1s", false, 7, true},
		{"forever", false, 7, true}, {"forever", true, -1, false}, {"-1s", true, 7, true}, {"-x", true, 7, true},
		{"2m", true, 2 * time.Minute, false}, {"", true, 7, true},
	} {
		at := time.Duration(7)
		err := cmdline.Duration{At: &at, Forever: tt.forever}.Set(tt.text)
		if (err != nil) != tt.fails || !tt.fails && at != tt.want {
			t.Errorf("%q, forever %v: %s, %v", tt.text, tt.forever, at, err)
		}
	}
	at := 90 * time.Second
	if got := (cmdline.Duration{At: &at}).String(); got != "90s" && got != "1m30s" {
		t.Error(got)
	}
	if got := (cmdline.Duration{}).String(); got != "0s" {
		t.Error(got)
	}
}

// What is to be done next depends on whether anything was changed, and on what the run was for.
func TestNextOf(t *testing.T) {
	changed := []engine.StepReport{{Status: engine.Changed}, {Status: engine.Failed}}
	failed := []engine.StepReport{{Status: engine.Failed}, {Status: engine.Skipped}}
	for name, tt := range map[string]struct {
		report engine.Report
		want   string
	}{
		"good":        {engine.Report{Command: "apply", Result: engine.Changed}, ""},
		"interrupted": {engine.Report{Command: "apply", Result: engine.Failed, Interrupted: "x"}, ""},
		"a plan": {engine.Report{Command: "plan", Result: engine.Failed},
			"mend that, and plan again: nothing was changed"},
		"a revert's plan": {engine.Report{Command: "revert --plan", Result: engine.Failed},
			"mend that, and plan again: nothing was changed"},
		"nothing changed": {engine.Report{Command: "apply", Result: engine.Failed, Steps: failed},
			"mend that, and run the same command again: nothing was changed"},
		"some changed": {engine.Report{Command: "apply", Result: engine.Failed, Steps: changed},
			"mend that, and run the same command again: it leaves alone what is right already"},
	} {
		if got := show.NextOf(&tt.report); got != tt.want {
			t.Errorf("%s: %q", name, got)
		}
	}
}

// What keeps the echo backend from its port is said with what to do about it.
func TestCannotListen(t *testing.T) {
	for errno, want := range map[error]string{
		syscall.EADDRINUSE:    "ss -ltnp 'sport = :3000' names it): stop it, or take a free port: --listen 127.0.0.1:0",
		syscall.EACCES:        "only root may listen on a port below 1024",
		syscall.EADDRNOTAVAIL: "this host does not have that address",
		syscall.EPERM:         "give another one: --listen 127.0.0.1:3000",
	} {
		err := &net.OpError{Op: "listen", Net: "tcp", Err: os.NewSyscallError("bind", errno)}
		got := cannotListen("127.0.0.1:3000", err)
		if !strings.Contains(got.Error(), want) || !strings.HasPrefix(got.Error(), "echo: listen tcp: ") ||
			!errors.Is(got, errno) {
			t.Errorf("%v: %v, want %q", errno, got, want)
		}
	}
	for limits, want := range map[websocket.Limits]string{
		{Connections: 1, Idle: time.Second}:  "",
		{Connections: 0, Idle: time.Second}:  "--max-connections 0: it is at least 1",
		{Connections: 1, Idle: 0}:            "--idle-timeout 0s: it is more than 0s",
		{Connections: 1, Idle: -time.Second}: "",
	} {
		if got := checkEchoLimits(limits); (got == nil) != (want == "") || got != nil && got.Error() != want {
			t.Errorf("%+v: %v", limits, got)
		}
	}
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("no space left") }

// Line ends of HTTP become a terminal's; all of a text counts as written, and nothing where it was not.
func TestLineEnds(t *testing.T) {
	var b strings.Builder
	n, err := fmt.Fprint(screen.CRLF{W: &b}, "a\r\nb\r\n\rc\n")
	if err != nil || n != 9 || b.String() != "a\nb\n\rc\n" {
		t.Errorf("%d, %v, %q", n, err, b.String())
	}
	if n, err := (screen.CRLF{W: full{}}).Write([]byte("a\r\n")); err == nil || n != 0 {
		t.Errorf("%d, %v", n, err)
	}
}

func TestSystemdWords(t *testing.T) {
	for s, want := range map[status.SystemdStatus]string{
		{}: "version unknown, not running here", {Version: 219}: "219, not running here",
		{Version: 219, Running: true}: "219, is PID 1", {Running: true}: "version unknown, is PID 1",
	} {
		if got := strings.Join(show.SystemdWords(s), ", "); got != want {
			t.Errorf("%+v: %s", s, got)
		}
	}
	if got := outcome(3).Error(); got != "exit status 3" {
		t.Error(got)
	}
}

// commonTo are the options of the root that each command makes use of.
var commonTo = map[string]string{
	"wsprovision":            "color config live offline output quiet verbose",
	"wsprovision apply":      "color config live offline output quiet verbose",
	"wsprovision plan":       "color config live offline output quiet verbose",
	"wsprovision verify":     "color config live offline output quiet verbose",
	"wsprovision renew-hook": "color config live offline output quiet verbose",
	"wsprovision support":    "color config live offline output quiet verbose",
	"wsprovision status":     "color live offline output quiet verbose",
	"wsprovision revert":     "color live offline output quiet verbose",
	"wsprovision first-boot": "color live offline output quiet verbose",
	"wsprovision report":     "color output", "wsprovision version": "output", "wsprovision help": "color",
	"wsprovision config": "config", "wsprovision config check": "quiet", "wsprovision echo": "",
	"wsprovision connect": "", "wsprovision completion": "", "wsprovision completion bash": "",
	"wsprovision completion zsh": "", "wsprovision completion fish": "",
}

// An option that a command makes no use of is neither listed nor taken.
func TestCommonOptions(t *testing.T) {
	seen := 0
	var walk func(cmd *cobra.Command)
	walk = func(cmd *cobra.Command) {
		seen++
		want, known := commonTo[cmd.CommandPath()]
		if !known {
			t.Errorf("no word of %s", cmd.CommandPath())
		}
		var listed, taken []string
		cmd.Root().PersistentFlags().VisitAll(func(f *pflag.Flag) {
			if f.Name == "help" {
				return
			}
			cmd.InheritedFlags() // has cobra add them
			flag := cmd.Flags().Lookup(f.Name)
			if !flag.Hidden {
				listed = append(listed, f.Name)
			}
			flag.Changed = false
			if err := cmd.Flags().Set(f.Name, f.DefValue); err != nil {
				t.Errorf("%s: --%s: %v", cmd.CommandPath(), f.Name, err)
			}
			if err := cmdline.CheckFlags(cmd); err == nil || !strings.Contains(err.Error(), "--"+f.Name+": "+cmd.Name()+
				" makes no use of it") {
				taken = append(taken, f.Name)
			}
		})
		if got := strings.Join(listed, " "); got != want || !slices.Equal(listed, taken) {
			t.Errorf("%s lists %q, takes %q, want %q", cmd.CommandPath(), listed, taken, want)
		}
		for _, c := range cmd.Commands() {
			walk(c)
		}
	}
	walk(newApp(nil, io.Discard, io.Discard).command())
	if seen != len(commonTo) {
		t.Errorf("%d commands, want %d", seen, len(commonTo))
	}
}
