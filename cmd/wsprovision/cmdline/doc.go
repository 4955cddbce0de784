// Package cmdline is for what is typed: the options that commands share, their values and their completion, the help,
// and what to type instead of what was wrong.
package cmdline
