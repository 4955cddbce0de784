// Package provision puts the parts of a run together: it makes them (parts.go), puts the steps in order (steps.go), and
// has the engine plan them or bring them about, forwards and back (revert.go).
//
// The engine checks every step before the first one changes anything, applies what differs, and checks again: success
// is what was read back, never an exit status.
//
// Everything that changes the host passes the Seam of package host: programs through its run.go, files through its
// file.go, units through the function that systemd was given. seam_test.go keeps it so.
package provision
