package vm

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// OnBareHost hands work a bare host, restored from the snapshot Booted, for the time that it takes. The image is built
// if need be. The folder acceptance is named from the working directory.
func OnBareHost(acceptance string, work func(*Machine) error) (err error) {
	img, err := Build(acceptance)
	if err != nil {
		return err
	}
	m, err := New(img, Hardware{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, m.Remove()) }()
	if err := m.Restore(Booted); err != nil {
		return err
	}
	return work(m)
}

// Package finds our package in the folder that "make rpm" fills.
func Package(dist string) (string, error) {
	pattern := filepath.Join(dist, "wsprovision-*.el7.x86_64.rpm")
	found, err := filepath.Glob(pattern)
	if err != nil || len(found) != 1 {
		return "", fmt.Errorf("find our package: %d files match %s, want 1: run make rpm", len(found), pattern)
	}
	return found[0], nil
}

// Install installs our package on the machine.
func (m *Machine) Install(dist string) error {
	path, err := Package(dist)
	if err != nil {
		return err
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	on := "/root/" + filepath.Base(path)
	if err := m.Put(on, content, 0o644); err != nil {
		return err
	}
	if r := m.Try("rpm -Uvh "+on, nil); r.Status != 0 {
		return fmt.Errorf("rpm -Uvh %s: exit status %d: %s", on, r.Status, r.Output)
	}
	return nil
}
