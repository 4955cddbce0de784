// Package systemd asks for units and changes them: over D-Bus on a live host, by files in an installer's
// chroot, and it finds out which of the two this is.
//
// Live speaks to PID 1 with the methods and properties that systemd 208 (RHEL 7.0, 7.1) and 219 (7.2 to 7.9) both
// have. Offline knows no bus: in a kickstart's %post the sockets under /run belong to the installer, and a call
// would enable or start units of the installer and report success. Detect tells the places apart.
package systemd
