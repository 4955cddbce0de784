package vm

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
)

// Count is how many machines may run side by side: two of one processor each where the host has two processors or more,
// or what WSPROVISION_MACHINES says.
func Count() (int, error) {
	text := os.Getenv("WSPROVISION_MACHINES")
	if text == "" {
		return min(2, runtime.NumCPU()), nil
	}
	count, err := strconv.Atoi(text)
	if err != nil || count < 1 {
		return 0, fmt.Errorf("WSPROVISION_MACHINES=%s: not a number of machines", text)
	}
	return count, nil
}
