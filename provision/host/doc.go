// Package host is the machine that is provisioned and the only way to change it: its files, its programs, its lock, its
// sockets, and the seam that every change passes. It decides nothing.
package host
