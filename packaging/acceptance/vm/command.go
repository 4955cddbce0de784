package vm

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"
)

// Result is what a command did. Status is its exit status, 128 and the signal's number where a signal ended it as a
// shell has it, and -1 where it was not learned: out of time, or the machine went away.
type Result struct {
	Stdout, Stderr string
	Output         string // both as they came
	Status         int
	Duration       time.Duration
}

// Process is a command that runs on the machine.
type Process struct {
	command string
	session *ssh.Session
	begun   time.Time
	out     *outputs
}

// Begin starts a shell command as root, unconfined_t, with input on its stdin. Without input stdin is /dev/null: a pipe
// in its place would make ausearch read the pipe and not the log.
func (m *Machine) Begin(command string, input io.Reader) (*Process, error) {
	if input == nil {
		command = "exec </dev/null\n" + command
	}
	return m.begin(command, func(s *ssh.Session) error {
		s.Stdin = input
		return nil
	})
}

// BeginOnTerminal starts a shell command on a terminal of 80 columns, which gives it SIGHUP at HangUp. All its output
// is on Stdout.
func (m *Machine) BeginOnTerminal(command string) (*Process, error) {
	return m.begin(command, func(s *ssh.Session) error { return s.RequestPty("xterm", 24, 80, ssh.TerminalModes{}) })
}

func (m *Machine) begin(command string, prepare func(*ssh.Session) error) (*Process, error) {
	client, err := m.connection()
	if err != nil {
		return nil, err
	}
	session, err := client.NewSession()
	if err != nil {
		return nil, fmt.Errorf("open a session on the machine: %w", err)
	}
	p := &Process{command: command, session: session, begun: time.Now(), out: &outputs{}}
	session.Stdout = p.out.into(&p.out.stdout)
	session.Stderr = p.out.into(&p.out.stderr)
	if err = prepare(session); err == nil {
		err = session.Start(command)
	}
	if err != nil {
		session.Close()
		return nil, fmt.Errorf("start %q on the machine: %w", command, err)
	}
	return p, nil
}

// Wait returns when the command has ended, the machine is gone or the time is over. The command is not killed then: a
// shell on the far side takes no notice of its closed session.
func (p *Process) Wait(limit time.Duration) Result {
	defer p.session.Close()
	ended := make(chan error, 1)
	go func() { ended <- p.session.Wait() }()
	select {
	case err := <-ended:
		return p.result(err)
	case <-time.After(limit):
		return p.result(fmt.Errorf("no end after %v", limit))
	}
}

func (p *Process) result(err error) Result {
	r := p.out.sofar()
	r.Duration = time.Since(p.begun)
	var exit *ssh.ExitError
	switch {
	case err == nil:
	case errors.As(err, &exit) && exit.Signal() != "":
		r.Status = 128 + signalNumbers[ssh.Signal(exit.Signal())]
	case errors.As(err, &exit):
		r.Status = exit.ExitStatus()
	default:
		r.Status = -1
		r.Output += fmt.Sprintf("\n[%s: %v]", p.command, err)
	}
	return r
}

// signalNumbers are those that end a program in a scenario.
var signalNumbers = map[ssh.Signal]int{ssh.SIGHUP: 1, ssh.SIGINT: 2, ssh.SIGABRT: 6, ssh.SIGKILL: 9, ssh.SIGSEGV: 11,
	ssh.SIGPIPE: 13, ssh.SIGTERM: 15}

// outputs gathers a command's two streams, apart and as they came. Two goroutines write.
type outputs struct {
	mu                   sync.Mutex
	stdout, stderr, both bytes.Buffer
}

type outputWriter func([]byte) (int, error)

func (w outputWriter) Write(b []byte) (int, error) { return w(b) }

func (o *outputs) into(stream *bytes.Buffer) io.Writer {
	return outputWriter(func(b []byte) (int, error) {
		o.mu.Lock()
		defer o.mu.Unlock()
		stream.Write(b)
		return o.both.Write(b)
	})
}

func (o *outputs) sofar() Result {
	o.mu.Lock()
	defer o.mu.Unlock()
	return Result{Stdout: o.stdout.String(), Stderr: o.stderr.String(), Output: o.both.String()}
}

// Quote makes one word of a shell's command line of s.
func Quote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }
