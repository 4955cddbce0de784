// Package provision turns a configuration into ordered steps, plans them,
// applies them to the host it runs on and reports what became of each.
//
// The order is the slice in steps.go. The engine (package engine) checks every step
// before the first one changes anything, applies what differs, and checks
// again: success is what was read back, never an exit status.
//
// Everything that changes the host passes the Seam (seam.go): programs through
// run.go, files through file.go, units through the systemd package's mutate
// function. Nothing else in the module writes, renames, removes or executes;
// seam_test.go keeps it so.
package provision
