// Package firstboot is for work that is deferred across a boot: what cannot be done where a host is installed is
// recorded there, and finished, with patience, where the host has booted.
package firstboot
