package nginx

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"wsprovision/provision/lazy"
)

// Problem is one complaint of nginx -t.
type Problem struct {
	// Level is nginx's: emerg, alert, crit, error, warn, notice, info, debug; "unknown" for a line that is not nginx's
	// own.
	Level, Message string
	// File and Line are "" and 0 where nginx names none.
	File string
	Line int
}

func (p Problem) String() string {
	text := fmt.Sprintf("[%s] %s", p.Level, p.Message)
	if p.File != "" {
		text += fmt.Sprintf(" in %s:%d", p.File, p.Line)
	}
	return text
}

// Fatal problems forbid to use the configuration.
func (p Problem) Fatal() bool {
	return slices.Contains([]string{"emerg", "alert", "crit", "error"}, p.Level)
}

// Conflict tells that two servers have one name: nginx -t warns, and nginx starts and drops the name of the second.
func (p Problem) Conflict() bool { return strings.HasPrefix(p.Message, "conflicting server name ") }

// KeepsFromStarting tells that nginx does not start with the configuration, nor reload it.
func (p Problem) KeepsFromStarting() bool { return p.Fatal() && !p.Conflict() }

// Unresolved tells that a backend's name has no address here and now. In an installer that may be no fault of the
// configuration; nginx has not looked at anything behind that line.
func (p Problem) Unresolved() bool { return strings.HasPrefix(p.Message, "host not found in ") }

// FewFiles warns that the process which tests may open fewer files than worker_connections (ngx_event_module_init).
func (p Problem) FewFiles() bool {
	return strings.Contains(p.Message, " worker_connections exceed open file resource limit: ")
}

// NoFamily is the address of a listen for which this kernel has no sockets at all: [::]:80 where IPv6 is off
// (ipv6.disable=1). It is "" for any other problem.
func (p Problem) NoFamily() string {
	m := noFamily().FindStringSubmatch(p.Message)
	if m == nil {
		return ""
	}
	return m[1]
}

var (
	noFamily  = lazy.Regexp(`^socket\(\) (\S+) failed \(97: `) // EAFNOSUPPORT; nginx names no file
	shortLine = lazy.Regexp(`^nginx: \[(emerg|alert|crit|error|warn|notice|info|debug)\] (.+)$`)
	position  = lazy.Regexp(`^(.+) in (/.*):(\d{1,9})$`)
	syntaxOK  = lazy.Regexp(`^nginx: the configuration file .* syntax is ok$`)
	verdict   = lazy.Regexp(`^nginx: configuration file .* test (failed|is successful)$`)
)

// parseTest reads what nginx -t wrote to stderr. It never finds a failed test, or one without a verdict, to be without
// a fatal problem.
func parseTest(stderr string, status int) []Problem {
	var found []Problem
	succeeded := false
	for line := range strings.Lines(stderr) {
		line = strings.TrimRight(line, "\r\n")
		if v := verdict().FindStringSubmatch(line); v != nil {
			succeeded = v[1] == "is successful"
			continue
		}
		if line == "" || syntaxOK().MatchString(line) {
			continue
		}
		// With its error log on stderr nginx says everything twice.
		if p := parseProblem(line); !slices.Contains(found, p) {
			found = append(found, p)
		}
	}
	if (status != 0 || !succeeded) && !slices.ContainsFunc(found, Problem.Fatal) {
		found = append(found, Problem{Level: "emerg", Message: fmt.Sprintf("nginx -t ended with status %d and said %q",
			status, lastLine(stderr))})
	}
	return found
}

func parseProblem(line string) Problem {
	p := Problem{Level: "unknown", Message: line}
	if m := shortLine().FindStringSubmatch(line); m != nil {
		p.Level, p.Message = m[1], m[2]
	} else if l, ok := ParseErrorLine(line); ok {
		p.Level, p.Message = l.Level, l.Message
	}
	if m := position().FindStringSubmatch(p.Message); m != nil {
		p.Message, p.File = m[1], m[2]
		p.Line, _ = strconv.Atoi(m[3])
	}
	if p.Conflict() {
		p.Level = "error"
	}
	return p
}
