package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"wsprovision/cmd/wsprovision/screen"
	"wsprovision/cmd/wsprovision/show"
	"wsprovision/provision/diagnose/cause"
	"wsprovision/provision/verify"
)

// echoing starts our backend and gives its address.
func echoing(t *testing.T) string {
	t.Helper()
	cmd := agent(t, 0, "echo", "--listen", "127.0.0.1:0")
	stderr, err := cmd.StderrPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		if err := cmd.Wait(); err != nil {
			t.Errorf("echo ended by SIGTERM: %v, want exit status 0", err)
		}
	})
	line, err := bufio.NewReader(stderr).ReadString('\n')
	address, ok := strings.CutPrefix(strings.TrimSpace(line), "Listening on ")
	if err != nil || !ok {
		t.Fatalf("echo says %q, %v", line, err)
	}
	return address
}

func endedWith(t *testing.T, err error) int {
	t.Helper()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &exit):
		return exit.ExitCode()
	}
	t.Fatal(err)
	return -1
}

func TestConnectInAPipe(t *testing.T) {
	address := echoing(t)
	for _, tt := range []struct {
		name, in, out, stderr string
		args                  []string
		want                  int
	}{
		{"lines", "one\ntwo\n", "Echo: one\nEcho: two\n", "", []string{"ws://" + address + "/"}, 0},
		{"no line at all", "", "", "", []string{"ws://" + address + "/"}, 0},
		{"binary", "a\n", "61\n", "", []string{"--binary", "ws://" + address + "/"}, 0},
		{"another address, a subprotocol", "x\n", "Echo: x\n", "subprotocol chat",
			[]string{"--address", address, "--subprotocol", "chat", "ws://ws.example.com/ws/"}, 0},
		{"the answer shown", "", "", "HTTP/1.1 101 Switching Protocols",
			[]string{"--include", "ws://" + address + "/"}, 0},
		{"nobody there", "x\n", "", "errno 111", []string{"ws://127.0.0.1:1/"}, 1},
		{"no URL", "", "", "connect takes one URL", nil, 64},
		{"not a WebSocket's URL", "", "", "the scheme is http", []string{"http://" + address + "/"}, 64},
		{"no header", "", "", `it is "Name: value"`, []string{"--header", "x", "ws://" + address + "/"}, 64},
		{"no subprotocol", "", "", "not a token", []string{"--subprotocol", "a b", "ws://" + address + "/"}, 64},
		{"no authority", "", "", "--ca", []string{"--ca", "/nonexistent", "wss://" + address + "/"}, 64},
	} {
		t.Run(tt.name, func(t *testing.T) {
			cmd := agent(t, 0, append([]string{"connect"}, tt.args...)...)
			var stdout, stderr bytes.Buffer
			cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(tt.in), &stdout, &stderr
			if got := endedWith(t, cmd.Run()); got != tt.want || stdout.String() != tt.out ||
				!strings.Contains(stderr.String(), tt.stderr) {
				t.Errorf("exit status %d, %q, %q\nwant %d, %q, …%s…", got, stdout.String(), stderr.String(), tt.want,
					tt.out, tt.stderr)
			}
		})
	}
}

// A server without TLS is not mended by another authority.
func TestConnectWithoutTLS(t *testing.T) {
	out, _ := agent(t, 0, "connect", "wss://"+echoing(t)+"/").CombinedOutput()
	if !strings.Contains(string(out), "does not speak TLS") || strings.Contains(string(out), "--ca") {
		t.Errorf("%s", out)
	}
}

