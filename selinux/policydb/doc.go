// Package policydb reads the binary policy of SELinux as the kernel and libsepol do (version 24 to 33, libsepol's
// policydb.c): the types of ports, booleans, and the rules that one question needs.
package policydb
