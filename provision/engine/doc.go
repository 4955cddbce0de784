// Package engine is for bringing a list of steps about: it checks every step before the first one changes anything,
// applies what differs, and checks again. Success is what was read back, never an exit status. It knows nothing of what
// a step does, and imports nothing of ours but text's own rules.
package engine