func TestVerifyURL(t *testing.T) {
	address := echoing(t)
	for _, tt := range []struct {
		name   string
		args   []string
		want   int
		result string // "" is no report
		code   cause.Code
	}{
		{"goes through", []string{"--url", "ws://" + address + "/"}, 0, verify.OK, ""},
		{"timed", []string{"--url", "ws://" + address + "/", "--count", "20", "--concurrency", "4"}, 0,
			verify.OK, ""},
		{"muted", []string{"--url", "ws://nowhere.invalid/", "--explain=never"}, 1, verify.Failed, ""},
		{"explained", []string{"--url", "ws://nowhere.invalid/"}, 1, verify.Failed, cause.NameUnresolved},
		{"no site", nil, 78, "", ""},
		{"an --explain that is neither", []string{"--url", "ws://" + address + "/", "--explain=maybe"}, 64, "", ""},
		{"too many", []string{"--url", "ws://" + address + "/", "--count", "100001"}, 64, "", ""},
		{"no URL", []string{"--url", "nonsense"}, 64, "", ""},
		{"a header that is the handshake's own",
			[]string{"--url", "ws://" + address + "/", "--header", "Host: ws.example.com"}, 64, "", ""},
		{"an empty URL", []string{"--url", ""}, 64, "", ""},
		{"an empty --ca", []string{"--url", "ws://" + address + "/", "--ca="}, 64, "", ""},
		{"no Origin", []string{"--url", "ws://" + address + "/", "--origin", "https://a b"}, 64, "", ""},
		{"a wrong configuration beside a URL", []string{"--url", "ws://" + address + "/", "--backend", "127.0.0.1:0",
			"--server-name", "a.example.com"}, 78, "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			cmd := agent(t, 0, append([]string{"verify", "--output", "json", "--config", "/dev/null"}, tt.args...)...)
			var stdout, stderr bytes.Buffer
			cmd.Stdout, cmd.Stderr = &stdout, &stderr
			if got := endedWith(t, cmd.Run()); got != tt.want {
				t.Fatalf("exit status %d, want %d\n%s%s", got, tt.want, stdout.String(), stderr.String())
			}
			if tt.result == "" {
				if stdout.Len() > 0 || !strings.HasPrefix(stderr.String(), "wsprovision: ") {
					t.Errorf("stdout %q, stderr %q", stdout.String(), stderr.String())
				}
				return
			}
			var r verify.Report
			if err := json.Unmarshal(stdout.Bytes(), &r); err != nil || r.Version != verify.Version ||
				r.Result != tt.result || len(r.Targets) != 1 {
				t.Fatalf("%v: %s", err, stdout.String())
			}
			d := r.Targets[0].Diagnosis
			if (d == nil) != (tt.code == "") || d != nil && d.Code != tt.code {
				t.Errorf("diagnosis %+v, want %q", d, tt.code)
			}
		})
	}
}

func TestWriteTarget(t *testing.T) {
	var out bytes.Buffer
	show.Target(&screen.Screen{W: &out}, verify.TargetReport{
		URL: "ws://ws.example.com/", Address: "127.0.0.1:80", Backend: "127.0.0.1:3000", Echo: true,
		Result: verify.Failed,
		Checks: []verify.CheckReport{
			{Name: "tcp", Result: verify.OK, Millis: 0.25, Detail: "127.0.0.1:4 to 127.0.0.1:80"},
			{Name: "upgrade", Result: verify.Failed, Millis: 12,
				Error: "not upgraded: HTTP/1.1 502 Bad Gateway"},
			{Name: "idle", Result: verify.Skipped, Why: "not asked for"},
		},
		Timing: &verify.TimingReport{Count: 9, Failed: 1, Elapsed: 80, Error: "reset"},
		Diagnosis: &cause.Diagnosis{Code: cause.BackendNotRunning, Cause: "it is down",
			Evidence: []string{"111"}, Mend: mendOf(t, "start it")},
	})
	want := `ws://ws.example.com/ at 127.0.0.1:80: failed
  the backend 127.0.0.1:3000 does not run: an echo backend stood in for it
  tcp                       ok           0.2 ms  127.0.0.1:4 to 127.0.0.1:80
  upgrade                   failed      12.0 ms  not upgraded: HTTP/1.1 502 Bad Gateway
  skipped: idle: not asked for
  9 connections in 80 ms, 1 failed: reset
  handshake     p50 0.0 ms, p90 0.0 ms, p99 0.0 ms, max 0.0 ms
  ping to pong  p50 0.0 ms, p90 0.0 ms, p99 0.0 ms, max 0.0 ms
  cause: it is down (backend-not-running)
    evidence: 111
    to mend it: start it
`
	if out.String() != want {
		t.Errorf("got\n%swant\n%s", out.String(), want)
	}
}

// mendOf is a mend as a report that was read back has it.
func mendOf(t *testing.T, text string) (m cause.Mend) {
	t.Helper()
	if err := m.UnmarshalText([]byte(text)); err != nil {
		t.Fatal(err)
	}
	return m
}

// What verify advises is an apply of what it was given: options of the configuration, and of nothing else.
func TestVerifyAdvisesWhatItWasGiven(t *testing.T) {
	for _, tt := range []struct{ args, want string }{
		{"", "wsprovision apply"},
		{"--server-name a.example.com --backend 127.0.0.1:3000 --timeout 3s --explain=never",
			"wsprovision apply --server-name=a.example.com --backend=127.0.0.1:3000"},
		{"--config /c.yaml --path /x/", "wsprovision apply --config /c.yaml --path=/x/"},
	} {
		a := newApp(nil, io.Discard, io.Discard)
		root := a.command()
		cmd, rest, err := root.Find(append([]string{"verify"}, strings.Fields(tt.args)...))
		if err == nil {
			err = cmd.ParseFlags(rest)
		}
		if got := strings.Join(a.applyArguments(cmd), " "); err != nil || got != tt.want {
			t.Errorf("verify %s: %v, %q, want %q", tt.args, err, got, tt.want)
		}
	}
}
