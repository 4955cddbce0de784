//go:build acceptance

package acceptance

import (
	"fmt"
	"os"
	"testing"

	"wsprovision/packaging/acceptance/vm"
)

// TestMain builds the image if need be; the machines start when a test first asks for one.
func TestMain(m *testing.M) {
	os.Exit(runWithMachines(m))
}

func runWithMachines(m *testing.M) int {
	img, err := vm.Build(".")
	if err == nil {
		machines, err = newPool(img)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "acceptance:", err)
		return 1
	}
	defer machines.close()
	return m.Run()
}
