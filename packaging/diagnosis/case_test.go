//go:build diagnosis

package diagnosis

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// finding is what a case tells the test that started it.
type finding struct {
	Problems []string
	Code     string
	Cause    string
	Mend     string
	Evidence []string
	After    string // verify, after the mend
	Warning  string
}

func (f *finding) wrong(format string, args ...any) {
	f.Problems = append(f.Problems, fmt.Sprintf(format, args...))
}

type diagnosed struct {
	Code, Cause, Mend string
	Evidence          []string
}

type verdict struct {
	Result  string
	Targets []struct {
		Result    string
		Diagnosis *diagnosed
		Checks    []struct{ Name, Result, Error string }
	}
	Warnings []diagnosed
}

// runCase plays a row in the room where this process is.
func runCase(r row, program string) (f finding) {
	r = r.completed()
	if err := furnish(r, program); err != nil {
		f.wrong("%v", err)
		return f
	}
	defer func() { _, _ = shell("systemctl stop nginx") }()
	v := r.thrice(&f)
	if f.Code == "" && v.Result != "ok" {
		f.wrong("verify fails and names nothing: %+v", v)
	}
	r.judge(&f)
	if r.want != "" && len(f.Problems) == 0 {
		r.carryOut(&f)
	}
	return f
}

// furnish makes the host of the row.
func furnish(r row, program string) error {
	for _, dir := range []string{"/var/log/nginx", "/var/lib/nginx", "/var/lib/wsprovision", "/etc/nginx/conf.d",
		"/etc/nginx/default.d", "/etc/wsprovision", "/usr/local/sbin", "/etc/pki/tls/certs", "/etc/pki/tls/private"} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
	}
	stock, err := os.ReadFile(filepath.Join(repository(), "provision/nginx/conf/testdata/epel-1.20.1.nginx.conf"))
	if err != nil {
		return err
	}
	files := map[string]string{
		"/etc/nginx/nginx.conf": strings.Replace(string(stock), "worker_processes auto", "worker_processes 1", 1),
		"/etc/hosts":            r.hosts,
		"/etc/passwd":           "root:x:0:0::/root:/bin/bash\nnginx:x:990:990::/var/lib/nginx:/sbin/nologin\n",
		"/etc/group":            "root:x:0:\nnginx:x:990:\n",
		siteFile:                r.site,
	}
	for name, content := range r.files {
		files[name] = content
	}
	for name, content := range files {
		if content == "" {
			continue
		}
		if err := put(name, content); err != nil {
			return err
		}
	}
	if err := errors.Join(os.Symlink(program, "/usr/local/bin-agent"), itself("/usr/local/bin-test"),
		put("/root/websocket.conf", rendered()),
		os.WriteFile("/usr/local/sbin/wsprovision", []byte(wsprovision), 0o755),
		os.WriteFile("/usr/local/sbin/systemctl", []byte(systemctl), 0o755)); err != nil {
		return err
	}
	for _, b := range r.backends {
		if err := b.start(); err != nil {
			return err
		}
	}
	return r.start()
}

// itself is a link to this program, which plays more than one role.
func itself(link string) error {
	program, err := os.Readlink("/proc/self/exe")
	return errors.Join(err, os.Symlink(program, link))
}

func (r row) start() error {
	if out, err := shell(r.before); err != nil {
		return fmt.Errorf("%s: %w\n%s", r.before, err, out)
	}
	out, err := shell("systemctl start nginx")
	if err != nil && r.want == "" {
		return fmt.Errorf("start nginx: %w\n%s", err, out)
	}
	if out, err := shell(r.after); err != nil {
		return fmt.Errorf("%s: %w\n%s", r.after, err, out)
	}
	return nil
}

// systemctl stands in for the one of nginx's unit: EPEL's starts nginx, reloads it by SIGHUP and stops it by SIGQUIT.
const systemctl = `#!/bin/bash
pid() { p=$(cat /run/nginx.pid 2>/dev/null) && [ -n "$p" ] && kill -0 $p 2>/dev/null && echo $p; }
workers() { pgrep -P $1 -f 'worker process$'; }
up() { for i in $(seq 100); do p=$(pid) && workers $p >/dev/null && return; sleep 0.02; done; }
start() { [ -n "$(pid)" ] || { /usr/sbin/nginx && up; }; }
stop() { p=$(pid) && kill -TERM $p && for i in $(seq 100); do kill -0 $p 2>/dev/null || return 0; sleep 0.02; done; }
reload() { p=$(pid) || return 1; old=$(workers $p); kill -HUP $p
	for i in $(seq 100); do workers $p | grep -qxF "$old" || return 0; sleep 0.02; done; return 0; }
case "$1" in
daemon-reload) ;;
start) start ;;
stop) stop || : ;;
restart) stop; start ;;
reload) reload ;;
reload-or-restart) if [ -n "$(pid)" ]; then reload; else start; fi ;;
*) echo "systemctl $*: this stand-in does not know it" >&2; exit 1 ;;
esac
`

