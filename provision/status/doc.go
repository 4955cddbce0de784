// Package status says where a host stands: what is installed, what runs, what SELinux allows, what the last run came
// to, and what is still to be done. It only reads.
package status
