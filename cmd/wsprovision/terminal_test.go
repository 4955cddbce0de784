package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// terminal is a pseudo terminal (pty(7)) with a program on it.
type terminal struct {
	master *os.File
	shown  chan []byte
	seen   bytes.Buffer
}

// onTerminal starts the program as a shell does: the terminal is its controlling one and all three of its files.
func onTerminal(t *testing.T, cmd *exec.Cmd) *terminal { return onTerminalOf(t, cmd, 80) }

func onTerminalOf(t *testing.T, cmd *exec.Cmd, columns uint16) *terminal {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	number, err := unix.IoctlGetInt(int(master.Fd()), unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(int(master.Fd()), unix.TIOCSPTLCK, 0)
	}
	if err != nil {
		t.Fatal(err)
	}
	err = unix.IoctlSetWinsize(int(master.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: columns})
	if err != nil {
		t.Fatal(err)
	}
	slave, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = slave, slave, slave
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	slave.Close()
	p := &terminal{master: master, shown: make(chan []byte)}
	go p.read()
	t.Cleanup(func() { master.Close() })
	return p
}

// read ends with EIO when the program has left the terminal.
func (p *terminal) read() {
	defer close(p.shown)
	for {
		b := make([]byte, 1024)
		n, err := p.master.Read(b)
		if n > 0 {
			p.shown <- b[:n]
		}
		if err != nil {
			return
		}
	}
}

func (p *terminal) types(t *testing.T, keys string) {
	t.Helper()
	if _, err := p.master.WriteString(keys); err != nil {
		t.Fatal(err)
	}
}

// shows waits for the text; "" is the end of the program.
func (p *terminal) shows(t *testing.T, text string) {
	t.Helper()
	late := time.After(20 * time.Second)
	for text == "" || !bytes.Contains(p.seen.Bytes(), []byte(text)) {
		select {
		case b, ok := <-p.shown:
			if !ok {
				if text != "" {
					t.Fatalf("it ended, having shown %q, want %q", p.seen.String(), text)
				}
				return
			}
			p.seen.Write(b)
		case <-late:
			t.Fatalf("it shows %q, want %q", p.seen.String(), text)
		}
	}
}

func TestConnectOnATerminal(t *testing.T) {
	const ctrlC, ctrlD = "\x03", "\x04"
	for _, tt := range []struct{ name, keys, shows, end string }{
		{"Ctrl-D", "hello\n", "Echo: hello\r\n", ctrlD},
		{"Ctrl-D at once", "", "", ctrlD},
		{"Ctrl-D within a line, and again", "hel" + ctrlD, "", ctrlD},
		{"Ctrl-C", "hello\n", "Echo: hello\r\n", ctrlC},
	} {
		t.Run(tt.name, func(t *testing.T) {
			cmd := agent(t, 0, "connect", "--include", "ws://"+echoing(t)+"/")
			p := onTerminal(t, cmd)
			p.shows(t, "101 Switching Protocols")
			p.types(t, tt.keys)
			if tt.shows != "" {
				p.shows(t, tt.shows)
			}
			p.types(t, tt.end)
			p.shows(t, "")
			if got := endedWith(t, cmd.Wait()); got != 0 {
				t.Errorf("exit status %d, having shown %q, want 0", got, p.seen.String())
			}
		})
	}
}

// A server that goes is not kept waiting for a line that nobody types.
func TestConnectOnATerminalServerCloses(t *testing.T) {
	server := agent(t, 0, "echo", "--listen", "127.0.0.1:0")
	stderr, err := server.StderrPipe()
	if err == nil {
		err = server.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	line := make([]byte, 200)
	n, _ := stderr.Read(line)
	address := bytes.TrimSpace(bytes.TrimPrefix(line[:n], []byte("Listening on ")))
	cmd := agent(t, 0, "connect", "--include", "ws://"+string(address)+"/")
	p := onTerminal(t, cmd)
	p.shows(t, "101 Switching Protocols")
	if err := server.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	p.shows(t, "")
	if got := endedWith(t, cmd.Wait()); got != 0 {
		t.Errorf("exit status %d, having shown %q, want 0", got, p.seen.String())
	}
	_ = server.Wait()
}
