// Package vm drives one acceptance machine: it starts QEMU, saves and restores it, cuts its power, and runs commands on
// it over ssh. It knows nothing of scenarios and reports errors to its caller.
package vm

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Image is what image.sh built: disk, kernel, keys and packages, and the recipe they were built from, which also starts
// machines.
type Image struct{ dir, recipe string }

// Build runs image.sh of the folder acceptance, which returns at once if the image is there. Its progress goes to
// stderr.
func Build(acceptance string) (Image, error) {
	acceptance, err := filepath.Abs(acceptance)
	if err != nil {
		return Image{}, err
	}
	var dir bytes.Buffer
	build := exec.Command(filepath.Join(acceptance, "image.sh"))
	build.Stdout, build.Stderr = &dir, os.Stderr
	if err := build.Run(); err != nil {
		return Image{}, fmt.Errorf("build the machine's image: image.sh: %w", err)
	}
	if _, err := exec.LookPath("qemu-system-x86_64"); err != nil {
		return Image{}, fmt.Errorf("start machines: %w: apt-get install qemu-system-x86", err)
	}
	return Image{strings.TrimSpace(dir.String()), filepath.Join(acceptance, "image")}, nil
}

// Path returns a file of the image, for instance packages/epel.
func (i Image) Path(name ...string) string {
	return filepath.Join(append([]string{i.dir}, name...)...)
}

// Fingerprint returns that of the key which signs a repository's packages: extras, epel or stranger.
func (i Image) Fingerprint(key string) (string, error) {
	text, err := os.ReadFile(i.Path("keys", key+".fingerprint"))
	return strings.TrimSpace(string(text)), err
}

// Key returns the public key that signs a repository's packages.
func (i Image) Key(name string) ([]byte, error) { return os.ReadFile(i.Path("keys", name+".asc")) }

// NewDisk makes a disk at path with the image's system on it, as it was before its first boot.
func (i Image) NewDisk(path string) error {
	out, err := exec.Command("qemu-img", "create", "-q", "-f", "qcow2", "-F", "raw", "-b", i.Path("disk.raw"),
		path).CombinedOutput()
	if err != nil {
		return fmt.Errorf("make the disk %s: qemu-img: %w: %s", path, err, out)
	}
	return nil
}
