package screen

import (
	"slices"
	"strings"

	"wsprovision/provision/plaintext"
)

// WriteMend shows what mends a cause. Words are wrapped as any are. A command that does not fit goes on behind a
// backslash, which bash takes back, so that it can be copied as it stands; what is a comment to bash stands by itself.
func WriteMend(s *Screen, mend string) {
	const lead = "to mend it: "
	mend = plaintext.Line(mend)
	command, comment, _ := strings.Cut(mend, " # ")
	if s.Columns == 0 || 4+len(lead)+Width(mend) <= s.Columns ||
		!slices.Contains(programs, shellWords(command)[0]) {
		s.Item(4, Bold, lead+mend)
		return
	}
	s.Item(4, Bold, strings.TrimSpace(lead))
	s.Command(6, Bold, command)
	if comment != "" {
		s.Item(6, Bold, "# "+comment)
	}
}

// Command writes a command line for bash behind its indent. What does not fit goes on behind a backslash.
func (s *Screen) Command(indent int, st Style, command string) {
	line := strings.Repeat(" ", indent)
	for i, word := range shellWords(command) {
		switch {
		case i == 0:
		case s.Columns > 0 && Width(line)+1+Width(word)+2 > s.Columns:
			s.Put(nil, "", st, line+" \\")
			line = strings.Repeat(" ", indent+4)
		default:
			line += " "
		}
		line += word
	}
	wide := *s
	wide.Columns = 0 // a word that is longer than the line
	wide.Put(nil, "", st, line)
	s.Err = wide.Err
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
