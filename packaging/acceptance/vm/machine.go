package vm

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"
)

// bootTimeout bounds a cold boot until sshd answers, on an emulated machine and a busy host; one of the boots labels
// every file and reboots.
const bootTimeout = 12 * time.Minute

// Booted is the snapshot that every machine with the image's own disk holds: a bare host, all its services up.
const Booted = "booted"

// Machine is one virtual machine with a disk of its own. Its methods are for one goroutine; commands that Begin started
// run side by side.
type Machine struct {
	Image  Image
	dir    string
	hw     Hardware
	config *ssh.ClientConfig
	saved  map[string]bool // snapshots that the disk holds
	qemu   *qemu           // nil while switched off
	client *ssh.Client     // nil until the first command after a start or a restore
}

// New prepares a machine that is switched off. Without a disk in hw it gets a copy of the image's, with the snapshot
// Booted.
func New(img Image, hw Hardware) (*Machine, error) {
	config, err := loginConfig(img)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "wsprovision-machine-")
	if err != nil {
		return nil, err
	}
	m := &Machine{Image: img, dir: dir, hw: hw, config: config, saved: map[string]bool{}}
	if hw.Disk == "" {
		m.hw.Disk = filepath.Join(dir, "disk.qcow2")
		err = m.Reset()
	}
	return m, err
}

// Reset switches the machine off and puts a new copy of the image's disk in the place of its own.
func (m *Machine) Reset() error {
	m.Kill()
	m.saved = map[string]bool{Booted: true}
	out, err := exec.Command("cp", "--reflink=auto", m.Image.Path("disk.qcow2"), m.hw.Disk).CombinedOutput()
	if err != nil {
		return fmt.Errorf("copy the machine's disk: %w: %s", err, out)
	}
	return nil
}

// Boot switches the machine on and waits until sshd answers. What its disk holds is what a power cut or a shutdown left
// there.
func (m *Machine) Boot() error { return m.switchOn("") }

func (m *Machine) switchOn(snapshot string) error {
	m.Kill()
	q, err := startQEMU(m.Image, m.dir, m.hw, snapshot)
	if err != nil {
		return err
	}
	m.qemu = q
	_, err = m.connection()
	return err
}

// Kill cuts the power: what the guest had not written to its disk is lost.
func (m *Machine) Kill() {
	m.HangUp()
	if m.qemu != nil {
		m.qemu.kill()
		m.qemu = nil
	}
}

// WaitOff waits for a guest that powers itself off.
func (m *Machine) WaitOff(limit time.Duration) error {
	select {
	case <-m.qemu.ended:
		m.Kill()
		return nil
	case <-time.After(limit):
		return fmt.Errorf("wait for the machine to power off: still running after %v", limit)
	}
}

// Remove switches the machine off for good.
func (m *Machine) Remove() error {
	m.Kill()
	return os.RemoveAll(m.dir)
}

// On tells whether the machine is switched on.
func (m *Machine) On() bool { return m.qemu != nil && m.qemu.alive() }

// Web returns the address on the host that leads to port 80 of the machine. It changes with every Boot.
func (m *Machine) Web() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(m.qemu.ports[80])) }

// Console returns the end of what the guest wrote to its serial console since it was last switched on.
func (m *Machine) Console() string {
	text, err := os.ReadFile(filepath.Join(m.dir, "console"))
	if err != nil {
		return err.Error()
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	return strings.Join(lines[max(0, len(lines)-40):], "\n")
}

// connection returns the ssh connection, logging in if there is none.
func (m *Machine) connection() (*ssh.Client, error) {
	if m.client != nil {
		return m.client, nil
	}
	if m.qemu == nil {
		return nil, fmt.Errorf("log in to the machine: it is switched off")
	}
	client, err := login(m.config, m.qemu.ports[22], time.Now().Add(bootTimeout), m.qemu.alive)
	if err != nil {
		return nil, fmt.Errorf("%w\nthe console's last lines:\n%s", err, m.Console())
	}
	m.client = client
	return client, nil
}

// HangUp ends the ssh connection and every session on it. A command with a terminal gets SIGHUP; one without goes on
// until it writes.
func (m *Machine) HangUp() {
	if m.client != nil {
		_ = m.client.Close() // it may be gone already, with the guest
		m.client = nil
	}
}
