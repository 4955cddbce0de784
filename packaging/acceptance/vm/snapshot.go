package vm

import (
	"fmt"
	"strconv"
	"time"
)

// Save keeps the running machine, memory and disk, under a name. A snapshot of that name is replaced.
func (m *Machine) Save(name string) error {
	// A connection in the snapshot would be a dead one on every restored machine.
	m.HangUp()
	if err := m.qemu.monitor.order("savevm " + name); err != nil {
		return err
	}
	m.saved[name] = true
	return nil
}

// Has tells whether the disk holds a snapshot of that name.
func (m *Machine) Has(name string) bool { return m.saved[name] }

// Restore brings the machine back to a snapshot, switching it on if it is off, and sets its clock, which stood still
// since.
func (m *Machine) Restore(name string) error {
	if err := m.load(name); err != nil {
		return err
	}
	now := strconv.FormatFloat(float64(time.Now().UnixMilli())/1000, 'f', 3, 64)
	if r := m.Try("date -s @"+now, nil); r.Status != 0 {
		return fmt.Errorf("set the restored machine's clock: %s", r.Output)
	}
	return nil
}

func (m *Machine) load(name string) error {
	if !m.On() {
		return m.switchOn(name)
	}
	m.HangUp()
	if err := m.qemu.monitor.order("loadvm " + name); err != nil {
		return err
	}
	return m.qemu.monitor.order("cont")
}

// Pause stops the machine's processors, so that it costs the host nothing until it is restored.
func (m *Machine) Pause() error {
	if !m.On() {
		return nil
	}
	return m.qemu.monitor.order("stop")
}
