// Package packages is for what rpm has and what yum must bring: nginx, semanage's package and the repository that they
// come from, EPEL, and what a power cut took of them. What yum brought is read back from rpm, dependencies included.
package packages
