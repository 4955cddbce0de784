package vm

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"time"
)

// CommandTimeout bounds what Try and Run run: a minute's work on an emulated machine and a busy host.
const CommandTimeout = 5 * time.Minute

// Try runs a command to its end and returns all of its result.
func (m *Machine) Try(command string, input io.Reader) Result {
	p, err := m.Begin(command, input)
	if err != nil {
		return Result{Status: -1, Output: err.Error(), Stderr: err.Error()}
	}
	return p.Wait(CommandTimeout)
}

// Run runs a command and returns its output, both streams as they came, and its exit status (see Result).
func (m *Machine) Run(command string) (output string, status int) {
	r := m.Try(command, nil)
	return r.Output, r.Status
}

// Put writes a file on the machine, making its directory. The file gets the label that an administrator's editor would
// leave.
func (m *Machine) Put(path string, content []byte, mode fs.FileMode) error {
	command := fmt.Sprintf("mkdir -p %s && cat >%s && chmod %o %[2]s", Quote(filepath.Dir(path)), Quote(path),
		mode.Perm())
	if r := m.Try(command, bytes.NewReader(content)); r.Status != 0 {
		return fmt.Errorf("put %s on the machine: exit status %d: %s", path, r.Status, r.Output)
	}
	return nil
}

// Get reads a file of the machine.
func (m *Machine) Get(path string) ([]byte, error) {
	r := m.Try("cat "+Quote(path), nil)
	if r.Status != 0 {
		return nil, fmt.Errorf("get %s from the machine: exit status %d: %s", path, r.Status, r.Output)
	}
	return []byte(r.Stdout), nil
}
