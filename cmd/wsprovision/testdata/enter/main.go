// Runs a program in a tree as an installer does: enter TREE [MOUNT…] -- PROGRAM [ARG…]. It has to be started in a mount
// namespace of its own. Nothing of the machine's is bound into the tree: removing the tree can never reach the machine.
package main

import (
	"fmt"
	"os"
	"slices"

	"golang.org/x/sys/unix"
)

// mounts are what a tree can be given; each has the name of its place.
var mounts = map[string]func(at string) error{
	"/proc": func(at string) error { return unix.Mount("proc", at, "proc", 0, "") },
	"/dev":  devices,
	"/run":  installersRun,
}

func main() {
	if err := enter(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "enter:", err)
		os.Exit(99)
	}
}

func enter(args []string) error {
	dashes := slices.Index(args, "--")
	if dashes < 1 || dashes == len(args)-1 {
		return fmt.Errorf("usage: enter TREE [MOUNT…] -- PROGRAM [ARG…]")
	}
	tree, program := args[0], args[dashes+1:]
	if err := ownNamespace(); err != nil {
		return err
	}
	for _, at := range args[1:dashes] {
		mount, ok := mounts[at]
		if !ok {
			return fmt.Errorf("%s is nothing that a tree is given", at)
		}
		if err := mount(tree + at); err != nil {
			return fmt.Errorf("mount %s: %w", at, err)
		}
	}
	if err := unix.Chroot(tree); err != nil {
		return fmt.Errorf("chroot: %w", err)
	}
	if err := os.Chdir("/"); err != nil {
		return err
	}
	return fmt.Errorf("%s: %w", program[0], unix.Exec(program[0], program, os.Environ()))
}

// ownNamespace refuses to go on in the mount namespace of whoever called, where a mount would outlive this process.
func ownNamespace() error {
	ours, err := os.Readlink("/proc/self/ns/mnt")
	if err != nil {
		return err
	}
	parents, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/mnt", os.Getppid()))
	if err != nil {
		return err
	}
	if ours == parents {
		return fmt.Errorf("not in a mount namespace of its own")
	}
	return unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, "")
}

// devices is a /dev with nodes of its own.
func devices(at string) error {
	if err := unix.Mount("tmpfs", at, "tmpfs", 0, "mode=0755,size=64k"); err != nil {
		return err
	}
	for name, minor := range map[string]uint32{"null": 3, "zero": 5, "random": 8, "urandom": 9} { // mem(4), random(4)
		if err := unix.Mknod(at+"/"+name, unix.S_IFCHR|0o666, int(unix.Mkdev(1, minor))); err != nil {
			return fmt.Errorf("make %s: %w", name, err)
		}
	}
	return nil
}

// installersRun is the /run of a system with systemd, which is not the tree's.
func installersRun(at string) error {
	if err := unix.Mount("tmpfs", at, "tmpfs", 0, "mode=0755,size=64k"); err != nil {
		return err
	}
	return os.MkdirAll(at+"/systemd/system", 0o755)
}
