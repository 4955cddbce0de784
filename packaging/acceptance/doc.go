// Package acceptance proves what ships on a real machine: QEMU with SELinux enforcing, systemd, yum with signed
// repositories, nginx confined as httpd_t and a WebSocket backend. image.sh builds the machine from image/; package vm
// drives it; the tests here, under the build tag "acceptance", are the scenarios, and judge the machine by its own
// tools.
//
//	go test -tags acceptance ./packaging/acceptance
//
// A scenario begins with start, which hands it a machine restored to a saved state, and ends by giving the machine
// back. States are made once for each machine and build on one another: booted (a bare host), installed (our RPM),
// packaged, provisioned; released is a host that 1.0.0 provisioned.
//
// Environment: WSPROVISION_MACHINES (machines at a time), WSPROVISION_CACHE (where images lie).
package acceptance
