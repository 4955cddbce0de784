package conf

import (
	"slices"
	"strings"
)

// PidFile is where a running master has written its pid. Without a pid directive it is EPEL 7's /run/nginx.pid.
func (ps Paths) PidFile() string { return ps.pidFile(EPEL()) }

func (ps Paths) pidFile(b Build) string {
	for _, d := range ps.directives {
		if d.Name == "pid" && len(d.Args) == 1 {
			return b.Absolute(d.Args[0])
		}
	}
	return b.PID
}

// ErrorLogs are the files (not syslog, stderr or memory) that errors go to, sorted. A master writes what goes wrong
// with a reload to those of the main context; without one there, that is EPEL 7's /var/log/nginx/error.log.
func (ps Paths) ErrorLogs() []string {
	logs := ps.named(EPEL(), func(name string) bool { return name == "error_log" })
	if !slices.ContainsFunc(ps.directives, func(d Directive) bool { return d.Name == "error_log" }) {
		logs = append(logs, EPEL().ErrorLog)
	}
	return unique(logs)
}

// Logs are all files that nginx opens for its logs when it reads its configuration, sorted.
func (ps Paths) Logs() []string {
	logs := ps.named(EPEL(), func(name string) bool { return name == "error_log" || name == "access_log" })
	return unique(append(logs, append(ps.ErrorLogs(), EPEL().AccessLog)...))
}

// UnixListeners are the paths of unix sockets that servers of any kind listen on. nginx -t removes them.
func (ps Paths) UnixListeners() []string {
	var all []string
	for d := range ps.walk {
		if d.Name == "listen" && len(d.Args) > 0 {
			if name, ok := strings.CutPrefix(d.Args[0], "unix:"); ok && strings.HasPrefix(name, "/") {
				all = append(all, name)
			}
		}
	}
	return unique(all)
}

// Touched are the files and directories that nginx -t opens for writing, makes or removes.
func (ps Paths) Touched(b Build) []string {
	all := append([]string{ps.pidFile(b)}, b.Temporary...)
	for _, log := range []string{b.ErrorLog, b.AccessLog} {
		if isFile(log) {
			all = append(all, b.Absolute(log))
		}
	}
	all = append(all, ps.named(b, func(name string) bool {
		return name == "error_log" || name == "access_log" || isTemporary(name)
	})...)
	return unique(append(all, ps.UnixListeners()...))
}

func isTemporary(name string) bool {
	return strings.HasSuffix(name, "_temp_path") || strings.HasSuffix(name, "_cache_path")
}

// named gives the first arguments of some directives, as files.
func (ps Paths) named(b Build, wanted func(string) bool) []string {
	var all []string
	for d := range ps.walk {
		if wanted(d.Name) && len(d.Args) > 0 && isFile(d.Args[0]) {
			all = append(all, b.Absolute(d.Args[0]))
		}
	}
	return all
}

// isFile leaves out what is no file or, having a variable in its name, is opened only when a request comes.
func isFile(target string) bool {
	switch {
	case target == "" || target == "off" || target == "stderr" || strings.Contains(target, "$"):
		return false
	}
	return !strings.HasPrefix(target, "syslog:") && !strings.HasPrefix(target, "memory:")
}

// walk visits every directive, but not the entries of maps and the like, whose names mean nothing.
func (t Tree) walk(visit func(Directive) bool) { walk(t.directives, visit) }

func walk(body []Directive, visit func(Directive) bool) bool {
	for _, d := range body {
		if !visit(d) || !isTable(d) && !walk(d.Body, visit) {
			return false
		}
	}
	return true
}

func isTable(d Directive) bool {
	return slices.Contains([]string{"map", "geo", "types", "split_clients", "charset_map"}, d.Name)
}

func unique(names []string) []string {
	slices.Sort(names)
	return slices.Compact(names)
}