// wsprovision stands in for an apply of theSite, which takes rpm, yum and systemd: it puts the file that the agent
// renders.
const wsprovision = `#!/bin/bash
[ "$1" = apply ] || exec /usr/local/bin-agent "$@"
cp /root/websocket.conf /etc/nginx/conf.d/websocket.conf && nginx -t && systemctl reload-or-restart nginx
`

func (r row) look() (verdict, error) {
	argv := append([]string{"verify", "--output", "json"}, strings.Fields(r.verify)...)
	for i := range argv {
		argv[i] = strings.ReplaceAll(argv[i], "␣", " ")
	}
	cmd := exec.Command("/usr/local/bin-agent", argv...)
	cmd.Dir, cmd.Env = "/", []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root"}
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	var v verdict
	if unread := json.Unmarshal(out, &v); unread != nil {
		return v, fmt.Errorf("verify %s: %v, %w: %s%s", r.verify, err, unread, out, stderr.String())
	}
	return v, nil
}

// thrice looks three times, which has to give the same code and cause.
func (r row) thrice(f *finding) (v verdict) {
	var codes []string
	for range 3 {
		var err error
		if v, err = r.look(); err != nil {
			f.wrong("%v", err)
			return v
		}
		f.take(v)
		codes = append(codes, f.Code)
	}
	if len(slices.Compact(slices.Clone(codes))) != 1 {
		f.wrong("three runs give %q", codes)
	}
	return v
}

func (f *finding) take(v verdict) {
	f.Code, f.Cause, f.Mend, f.Evidence, f.Warning = "", "", "", nil, ""
	for _, w := range v.Warnings {
		f.Warning += w.Code
	}
	for _, t := range v.Targets {
		if d := t.Diagnosis; d != nil {
			f.Code, f.Cause, f.Mend, f.Evidence = d.Code, d.Cause, d.Mend, d.Evidence
			return
		}
	}
}

func (r row) judge(f *finding) {
	if f.Code != r.want {
		f.wrong("the code is %q, want %q", f.Code, r.want)
	}
	if f.Warning != r.warning {
		f.wrong("the warning is %q, want %q", f.Warning, r.warning)
	}
	evidence := strings.Join(f.Evidence, "\n")
	for _, w := range words(r.cause) {
		if !strings.Contains(f.Cause, w) {
			f.wrong("the cause has no %q", w)
		}
	}
	for _, w := range words(r.proof) {
		if !strings.Contains(evidence, w) {
			f.wrong("the evidence has no %q", w)
		}
	}
	for _, w := range words(r.not) {
		if strings.Contains(f.Cause+"\n"+evidence+"\n"+f.Mend, w) {
			f.wrong("it says %q", w)
		}
	}
	if !strings.Contains(f.Mend, r.says) {
		f.wrong("the mend has no %q", r.says)
	}
}

func words(text string) []string {
	if text == "" {
		return nil
	}
	return strings.Split(text, " & ")
}

// programs are those that a mend begins with which is a command.
var programs = []string{"nginx", "systemctl", "wsprovision", "echo", "mkdir", "sysctl", "chmod", "restorecon"}

// carryOut does what the mend says and looks again.
func (r row) carryOut(f *finding) {
	first, _, _ := strings.Cut(f.Mend, " ")
	switch {
	case r.edit == "" && slices.Contains(programs, first):
		r.obey(f, f.Mend)
	case r.edit == "" && (r.noMend || r.want == none):
		return
	case r.edit == "":
		f.wrong("the mend is words, and the row has no edit for them: %s", f.Mend)
		return
	default:
		r.obey(f, r.edit+serving(f.Mend))
	}
	time.Sleep(10 * time.Millisecond)
	v, err := r.look()
	if err != nil {
		f.wrong("after the mend: %v", err)
		return
	}
	f.After = v.Result
	if v.Result != "ok" {
		var again finding
		again.take(v)
		f.wrong("after the mend verify says %s: %s: %s", v.Result, again.Code, again.Cause)
	}
}

// serving is what the words of a mend end with.
func serving(mend string) string {
	for _, command := range []string{"nginx -t && systemctl reload-or-restart nginx",
		"nginx -t && systemctl reload nginx",
		"systemctl reload-or-restart nginx", "systemctl reload nginx", "systemctl restart nginx"} {
		if strings.Contains(mend, command) {
			return " && " + command
		}
	}
	return ""
}

func (r row) obey(f *finding, commands string) {
	if out, err := shell(commands); err != nil {
		f.wrong("%s: %v\n%s", commands, err, out)
	}
}
