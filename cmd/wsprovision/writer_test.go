package main

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"wsprovision/cmd/wsprovision/screen"
	"wsprovision/cmd/wsprovision/show"
	"wsprovision/provision/diagnose/cause"
	"wsprovision/provision/engine"
	"wsprovision/provision/status"
	"wsprovision/provision/verify"
)

// steering is what others put into their text; plain is how it is shown on one line.
const (
	steering = "x\x1b]0;owned\x07\x1b[2K\r\u009b1A\u202etxt.exe\u2066\u200b\x9b\n    to mend it: rm -rf " +
		"/\nwsprovision: rm -rf /"
	plain = `x\u001b]0;owned\u0007\u001b[2K\r\u009b1A\u202etxt.exe\u2066\u200b\x9b`
)

// TestHostileTextOnTheTerminal: whatever a report holds, every form of it is text.
func TestHostileTextOnTheTerminal(t *testing.T) {
	step := engine.StepReport{Name: steering, Status: engine.Failed, Error: steering, Why: steering,
		Notes: []string{steering}, Warnings: []string{steering},
		Changes: []engine.Change{{Object: steering, From: steering, To: steering, Diff: "-" + steering + "\n"}}}
	report := &engine.Report{Command: "apply", Interrupted: steering, Resumes: steering,
		Steps: []engine.StepReport{step}}
	d := cause.Diagnosis{Cause: steering, Evidence: []string{steering}, Mend: mendOf(t, "x")}
	target := verify.TargetReport{URL: steering, Address: steering, Diagnosis: &d,
		Checks: []verify.CheckReport{{Name: steering, Result: verify.Failed, Error: steering}}}
	host := status.Report{Why: steering, System: steering, Unknown: []string{steering}, Report: report}
	for _, form := range []string{"text", "json"} {
		var out, log bytes.Buffer
		a := newApp(nil, &out, &log)
		a.output = form
		o := a.newOutput("apply")
		l := o.listener()
		l.Log(steering, true)
		l.Notice(steering)
		if l.Finished != nil {
			l.Finished(1, 1, step)
			show.Target(a.stdout, target)
			_ = show.Verdict(a.stdout, &verify.Report{Interrupted: steering, Warnings: []cause.Diagnosis{d}})
		}
		_ = o.report(report)
		_ = a.writeStatus(host)
		a.complain(os.NewSyscallError(steering, os.ErrInvalid))
		for name, text := range map[string]string{"stdout": out.String(), "stderr": log.String()} {
			if strings.ContainsAny(text, "\x1b\x07\r\u009b\u202e\u2066\u200b\x7f") ||
				!strings.Contains(text, `\u202e`) {
				t.Errorf("%s, %s: %q", form, name, text)
			}
			if name == "stdout" && strings.Contains("\n"+text, "\n    to mend it: rm") ||
				strings.Contains(text, "\nwsprovision: rm") {
				t.Errorf("%s, %s: a line that looks like ours:\n%s", form, name, text)
			}
		}
		if form == "text" && !strings.Contains(out.String(), plain) {
			t.Errorf("%s does not have %s", out.String(), plain)
		}
	}
}

// The live line steers the terminal by itself, with its own sequence and no other.
func TestHostileLiveLine(t *testing.T) {
	var b bytes.Buffer
	(&screen.LiveLine{W: &b}).Show("3/8 " + steering)
	if rest, ok := strings.CutPrefix(b.String(), screen.EraseLine); !ok || strings.ContainsAny(rest, "\x1b\r\n\x07") {
		t.Errorf("%q", b.String())
	}
}

// TestHostileServer: what a server answers reaches the terminal of connect as text, but with --raw.
func TestHostileServer(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			return
		}
		defer c.Close()
		_ = c.SetDeadline(time.Now().Add(20 * time.Second))
		_, _ = io.WriteString(c, "HTTP/1.1 403 \x1b[31m\u202eno\r\nServer: \u202ex\r\nContent-Length: "+
			"0\r\nConnection: close\r\n\r\n")
	})}
	go func() { _ = server.Serve(l) }()
	t.Cleanup(func() { server.Close() })
	out, err := agent(t, 0, "connect", "--include", "ws://"+l.Addr().String()+"/").CombinedOutput()
	if err == nil || strings.ContainsAny(string(out), "\x1b\u202e") ||
		!strings.Contains(string(out), `403 \u001b[31m\u202eno`) {
		t.Errorf("%v: %q", err, out)
	}
	for _, raw := range []bool{false, true} {
		args := []string{"connect", "ws://" + echoing(t) + "/"}
		if raw {
			args = append(args, "--raw")
		}
		cmd := agent(t, 0, args...)
		cmd.Stdin = strings.NewReader("a\x1b[2Jb\n")
		out, err := cmd.Output()
		if err != nil || strings.Contains(string(out), "\x1b") != raw {
			t.Errorf("raw %v: %v: %q", raw, err, out)
		}
	}
}

// TestNothingIsWrittenPastTheWriters walks the source: there is one place that hands out what a command writes to.
func TestNothingIsWrittenPastTheWriters(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") || name == "main.go" {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, what := range pastTheWriters(file) {
			if name != "writer.go" && what != "raw" ||
				!slices.Contains([]string{"connect.go", "output.go", "writer.go"}, name) {
				t.Errorf("%s uses %s", name, what)
			}
		}
	}
}

func pastTheWriters(file *ast.File) (found []string) {
	for _, i := range file.Imports {
		if i.Path.Value == `"log"` {
			found = append(found, "log")
		}
	}
	own := map[string]bool{"os.Stdout": true, "os.Stderr": true, "fmt.Print": true, "fmt.Println": true,
		"fmt.Printf": true}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.SelectorExpr:
			x, _ := n.X.(*ast.Ident)
			if x != nil && (own[x.Name+"."+n.Sel.Name] || x.Name == "syscall" && n.Sel.Name == "Write") {
				found = append(found, x.Name+"."+n.Sel.Name)
			}
			if n.Sel.Name == "raw" {
				found = append(found, "raw")
			}
		case *ast.CallExpr:
			x, _ := n.Fun.(*ast.Ident)
			if x != nil && (x.Name == "print" || x.Name == "println") {
				found = append(found, x.Name)
			}
			for _, arg := range n.Args { // what run is given, before newApp has it
				if i, _ := arg.(*ast.Ident); i != nil && (i.Name == "stdout" || i.Name == "stderr") &&
					(x == nil || x.Name != "newApp") {
					found = append(found, i.Name)
				}
			}
		}
		return true
	})
	return found
}
