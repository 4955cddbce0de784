package main

import (
	"slices"
	"strings"

	"wsprovision/provision/plaintext"
)

// writeMend shows what mends a cause. Words are wrapped as any are. A command that does not fit goes on behind a
// backslash, which bash takes back, so that it can be copied as it stands; what is a comment to bash stands by itself.
func writeMend(s *screen, mend string) {
	const lead = "to mend it: "
	mend = plaintext.Line(mend)
	command, comment, _ := strings.Cut(mend, " # ")
	if s.columns == 0 || 4+len(lead)+width(mend) <= s.columns ||
		!slices.Contains(programs, shellWords(command)[0]) {
		s.item(4, bold, lead+mend)
		return
	}
	s.item(4, bold, strings.TrimSpace(lead))
	s.command(6, bold, command)
	if comment != "" {
		s.item(6, bold, "# "+comment)
	}
}

// command writes a command line for bash behind its indent. What does not fit goes on behind a backslash.
func (s *screen) command(indent int, st style, command string) {
	line := strings.Repeat(" ", indent)
	for i, word := range shellWords(command) {
		switch {
		case i == 0:
		case s.columns > 0 && width(line)+1+width(word)+2 > s.columns:
			s.put(nil, "", st, line+" \\")
			line = strings.Repeat(" ", indent+4)
		default:
			line += " "
		}
		line += word
	}
	wide := *s
	wide.columns = 0 // a word that is longer than the line
	wide.put(nil, "", st, line)
	s.err = wide.err
}

// programs are those that a command of a mend begins with.
var programs = []string{"bash", "df", "du", "firewall-cmd", "getsebool", "ip", "journalctl", "ls", "mkdir", "nginx",
	"openssl", "printf", "restorecon", "semanage", "setsebool", "ss", "systemctl", "wsprovision", "yum", "chmod",
	"chown"}

// shellWords are the words of a command line: blanks within quotes are no ends (bash(1), QUOTING).
func shellWords(command string) (words []string) {
	begin, quote := 0, byte(0)
	for i := 0; i < len(command); i++ {
		switch c := command[i]; {
		case c == '\\' && quote != '\'':
			i++ // what is behind it means itself
		case c == quote:
			quote = 0
		case (c == '\'' || c == '"') && quote == 0:
			quote = c
		case c == ' ' && quote == 0:
			words = append(words, command[begin:i])
			begin = i + 1
		}
	}
	return append(words, command[begin:])
}
