// Package firewalld is for opening ports in firewalld: over D-Bus where it runs, and where it does not by its own
// program for that. It never has firewalld reload, which forgets what others opened for the running firewall alone.
package firewalld
