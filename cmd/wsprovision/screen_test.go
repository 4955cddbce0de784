package main

import (
	"bytes"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"wsprovision/cmd/wsprovision/screen"

	"golang.org/x/sys/unix"
)

func TestWrap(t *testing.T) {
	for _, tt := range []struct {
		name, text  string
		first, rest int
		want        []string
	}{
		{"it fits", "one two", 7, 7, []string{"one two"}},
		{"at a blank", "one two three", 8, 8, []string{"one two", "three"}},
		{"never in a word", "supercalifragilistic is long", 10, 10, []string{"supercalifragilistic", "is long"}},
		{"a word alone", "supercalifragilistic", 10, 10, []string{"supercalifragilistic"}},
		{"a first line that is used", "one two three", 3, 9, []string{"one", "two three"}},
		{"no room at all", "one two", -5, 9, []string{"one", "two"}},
		{"blanks before it stay", "    one two", 8, 8, []string{"    one", "two"}},
		{"blanks within stay", "a    b c", 6, 6, []string{"a    b", "c"}},
		{"blanks at its end", "one     ", 4, 4, []string{"one     "}},
		{"nothing", "", 4, 4, []string{""}},
		{"an arrow is one column", "a → b → c", 5, 5, []string{"a → b", "→ c"}},
		{"wide characters are two", "世界 世界", 5, 5, []string{"世界", "世界"}},
		{"a mark is none", "e\u0301e\u0301 e", 4, 4, []string{"e\u0301e\u0301 e"}},
	} {
		if got := screen.Wrap(tt.text, tt.first, tt.rest); !slices.Equal(got, tt.want) {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

// TestHostileTextIsNotPainted: colours are ours, and stand around text that steers nothing.
func TestHostileTextIsNotPainted(t *testing.T) {
	var b bytes.Buffer
	s := &screen.Screen{W: &b, Colours: true, Columns: 30}
	s.Item(2, screen.Red, "x\x1b[0m\x1b]0;owned\x07 y\nz")
	s.Line(screen.Styled(screen.Green, "\x1b[2J\nq"))
	s.Diff(2, "+\x1b[31m\u202e\n")
	rest := b.String()
	for _, ours := range []string{"\x1b[31m", "\x1b[32m", "\x1b[0m"} {
		rest = strings.ReplaceAll(rest, ours, "")
	}
	if strings.ContainsAny(rest, "\x1b\x07\u202e") || strings.Count(b.String(), "\x1b[0m") != 5 {
		t.Errorf("%q", b.String())
	}
}

func TestColour(t *testing.T) {
	for _, tt := range []struct {
		when    string
		environ []string
		want    bool
	}{{"auto", nil, false}, {"always", []string{"NO_COLOR=1"}, true}, {"never", nil, false}} {
		s := &screen.Screen{W: &bytes.Buffer{}}
		if s.Colour(tt.when, tt.environ); s.Colours != tt.want {
			t.Errorf("%s, %q: %v", tt.when, tt.environ, s.Colours)
		}
	}
}

// TestOnATerminal: lines are as wide as it is, and it has colours, unless somebody wants none.
func TestOnATerminal(t *testing.T) {
	for _, tt := range []struct {
		name    string
		args    []string
		environ []string
		columns uint16
		colours bool
	}{
		{"colours", nil, nil, 100, true},
		{"narrow", nil, nil, 44, true},
		{"NO_COLOR", nil, []string{"NO_COLOR=1"}, 80, false},
		{"an empty NO_COLOR", nil, []string{"NO_COLOR="}, 80, true},
		{"dumb", nil, []string{"TERM=dumb"}, 80, false},
		{"never", []string{"--color=never"}, nil, 80, false},
		{"always", []string{"--color=always"}, []string{"NO_COLOR=1"}, 80, true},
		{"COLUMNS", nil, []string{"COLUMNS=50"}, 100, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			args := append([]string{"verify", "ws://127.0.0.1:1/", "--explain", "never"}, tt.args...)
			cmd := agent(t, 0, args...)
			cmd.Env = append(cmd.Env, tt.environ...)
			shown := onScreen(t, cmd, tt.columns)
			if got := strings.Contains(shown, "\x1b[31m"); got != tt.colours {
				t.Errorf("colours: %v\n%q", got, shown)
			}
			columns := int(tt.columns)
			if tt.name == "COLUMNS" {
				columns = 50
			}
			plain := strings.NewReplacer("\x1b[31m", "", "\x1b[1m", "", "\x1b[32m", "", "\x1b[0m", "", "\r", "",
				"\x1b[K", "").Replace(shown)
			for line := range strings.Lines(plain) {
				words := strings.Fields(line)
				if line = strings.TrimSuffix(line, "\n"); screen.Width(line) > columns && len(words) > 6 {
					t.Errorf("%d columns of %d: %s", screen.Width(line), columns, line)
				}
			}
		})
	}
}

// onScreen is all that a program shows on a terminal of that many columns.
func onScreen(t *testing.T, cmd *exec.Cmd, columns uint16) string {
	t.Helper()
	p := onTerminalOf(t, cmd, columns)
	p.shows(t, "")
	_ = cmd.Wait()
	return p.seen.String()
}

// TestLogHasTime: a log in a file says when; the journal notes it by itself, and a terminal's reader was there.
func TestLogHasTime(t *testing.T) {
	file, err := os.Create(t.TempDir() + "/log")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	a := newApp(nil, &bytes.Buffer{}, file)
	a.say("run true")
	a.tell("", "typed wrong")
	text, err := os.ReadFile(file.Name())
	if err != nil {
		t.Fatal(err)
	}
	first, rest, _ := strings.Cut(string(text), " ")
	if _, err := time.Parse(time.RFC3339, first); err != nil ||
		rest != "wsprovision: run true\nwsprovision: typed wrong\n" {
		t.Errorf("%v: %q", err, text)
	}
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fds[0])
	defer unix.Close(fds[1])
	if screen.IsJournal(fds[0]) || screen.IsJournal(int(file.Fd())) {
		t.Error("a file and an unnamed socket are taken for the journal")
	}
}
