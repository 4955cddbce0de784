package main

import (
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

var update = flag.Bool("update", false, "write the golden files anew")

// TestMain makes the agent a command of the scripts in testdata/script. None of them gets past the configuration, the
// rights or the flags: this machine is not provisioned.
func TestMain(m *testing.M) {
	if strings.HasSuffix(os.Args[0], "/wsprovision") { // see agent
		main()
	}
	testscript.Main(m, map[string]func(){"wsprovision": main})
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:           "testdata/script",
		UpdateScripts: *update,
		Setup: func(e *testscript.Env) error {
			// As an administrator's shell leaves it; the scripts that want a variable set it.
			e.Setenv("HOME", "/root")
			return os.Chmod(e.WorkDir, 0o755)
		},
	})
}
